"""Each layer and its gradients against the module's formulas on dense matrices, in float64."""

from typing import NamedTuple

import numpy as np
import pytest
from numba import njit

from igmc.models.fused import layers
from igmc.models.fused.layers import LayerGradients, LayerWeights, Way
from igmc.models.fused.parameters import Gradients
from igmc.models.products import Pairs
from igmc.simd import load, store
from tests.models.compiling import callable_from_python
from tests.models.fused.subgraphs import HOPS, LANES, LEVELS, NORMS, H, make_sample, states

first, first_back, middle, middle_back = (
    callable_from_python(getattr(layers, name))
    for name in ("first_layer", "first_layer_back", "layer", "layer_back")
)


@njit(error_model="numpy")
def last(lanes, side, weights, x, sums, h):
    store(h, 0, layers.last_layer(lanes, side, weights, x, sums))


@njit(error_model="numpy")
def last_back(lanes, side, weights, x, d_z, d_x, scratch, d_weights):
    layers.last_layer_back(lanes, side, weights, x, load(lanes, d_z, 0), d_x, scratch, d_weights)


@njit(error_model="numpy")
def before_tanh(lanes, h, d_h, d_z):
    store(d_z, 0, layers.before_tanh(lanes, load(lanes, h, 0), load(lanes, d_h, 0)))


@njit(error_model="numpy")
def nodes_of(side):
    every, needed = layers.all_nodes(side), layers.needed_nodes(side)
    return every.source[every.low : every.high], needed.target[needed.low : needed.high]


NODES, LABELS = 7 + 9, 2 * (HOPS + 1)  # users and items of the sample
USERS_AND_ITEMS = pytest.mark.parametrize("which", [0, 1], ids=["users", "items"])
EACH_NORM = pytest.mark.parametrize("norm", NORMS)


class Room(NamedTuple):
    """The scratch that a layer's gradients take, full of nonsense."""

    m: np.ndarray
    d_z: np.ndarray
    sums: np.ndarray
    d_sums: np.ndarray


def room() -> Room:
    return Room(*(np.full((rows, H), 77, np.float32) for rows in (70, NODES, LEVELS + 1, LEVELS + 1)))


def rows_of(side) -> slice:
    """Where the states of a side stand."""
    return slice(side.row, side.row + len(side.label))


def make_weights(seed) -> tuple[LayerWeights, np.ndarray, np.ndarray]:
    """Weights as the kernels read them, and W [R + 1, H, H] and b [H]."""
    W, b = states(seed, LEVELS + 1, H, H), states(seed + 1, H)
    stacked = np.ascontiguousarray(W.reshape(-1, H))
    transposed = np.ascontiguousarray(W.transpose(0, 2, 1).reshape(-1, H))
    return LayerWeights(stacked, transposed, b[None].copy()), W.astype(float), b.astype(float)


def close(found, expected):
    np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-5)


def label_counts(sample, which) -> np.ndarray:
    """n_i(r, l), float64 [n, R * labels]."""
    label = sample.sides[1 - which].label
    return np.einsum("rno,ol->nrl", sample.norms[which], np.eye(LABELS)[label]).reshape(-1, LEVELS * LABELS)


@USERS_AND_ITEMS
@EACH_NORM
def test_first_layer(norm, which):
    sample = make_sample(norm)
    side, W, base = sample.sides[which], states(1, LEVELS * LABELS, H), states(2, LABELS, H)
    h = np.full((NODES, H), 77, np.float32)
    first(LANES, side, W, base, h)
    close(h[rows_of(side)], np.tanh(base[side.label] + label_counts(sample, which) @ W))
    assert (np.delete(h, rows_of(side), axis=0) == 77).all()


@USERS_AND_ITEMS
@EACH_NORM
def test_gradients_of_the_first_layer_are_added(norm, which):
    sample = make_sample(norm)
    side, h, d_h = sample.sides[which], states(1, NODES, H), states(2, NODES, H)
    shapes = (LEVELS * LABELS, H), (LABELS, H), (1, H), (0, 0, 0), (0, 0, 0)
    found = Gradients(*(states(3 + k, *shape) for k, shape in enumerate(shapes)))
    before = [array.copy() for array in found]
    first_back(LANES, side, h, d_h, room().d_z, found)
    d_z = (d_h * (1 - h.astype(float) ** 2))[rows_of(side)]
    close(found.first, before[0] + label_counts(sample, which).T @ d_z)
    close(found.root, before[1] + np.eye(LABELS)[side.label].T @ d_z)
    close(found.bias, before[2] + d_z.sum(axis=0))


def chosen(side, some) -> tuple[Pairs, np.ndarray]:
    """The pairs of some nodes of a side, or of all, and the nodes."""
    nodes = np.array([0, 2, 3, 6], np.int32) if some else np.arange(len(side.label), dtype=np.int32)
    return Pairs(nodes, nodes, np.int64(0), np.int64(len(nodes))), nodes


@pytest.mark.parametrize("some", [False, True])
@USERS_AND_ITEMS
@EACH_NORM
def test_layer(norm, which, some):
    sample = make_sample(norm)
    side, other = sample.sides[which], sample.sides[1 - which]
    weights, W, b = make_weights(1)
    x, h = states(3, NODES, H), np.full((NODES, H), 77, np.float32)
    pairs, nodes = chosen(side, some)
    middle(LANES, side, pairs, weights, x, room().m, h)
    messages = np.einsum("rno,oi,rij->nj", sample.norms[which], x[rows_of(other)], W[:-1])
    close(h[side.row + nodes], np.tanh(b + x[rows_of(side)] @ W[-1] + messages)[nodes])
    assert (np.delete(h, side.row + nodes, axis=0) == 77).all()


@pytest.mark.parametrize("some", [False, True])
@USERS_AND_ITEMS
@EACH_NORM
def test_gradients_of_a_layer_are_added(norm, which, some):
    sample = make_sample(norm)
    side, other = sample.sides[which], sample.sides[1 - which]
    weights, W, _ = make_weights(1)
    way = Way(*(states(3 + k, NODES, H) for k in range(4)))
    found = LayerGradients(states(7, (LEVELS + 1) * H, H), states(8, 1, H))
    before, d_x = [array.copy() for array in found], way.d_x.copy()
    pairs, nodes = chosen(side, some)
    middle_back(LANES, side, pairs, weights, way, room(), found)
    d_z = np.zeros((len(side.label), H))
    d_z[nodes] = (way.d_h * (1 - way.h.astype(float) ** 2))[side.row + nodes]
    d_m = np.einsum("rno,nj->roj", sample.norms[which], d_z)
    x, x_other = way.x[rows_of(side)], way.x[rows_of(other)]
    d_W = [*np.einsum("oi,roj->rij", x_other, d_m), x.T @ d_z]
    close(found.W, before[0] + np.concatenate(d_W))
    close(found.b, before[1] + d_z.sum(axis=0))
    d_x[rows_of(side)] += (d_z @ W[-1].T).astype(np.float32)
    d_x[rows_of(other)] += np.einsum("roj,rij->oi", d_m, W[:-1]).astype(np.float32)
    close(way.d_x, d_x)


@USERS_AND_ITEMS
@EACH_NORM
def test_last_layer(norm, which):
    sample = make_sample(norm)
    side, other = sample.sides[which], sample.sides[1 - which]
    weights, W, b = make_weights(1)
    x, h = states(3, NODES, H), np.empty((1, H), np.float32)
    last(LANES, side, weights, x, room().sums, h)
    messages = np.einsum("ro,oi,rij->j", sample.norms[which][:, 0], x[rows_of(other)], W[:-1])
    close(h[0], np.tanh(b + x[side.row] @ W[-1] + messages))


@USERS_AND_ITEMS
@EACH_NORM
def test_gradients_of_the_last_layer_are_added(norm, which):
    sample = make_sample(norm)
    side, other = sample.sides[which], sample.sides[1 - which]
    weights, W, _ = make_weights(1)
    x, d_z, d_x = states(3, NODES, H), states(4, 1, H), states(5, NODES, H)
    found = LayerGradients(states(7, (LEVELS + 1) * H, H), states(8, 1, H))
    before, expected = [array.copy() for array in found], d_x.astype(float)
    last_back(LANES, side, weights, x, d_z, d_x, room(), found)
    sums = np.einsum("ro,oi->ri", sample.norms[which][:, 0], x[rows_of(other)])
    close(found.W, before[0] + np.concatenate([np.outer(row, d_z) for row in (*sums, x[side.row])]))
    close(found.b, before[1] + d_z)
    expected[side.row] += W[-1] @ d_z[0]
    expected[rows_of(other)] += np.einsum("ro,rij,j->oi", sample.norms[which][:, 0], W[:-1], d_z[0])
    close(d_x, expected)


def test_slope_of_tanh():
    z, d_h, d_z = states(1, 1, H), states(2, 1, H), np.empty((1, H), np.float32)
    before_tanh(LANES, np.tanh(z), d_h, d_z)
    close(d_z, d_h / np.cosh(z) ** 2)


def test_nodes_to_compute():
    for side in make_sample().sides:
        every, needed = nodes_of(side)
        assert every.tolist() == list(range(len(side.label)))
        assert needed.tolist() == side.needed[: side.needed_count[0]].tolist()
