"""Rows times a matrix and the gradient of it, for any number of rows about the size of a tile."""

import numpy as np
import pytest

from igmc.models.products import TILE, Pairs, Rows, add_outer, make_pairs, multiply
from tests.models.compiling import callable_from_python

INPUTS = 11
WIDTHS = (8, 48)  # less than two registers, and several times as much
SIZES = [0, 1, TILE - 1, TILE, TILE + 1, 2 * TILE + 3]
ROOM = 40

product, outer, pairs_of = (callable_from_python(f) for f in (multiply, add_outer, make_pairs))


def problem(count, H):
    rng = np.random.default_rng(count)
    x, weight, z = (
        rng.normal(size=shape).astype(np.float32) for shape in ((ROOM, INPUTS), (60, H), (ROOM, H))
    )
    source = rng.integers(ROOM - 3, size=count + 2).astype(np.int32)  # a sender may stand twice
    target = rng.permutation(ROOM - 5)[: count + 2].astype(np.int32)
    return Pairs(source, target, np.int64(1), np.int64(1 + count)), x, weight, z


@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("H", WIDTHS)
def test_products(H, count):
    pairs, x, weight, z = problem(count, H)
    s, t = pairs.source[1 : 1 + count], pairs.target[1 : 1 + count]
    matrix = weight[4 : 4 + 2 * INPUTS : 2]
    expected = z.copy()
    expected[5 + t] = z[5 + t] + x[3 + s] @ matrix
    own = Rows(z, 5, 1)
    product((0,) * H, pairs, INPUTS, Rows(x, 3, 1), Rows(weight, 4, 2), own, own)
    np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("H", WIDTHS)
def test_products_that_all_begin_with_one_row(H):
    pairs, x, weight, z = problem(TILE + 1, H)
    expected, bias = z.copy(), np.ones((3, H), np.float32)
    bias[1] = np.arange(H)
    expected[pairs.target[1:-1]] = np.arange(H) + x[pairs.source[1:-1]] @ weight[:INPUTS]
    product((0,) * H, pairs, INPUTS, Rows(x, 0, 1), Rows(weight, 0, 1), Rows(bias, 1, 0), Rows(z, 0, 1))
    np.testing.assert_allclose(z, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("inputs", [1, TILE, INPUTS])
@pytest.mark.parametrize("count", SIZES)
@pytest.mark.parametrize("H", WIDTHS)
def test_gradients_of_the_matrix_are_added(H, count, inputs):
    pairs, x, d_weight, d_z = problem(count, H)
    x = np.ascontiguousarray(x[:, :inputs])
    s, t = pairs.source[1 : 1 + count], pairs.target[1 : 1 + count]
    expected = d_weight.copy()
    expected[4 : 4 + 2 * inputs : 2] += x[3 + s].T @ d_z[2 + t]
    outer((0,) * H, pairs, inputs, Rows(x, 3, 1), Rows(d_z, 2, 1), Rows(d_weight, 4, 2))
    np.testing.assert_allclose(d_weight, expected, rtol=1e-5, atol=1e-5)


def test_pairs_have_one_type_whatever_the_numbers():
    nodes = np.arange(3, dtype=np.int32)
    for low, high in ((1, 2), (np.int32(1), 2), (1, np.uint8(2))):
        pairs = pairs_of(nodes, nodes, low, high)
        assert (pairs.low, pairs.high) == (1, 2)
    assert len(pairs_of.signatures) == 3
    assert len({signature.return_type for signature in pairs_of.nopython_signatures}) == 1
