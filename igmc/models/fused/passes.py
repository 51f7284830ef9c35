"""The whole stack over many subgraphs, one after the other: states stay in the cache of the core."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from igmc.models.fused.layers import (
    first_layer,
    first_layer_back,
    last_layer,
    last_layer_back,
    layer,
    layer_back,
)
from igmc.models.fused.runs import Side, build, keep_edges
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


class Messages(NamedTuple):
    """The kept messages of a batch to one side; each field as in `Side`, subgraph after subgraph."""

    end: NDArray[np.int32]  # [N]
    near: NDArray[np.int32]  # [E]
    weight: NDArray[np.float32]  # [E]
    count: NDArray[np.float32]  # [N * R * (hops + 1)]
    node: NDArray[np.int32]  # [E], as there are at most as many senders as messages
    level: NDArray[np.uint8]  # [E]
    level_end: NDArray[np.int32]  # [P * R]
    rows: NDArray[np.int32]  # [N]
    used: NDArray[np.int32]  # [E]
    used_node: NDArray[np.int32]  # [E]
    used_end: NDArray[np.int32]  # [P * R]
    row_count: NDArray[np.int32]  # [P]


class Weights(NamedTuple):
    """Parameters of all layers as arrays."""

    first: NDArray[np.float32]  # [R * labels, H]
    root: NDArray[np.float32]  # [labels, H]
    bias: NDArray[np.float32]  # [1, H]
    stacked: NDArray[np.float32]  # [L - 1, (R + 1) * H, H], relations and root
    biases: NDArray[np.float32]  # [L - 1, H]


class Scratch(NamedTuple):
    """What one thread writes over again for each subgraph: rows for its largest."""

    sent: NDArray[np.float32]  # [S, H]
    slope: NDArray[np.float32]  # [n, H]
    grad: NDArray[np.float32]  # [2, users + items, H]
    sums: NDArray[np.float32]  # [2, R + 1, H]


@_jit
def _side(levels, hops, p, ptr, other_ptr, edge_ptr, label, messages, is_user):
    n0, n1, o0, o1, e0, e1 = ptr[p], ptr[p + 1], other_ptr[p], other_ptr[p + 1], edge_ptr[p], edge_ptr[p + 1]
    columns = levels * (hops + 1)
    return Side(
        messages.end[n0:n1],
        messages.near[e0:e1],
        messages.weight[e0:e1],
        messages.count[n0 * columns : n1 * columns],
        label[n0:n1],
        messages.node[e0:e1],
        messages.level[e0:e1],
        messages.level_end[p * levels : (p + 1) * levels],
        messages.rows[n0:n1],
        messages.used[e0:e1],
        messages.used_node[e0:e1],
        messages.used_end[p * levels : (p + 1) * levels],
        messages.row_count[p : p + 1],
        n0 + (o0 if is_user else o1),  # a subgraph's states are those of its users, then of its items
        o0 + (n1 if is_user else n0),
        1 if is_user else 0,
    )


@_jit
def _sides(levels, hops, graphs, to_users, to_items, p):
    """The user side and the item side of subgraph p."""
    users, items, edges = graphs.user_ptr, graphs.item_ptr, graphs.edge_ptr
    return (
        _side(levels, hops, p, users, items, edges, graphs.user_label, to_users, True),
        _side(levels, hops, p, items, users, edges, graphs.item_label, to_items, False),
    )


@_jit
def _sizes(weights):
    """Further layers, levels, hops."""
    labels = len(weights.root)
    return len(weights.biases), len(weights.first) // labels, labels // 2 - 1


@_jit
def forward(
    lanes, low, high, graphs, to_users, to_items, weights, base, norm, limit, both, key,
    all_rows, scratch, states, out,
):  # fmt: skip
    depth, levels, hops = _sizes(weights)
    for p in range(low, high):
        sides = _sides(levels, hops, graphs, to_users, to_items, p)
        e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
        to_user, to_item = keep_edges(e1 - e0, e0, key, limit, both)
        build(
            levels, hops, norm, graphs.degree[graphs.user_ptr[p] : graphs.user_ptr[p + 1]],
            graphs.edge_item[e0:e1], graphs.edge_level[e0:e1], to_user, to_item, sides[0], sides[1],
        )  # fmt: skip
        for s in range(2):
            side, own = sides[s], (2 * p + s) * (depth + 1)
            first_layer(lanes, levels * (hops + 1), all_rows, side, weights.first, base, states[0])
            store(out, own, load(lanes, states[0], side.row))
        for k in range(depth):
            for s in range(2):
                side, own = sides[s], (2 * p + s) * (depth + 1) + k + 1
                weight, bias = weights.stacked[k], weights.biases[k : k + 1]
                if k == depth - 1:
                    last_layer(lanes, norm, side, states[k], weight, bias, scratch.sums[0], out, own)
                else:
                    layer(
                        lanes, norm, k < depth - 2, all_rows, side, states[k], weight, bias, scratch.sent,
                        states[k + 1],
                    )  # fmt: skip
                    store(out, own, load(lanes, states[k + 1], side.row))


@_jit
def backward(
    lanes, low, high, chunks, graphs, to_users, to_items, weights, transposed, norm,
    all_rows, scratch, states, out, d_out, grads,
):  # fmt: skip
    depth, levels, hops = _sizes(weights)
    for c in range(low, high):
        for p in range(chunks[c], chunks[c + 1]):
            sides = _sides(levels, hops, graphs, to_users, to_items, p)
            first = graphs.user_ptr[p] + graphs.item_ptr[p]
            size = len(sides[0].label) + len(sides[1].label)
            grad, d_x = scratch.grad[0][:size], scratch.grad[1][:size]
            grad[:] = 0
            for k in range(depth - 1, -1, -1):
                d_x[:] = 0
                for s in range(2):
                    side, own = sides[s], (2 * p + s) * (depth + 1) + k + 1
                    d_row, d_other_row = side.row - first, side.other_row - first
                    d_weight, d_bias = grads.stacked[c, k], grads.biases[c, k]
                    if k == depth - 1:
                        last_layer_back(
                            lanes, norm, side, states[k], weights.stacked[k], transposed[k],
                            weights.biases[k : k + 1], scratch.sums[0], scratch.sums[1], out, d_out, own,
                            d_x, d_row, d_other_row, d_weight, d_bias,
                        )  # fmt: skip
                    else:
                        layer_back(
                            lanes, norm, k < depth - 2, all_rows, side, states[k], transposed[k],
                            states[k + 1], grad, d_row, d_x, d_row, d_other_row,
                            scratch.sent, scratch.slope, d_weight, d_bias,
                        )  # fmt: skip
                grad, d_x = d_x, grad
                _add_targets(lanes, sides, first, p, depth, k, d_out, grad)
            if depth == 0:
                _add_targets(lanes, sides, first, p, depth, 0, d_out, grad)
            for s in range(2):
                first_layer_back(
                    lanes, levels * (hops + 1), all_rows, sides[s], states[0], grad, sides[s].row - first,
                    scratch.slope, grads.first[c], grads.root[c], grads.bias[c],
                )  # fmt: skip


@_jit
def _add_targets(lanes, sides, first, p, depth, k, d_out, grad):
    """Add the gradients of what is read off layer k at the two targets."""
    for s in range(2):
        at, own = sides[s].row - first, (2 * p + s) * (depth + 1) + k
        store(grad, at, add(load(lanes, grad, at), load(lanes, d_out, own)))
