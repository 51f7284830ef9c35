"""The whole stack over many subgraphs, one after the other: states stay in the cache of the core."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from igmc.models.fused.layers import first_layer, first_layer_back, layer, layer_back
from igmc.models.fused.runs import Side, build_runs, keep_edges, needed_rows
from igmc.models.fused.simd import add, load, store

_jit = njit(nogil=True, cache=True, error_model="numpy")


class Graphs(NamedTuple):
    """A batch as NumPy arrays, as the kernels take it."""

    user_ptr: NDArray[np.int64]
    item_ptr: NDArray[np.int64]
    edge_ptr: NDArray[np.int64]
    user_label: NDArray[np.uint8]
    item_label: NDArray[np.uint8]
    degree: NDArray[np.int32]
    edge_item: NDArray[np.int32]
    edge_level: NDArray[np.uint8]


class Runs(NamedTuple):
    """The kept edges of a batch from both sides; see `Side`."""

    user_run: NDArray[np.int32]
    item_run: NDArray[np.int32]
    user_near: NDArray[np.int32]
    item_near: NDArray[np.int32]
    user_inner: NDArray[np.int32]
    item_inner: NDArray[np.int32]


class Weights(NamedTuple):
    """Parameters of all layers as arrays."""

    first: NDArray[np.float32]  # [R * labels, H]
    root: NDArray[np.float32]  # [labels, H]
    bias: NDArray[np.float32]  # [1, H]
    coefficients: NDArray[np.float32]  # [L - 1, R, B]
    bases: NDArray[np.float32]  # [L - 1, (B + 1) * H, H]
    biases: NDArray[np.float32]  # [L - 1, H]


@_jit
def _sides(levels, hops, graphs, runs, p):
    """The user side and the item side of subgraph p; its states' rows are its users, then its items."""
    u0, u1, i0, i1 = graphs.user_ptr[p], graphs.user_ptr[p + 1], graphs.item_ptr[p], graphs.item_ptr[p + 1]
    e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
    user = Side(
        runs.user_run[u0 * levels : u1 * levels],
        runs.user_near[e0:e1],
        runs.user_inner[u0 * levels * hops : u1 * levels * hops],
        graphs.user_label[u0:u1],
        u0 + i0,
        u1 + i0,
        1,
    )
    item = Side(
        runs.item_run[i0 * levels : i1 * levels],
        runs.item_near[e0:e1],
        runs.item_inner[i0 * levels * hops : i1 * levels * hops],
        graphs.item_label[i0:i1],
        u1 + i0,
        u0 + i0,
        0,
    )
    return user, item


@_jit
def forward(lanes, low, high, graphs, runs, weights, norm, limit, both, key, states, out):
    depth, levels, hops = len(weights.biases), weights.coefficients.shape[1], len(weights.root) // 2 - 1
    for p in range(low, high):
        sides = _sides(levels, hops, graphs, runs, p)
        e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
        to_user, to_item = keep_edges(e1 - e0, e0, key, limit, both)
        build_runs(
            levels, hops, graphs.degree[graphs.user_ptr[p] : graphs.user_ptr[p + 1]],
            graphs.edge_item[e0:e1], graphs.edge_level[e0:e1], to_user, to_item, sides[0], sides[1],
        )  # fmt: skip
        for s in range(2):
            first_layer(
                lanes, levels, hops, sides[s], weights.first, weights.root, weights.bias, norm, states[0]
            )
            store(out, (2 * p + s) * (depth + 1), load(lanes, states[0], sides[s].row))
        for k in range(depth):
            for s in range(2):
                side, own = sides[s], (2 * p + s) * (depth + 1) + k + 1
                rows = needed_rows(levels, side, sides[1 - s], depth - k)
                last = k == depth - 1
                target, row = (out, own) if last else (states[k + 1], side.row)
                layer(
                    lanes, levels, rows, side, states[k], weights.coefficients[k], weights.bases[k],
                    weights.biases[k : k + 1], norm, target, row,
                )  # fmt: skip
                if not last:
                    store(out, own, load(lanes, target, row))


@_jit
def backward(
    lanes, low, high, chunks, graphs, runs, weights, transposed, norm, states, out, d_out, grads
):  # fmt: skip
    depth, levels, hops = len(weights.biases), weights.coefficients.shape[1], len(weights.root) // 2 - 1
    for c in range(low, high):
        for p in range(chunks[c], chunks[c + 1]):
            sides = _sides(levels, hops, graphs, runs, p)
            first = sides[0].row
            size = len(sides[0].label) + len(sides[1].label)
            grad = np.zeros((size, len(lanes)), np.float32)
            for k in range(depth - 1, -1, -1):
                d_x = np.zeros_like(grad)
                for s in range(2):
                    side, own = sides[s], (2 * p + s) * (depth + 1) + k + 1
                    rows = needed_rows(levels, side, sides[1 - s], depth - k)
                    last = k == depth - 1
                    value, row = (out, own) if last else (states[k + 1], side.row)
                    slope, slope_row = (d_out, own) if last else (grad, side.row - first)
                    layer_back(
                        lanes, levels, rows, side, states[k], weights.coefficients[k], transposed[k], norm,
                        value, row, slope, slope_row, d_x, side.row - first, side.other_row - first,
                        grads.coefficients[c, k], grads.bases[c, k], grads.biases[c, k],
                    )  # fmt: skip
                grad = d_x
                for s in range(2):
                    at, own = sides[s].row - first, (2 * p + s) * (depth + 1) + k
                    store(grad, at, add(load(lanes, grad, at), load(lanes, d_out, own)))
            for s in range(2):
                if depth == 0:
                    store(grad, sides[s].row - first, load(lanes, d_out, 2 * p + s))
                first_layer_back(
                    lanes, levels, hops, sides[s], norm, states[0], grad, sides[s].row - first,
                    grads.first[c], grads.root[c], grads.bias[c],
                )  # fmt: skip
