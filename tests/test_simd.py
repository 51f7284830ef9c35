import numpy as np
from numba import njit

from igmc import simd


@njit
def _tanh_rows(lanes, x, out):
    for row in range(len(x)):
        simd.store(out, row, simd.tanh(lanes, simd.load(lanes, x, row)))


@njit
def _arithmetic(lanes, x, out):
    a, b = simd.load(lanes, x, 0), simd.load(lanes, x, 1)
    simd.store(out, 0, simd.add(a, b))
    simd.store(out, 1, simd.sub(a, b))
    simd.store(out, 2, simd.mul(a, b))
    simd.store(out, 3, simd.div(a, b))
    simd.store(out, 4, simd.fma(a, b, a))
    simd.store(out, 5, simd.fma(2.5, a, b))
    simd.store(out, 6, simd.scaled(3.0, a))
    simd.store(out, 7, simd.splat(lanes, 4.0))
    simd.store(out, 8, simd.larger(a, b))
    simd.store(out, 9, simd.splat(lanes, simd.total(a)))


def test_tanh_is_accurate_everywhere():
    for width in (32, 8, 5):
        x = np.concatenate([np.linspace(-12, 12, 40_000), [0.0, -0.0, 1e30, -1e30, np.inf, -np.inf]])
        x = np.resize(x, (len(x) // width + 1, width)).astype(np.float32)
        out = np.empty_like(x)
        _tanh_rows((0,) * width, x, out)
        assert np.abs(out - np.tanh(x.astype(np.float64))).max() < 3e-7


def test_tanh_keeps_nan():
    x = np.full((1, 8), np.nan, np.float32)
    out = np.zeros_like(x)
    _tanh_rows((0,) * 8, x, out)
    assert np.isnan(out).all()


def test_arithmetic():
    x = np.random.default_rng(0).uniform(1, 2, (2, 16)).astype(np.float32)
    out = np.empty((10, 16), np.float32)
    _arithmetic((0,) * 16, x, out)
    a, b = x
    expected = [a + b, a - b, a * b, a / b, a * b + a, 2.5 * a + b, 3 * a, np.full(16, 4.0)]
    expected += [np.maximum(a, b), np.full(16, a.sum())]
    np.testing.assert_allclose(out, expected, rtol=1e-6)


@njit
def _roots_and_masks(lanes, x, out):
    a, b = simd.load(lanes, x, 0), simd.load(lanes, x, 1)
    simd.store(out, 0, simd.sqrt(a))
    simd.store(out, 1, simd.where_positive(b, a))


def test_roots_and_masks():
    x = np.array([[4.0, 9.0, 0.0, 2.0], [1.0, -1.0, 0.0, np.nan]], np.float32)
    out = np.empty_like(x)
    _roots_and_masks((0,) * 4, x, out)
    assert np.array_equal(out[0], np.sqrt(x[0]))
    assert out[1].tolist() == [4.0, 0.0, 0.0, 0.0]


def test_a_row_is_cut_into_parts_of_at_most_two_registers():
    for register, parts in ((8, {32: 16, 24: 12, 8: 8, 5: 5, 34: 34}), (16, {64: 32, 48: 24, 32: 32, 8: 8})):
        assert {width: simd.part_of(width, register) for width in parts} == parts
