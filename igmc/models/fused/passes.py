"""The whole stack over many subgraphs, one after the other: states stay in the cache of the core."""

from __future__ import annotations

from igmc.compiled import inner, kernel
from igmc.models.fused.head import apply_head
from igmc.models.fused.layers import (
    first_layer,
    first_layer_back,
    last_layer,
    last_layer_back,
    layer,
    layer_back,
)
from igmc.models.fused.runs import Side, build, keep_edges
from igmc.models.fused.simd import add, load, store, take


@inner
def _side(levels, hops, edges, label, room, row, other_row, other_label):
    nodes = len(label)
    return Side(
        room.end[:nodes],
        room.near[: edges + 1],
        room.weight[:edges],
        room.counts[: nodes * levels * (hops + 1)],
        room.node,
        room.level,
        room.level_end,
        room.rows[:nodes],
        room.row_count,
        label,
        row,
        other_row,
        other_label,
    )


@inner
def _sides(levels, hops, graphs, scratch, p):
    """The user side and the item side of subgraph p; its states are those of its users, then of its items."""
    u0, u1, i0, i1 = graphs.user_ptr[p], graphs.user_ptr[p + 1], graphs.item_ptr[p], graphs.item_ptr[p + 1]
    edges = graphs.edge_ptr[p + 1] - graphs.edge_ptr[p]
    return (
        _side(levels, hops, edges, graphs.user_label[u0:u1], scratch.to_users, 0, u1 - u0, 1),
        _side(levels, hops, edges, graphs.item_label[i0:i1], scratch.to_items, u1 - u0, 0, 0),
    )


@inner
def _sizes(weights):
    """Further layers, levels, hops."""
    labels = len(weights.base)
    return len(weights.biases), len(weights.first) // labels, labels // 2 - 1


@kernel
def forward(lanes, counter, chunks, graphs, weights, norm, limit, both, key, scratch, out):
    """The outputs of all layers at the two targets of the subgraphs of each chunk, to `out` [P * 2 * L, H].

    Threads take the chunks from `counter`, so that one that is held up leaves more to the others.
    """
    c = take(counter)
    while c < len(chunks) - 1:
        for p in range(chunks[c], chunks[c + 1]):
            _states(lanes, p, graphs, weights, norm, limit, both, key, scratch, out)
        c = take(counter)


@kernel
def backward(
    lanes, counter, chunks, graphs, weights, norm, limit, both, key, head,
    scratch, out, d_out, grads,
):  # fmt: skip
    """Gradients of the chunks of subgraphs, taken as by `forward`, each chunk's sum in its place of `grads`.

    Computes the states again rather than keep those of all subgraphs, which no cache could hold.
    """
    c = take(counter)
    while c < len(chunks) - 1:
        grads.first[c] = 0
        grads.root[c] = 0
        grads.bias[c] = 0
        grads.stacked[c] = 0
        grads.biases[c] = 0
        for p in range(chunks[c], chunks[c + 1]):
            sides = _states(lanes, p, graphs, weights, norm, limit, both, key, scratch, out)
            if len(head.rating) > 0:
                apply_head(lanes, p, head, key, out, d_out)
            _states_back(lanes, p, c, sides, weights, norm, scratch, out, d_out, grads)
        c = take(counter)


@inner
def _states(lanes, p, graphs, weights, norm, limit, both, key, scratch, out):
    """All layers of subgraph p; returns its sides."""
    depth, levels, hops = _sizes(weights)
    sides, states, all_rows = _sides(levels, hops, graphs, scratch, p), scratch.states, scratch.all_rows
    e0, e1 = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
    to_user, to_item = keep_edges(e1 - e0, e0, key, limit, both)
    build(
        levels, hops, norm, graphs.degree[graphs.user_ptr[p] : graphs.user_ptr[p + 1]],
        graphs.edge_item[e0:e1], graphs.edge_level[e0:e1], to_user, to_item, sides[0], sides[1],
    )  # fmt: skip
    for s in range(2):
        side, own = sides[s], (2 * p + s) * (depth + 1)
        first_layer(lanes, levels * (hops + 1), all_rows, side, weights.first, weights.base, states[0])
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
    return sides


@inner
def _states_back(lanes, p, c, sides, weights, norm, scratch, out, d_out, grads):
    depth, levels, hops = _sizes(weights)
    size = len(sides[0].label) + len(sides[1].label)
    states, all_rows = scratch.states, scratch.all_rows
    grad, d_x = scratch.grad[0][:size], scratch.grad[1][:size]
    grad[:] = 0
    for k in range(depth - 1, -1, -1):
        d_x[:] = 0
        for s in range(2):
            side, own = sides[s], (2 * p + s) * (depth + 1) + k + 1
            d_weight, d_bias = grads.stacked[c, k], grads.biases[c, k]
            if k == depth - 1:
                last_layer_back(
                    lanes, norm, side, states[k], weights.stacked[k], weights.transposed[k],
                    weights.biases[k : k + 1], scratch.sums[0], scratch.sums[1], out, d_out, own,
                    d_x, d_weight, d_bias,
                )  # fmt: skip
            else:
                layer_back(
                    lanes, norm, k < depth - 2, all_rows, side, states[k], weights.transposed[k],
                    states[k + 1], grad, d_x, scratch.sent, scratch.slope, d_weight, d_bias,
                )  # fmt: skip
        grad, d_x = d_x, grad
        _add_targets(lanes, sides, p, depth, k, d_out, grad)
    if depth == 0:
        _add_targets(lanes, sides, p, depth, 0, d_out, grad)
    for s in range(2):
        first_layer_back(
            lanes, levels * (hops + 1), all_rows, sides[s], states[0], grad, scratch.slope,
            grads.first[c], grads.root[c], grads.bias[c],
        )  # fmt: skip


@inner
def _add_targets(lanes, sides, p, depth, k, d_out, grad):
    """Add the gradients of what is read off layer k at the two targets."""
    for s in range(2):
        at, own = sides[s].row, (2 * p + s) * (depth + 1) + k
        store(grad, at, add(load(lanes, grad, at), load(lanes, d_out, own)))
