"""Weights mixed from bases, and the gradients on the way back, ARR's among them, against einsum."""

import numpy as np
import pytest

from igmc.models.fused.parameters import (
    Gradients,
    Parameters,
    make_gradients,
    make_weights,
    pack,
    sizes_of,
    unpack,
)
from tests.models.fused.subgraphs import states

H, LEVELS, LABELS, CHUNKS = 8, 3, 6, 3
LANES = (0,) * H


def make_parameters(bases, depth, seed=0) -> Parameters:
    inputs = (LABELS, *[H] * depth)
    count = len(inputs)
    return Parameters(
        tuple(
            states(seed + k, LEVELS, bases) if bases else np.empty((0, 0), np.float32) for k in range(count)
        ),
        tuple(states(seed + 10 + k, bases or LEVELS, rows, H) for k, rows in enumerate(inputs)),
        tuple(states(seed + 20 + k, rows, H) for k, rows in enumerate(inputs)),
        tuple(states(seed + 30 + k, H) for k in range(count)),
    )


def mixed(parameters, k) -> np.ndarray:
    """W_r of a layer, [R, in, H]."""
    a, V = parameters.comps[k], parameters.weights[k]
    return np.einsum("rb,bio->rio", a, V) if len(a) else V


def packed(parameters):
    weights = make_weights(sizes_of(parameters))
    for array in weights:
        array.fill(77)
    pack(LANES, parameters, weights)
    return weights


OPTIONS = pytest.mark.parametrize(("bases", "depth"), [(2, 3), (None, 3), (4, 1), (2, 0)])


@OPTIONS
def test_weights_as_the_kernels_read_them(bases, depth):
    parameters = make_parameters(bases, depth)
    weights = packed(parameters)
    np.testing.assert_allclose(weights.first, mixed(parameters, 0).reshape(-1, H), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(weights.base, parameters.roots[0] + parameters.biases[0], rtol=1e-6)
    for k in range(depth):
        matrices = np.concatenate([mixed(parameters, k + 1), parameters.roots[k + 1][None]])
        np.testing.assert_allclose(weights.stacked[k], matrices.reshape(-1, H), rtol=1e-5, atol=1e-6)
        stacked = weights.stacked[k].reshape(-1, H, H)
        np.testing.assert_array_equal(weights.transposed[k].reshape(-1, H, H), stacked.transpose(0, 2, 1))
        np.testing.assert_array_equal(weights.biases[k], parameters.biases[k + 1])


@OPTIONS
@pytest.mark.parametrize("chunks", [1, CHUNKS])
def test_gradients_of_the_parameters(bases, depth, chunks):
    parameters = make_parameters(bases, depth)
    weights, d_weights = packed(parameters), make_gradients(sizes_of(parameters), chunks)
    for seed, array in enumerate(d_weights):
        array[:] = states(50 + seed, *array.shape)
    found = Parameters(*(tuple(np.full_like(a, 77) for a in arrays) for arrays in parameters))
    arr = unpack(LANES, d_weights, parameters, weights, 0.3, found)
    sums = Gradients(*(array.astype(float).sum(axis=0) for array in d_weights))
    penalty = 0.0
    for k in range(depth + 1):
        W, d_W, d_root, d_bias = mixed(parameters, k), sums.first, sums.root, sums.bias
        if k:
            d_W, d_root, d_bias = sums.stacked[k - 1, :-H], sums.stacked[k - 1, -H:], sums.biases[k - 1]
        steps = np.diff(W, axis=0)
        penalty += (steps**2).sum()
        d_W = d_W.reshape(W.shape).copy()
        d_W[1:] += 2 * 0.3 * steps
        d_W[:-1] -= 2 * 0.3 * steps
        expected = [d_W, d_root, d_bias[0]]
        if bases:
            expected[0] = np.einsum("rb,rio->bio", parameters.comps[k], d_W)
            d_a = np.einsum("rio,bio->rb", d_W, parameters.weights[k])
            np.testing.assert_allclose(found.comps[k], d_a, rtol=1e-4, atol=1e-4)
        for array, right in zip((found.weights[k], found.roots[k], found.biases[k]), expected, strict=True):
            np.testing.assert_allclose(array, right, rtol=1e-4, atol=1e-4)
    assert arr == pytest.approx(penalty, rel=1e-5)


def test_sizes():
    assert sizes_of(make_parameters(2, 3)) == sizes_of(make_parameters(None, 3)) == (LEVELS, LABELS, H, 3)
