"""The whole stack over many subgraphs, one after the other: states stay in the cache of the core.

Outputs are one row a pair, target and layer: row (2 p + s) L + k of `out` [P * 2 * L, H] is the state of the
target user (s = 0) or item (s = 1) of subgraph p after layer k + 1, of L.
"""

from __future__ import annotations

from igmc.compiled import inner, kernel
from igmc.models.fused.head import apply_head
from igmc.models.fused.layers import (
    LayerGradients,
    LayerWeights,
    Way,
    all_nodes,
    before_tanh,
    first_layer,
    first_layer_back,
    last_layer,
    last_layer_back,
    layer,
    layer_back,
    needed_nodes,
)
from igmc.models.fused.messages import Edges, Side, build, keep_edges
from igmc.models.fused.parameters import Gradients
from igmc.simd import add, load, store, take


@kernel
def forward(lanes, counter, work, scratch, out):
    """Fill `out` with the outputs of all layers at the two targets of the subgraphs of each chunk.

    Threads take the chunks from `counter`, so that one that is held up leaves more to the others.

    Args:
        lanes: a tuple of H zeros.
        counter: int64 [1], the next chunk.
        work: `Work`.
        scratch: `Scratch`, this thread's own.
        out: float32 [P * 2 * L, H].
    """
    c = take(counter)
    while c < len(work.chunks) - 1:
        for p in range(work.chunks[c], work.chunks[c + 1]):
            _states(lanes, p, work, scratch, out)
        c = take(counter)


@kernel
def backward(lanes, counter, work, head, scratch, out, d_out, d_weights):
    """Gradients of the chunks of subgraphs, taken as by `forward`, each chunk's sum in its own place.

    Computes the states again rather than keep those of all subgraphs, which no cache could hold.

    Args:
        lanes, counter, work, scratch, out: as for `forward`.
        head: `Head`, which fills `d_out` unless it is `NO_HEAD`.
        d_out: float32 [P * 2 * L, H], the gradient of `out`.
        d_weights: `Gradients` of all chunks.
    """
    c = take(counter)
    while c < len(work.chunks) - 1:
        d_chunk = Gradients(
            d_weights.first[c],
            d_weights.root[c],
            d_weights.bias[c],
            d_weights.stacked[c],
            d_weights.biases[c],
        )
        _clear(d_chunk)
        for p in range(work.chunks[c], work.chunks[c + 1]):
            sides = _states(lanes, p, work, scratch, out)
            if len(head.rating) > 0:
                apply_head(lanes, p, head, work.dropout.key, out, d_out)
            _states_back(lanes, p, work, sides, scratch, out, d_out, d_chunk)
        c = take(counter)


@inner
def _clear(d_weights):
    d_weights.first[:] = 0
    d_weights.root[:] = 0
    d_weights.bias[:] = 0
    d_weights.stacked[:] = 0
    d_weights.biases[:] = 0


@inner
def _states(lanes, p, work, scratch, out):
    """All layers of subgraph p: fills its rows of `out`, and `scratch.states`; returns its sides."""
    weights, states = work.weights, scratch.states
    sides, depth = _sides(p, work, scratch), len(weights.biases)
    build(_edges(p, work), sides[0], sides[1])
    for s in range(2):
        side = sides[s]
        first_layer(lanes, side, weights.first, weights.base, states[0])
        store(out, _output(p, s, 0, depth), load(lanes, states[0], side.row))
    for k in range(depth):
        layer_weights = _layer_weights(weights, k)
        for s in range(2):
            side = sides[s]
            if k == depth - 1:
                h = last_layer(lanes, side, layer_weights, states[k], scratch.sums)
            else:
                nodes = all_nodes(side) if k < depth - 2 else needed_nodes(side)
                layer(lanes, side, nodes, layer_weights, states[k], scratch.m, states[k + 1])
                h = load(lanes, states[k + 1], side.row)
            store(out, _output(p, s, k + 1, depth), h)
    return sides


@inner
def _states_back(lanes, p, work, sides, scratch, out, d_out, d_weights):
    """Add the gradients of subgraph p to those of its chunk, after `_states`."""
    weights, states, depth = work.weights, scratch.states, len(work.weights.biases)
    size = len(sides[0].label) + len(sides[1].label)
    d_h, d_x = scratch.d_states[0][:size], scratch.d_states[1][:size]
    d_h[:] = 0
    for k in range(depth - 1, -1, -1):
        d_x[:] = 0
        layer_weights = _layer_weights(weights, k)
        d_layer = LayerGradients(d_weights.stacked[k], d_weights.biases[k])
        for s in range(2):
            side = sides[s]
            if k == depth - 1:
                own = _output(p, s, k + 1, depth)
                d_z = before_tanh(lanes, load(lanes, out, own), load(lanes, d_out, own))
                last_layer_back(lanes, side, layer_weights, states[k], d_z, d_x, scratch, d_layer)
            else:
                nodes = all_nodes(side) if k < depth - 2 else needed_nodes(side)
                way = Way(states[k], states[k + 1], d_h, d_x)
                layer_back(lanes, side, nodes, layer_weights, way, scratch, d_layer)
        d_h, d_x = d_x, d_h
        _add_targets(lanes, p, sides, k, depth, d_out, d_h)
    if depth == 0:
        _add_targets(lanes, p, sides, 0, depth, d_out, d_h)
    for s in range(2):
        first_layer_back(lanes, sides[s], states[0], d_h, scratch.d_z, d_weights)


@inner
def _add_targets(lanes, p, sides, k, depth, d_out, d_h):
    """Add the gradients of what is read off layer k + 1 at the two targets."""
    for s in range(2):
        target = sides[s].row
        d = load(lanes, d_out, _output(p, s, k, depth))
        store(d_h, target, add(load(lanes, d_h, target), d))


@inner
def _output(p, s, k, depth):
    """The row of `out` that target s of subgraph p has after layer k + 1."""
    return (2 * p + s) * (depth + 1) + k


@inner
def _layer_weights(weights, k):
    """The weights of layer k + 2."""
    return LayerWeights(weights.stacked[k], weights.transposed[k], weights.biases[k : k + 1])


@inner
def _edges(p, work):
    """The ratings of subgraph p, and which of their messages are kept."""
    graphs = work.graphs
    first, last = graphs.edge_ptr[p], graphs.edge_ptr[p + 1]
    to_user, to_item = keep_edges(first, last - first, work.dropout)
    degree = graphs.degree[graphs.user_ptr[p] : graphs.user_ptr[p + 1]]
    return Edges(degree, graphs.edge_item[first:last], graphs.edge_level[first:last], to_user, to_item)


@inner
def _sides(p, work, scratch):
    """The user side and the item side of subgraph p; its states are those of its users, then of its items."""
    graphs = work.graphs
    u0, u1, i0, i1 = graphs.user_ptr[p], graphs.user_ptr[p + 1], graphs.item_ptr[p], graphs.item_ptr[p + 1]
    edges, users = graphs.edge_ptr[p + 1] - graphs.edge_ptr[p], u1 - u0
    return (
        _side(graphs.user_label[u0:u1], edges, 0, users, 1, work, scratch.to_users, scratch.all_rows),
        _side(graphs.item_label[i0:i1], edges, users, 0, 0, work, scratch.to_items, scratch.all_rows),
    )


@inner
def _side(label, edges, row, other_row, other_label, work, room, all_rows):
    """One side, in as much of the room as it needs."""
    nodes, labels = len(label), len(work.weights.base)
    hops = labels // 2 - 1
    columns = len(room.level_end) * (hops + 1)
    return Side(
        room.end[:nodes],
        room.sender[: edges + 1],
        room.c[:edges],
        room.counts[: nodes * columns],
        room.node,
        room.level,
        room.level_end,
        room.needed[:nodes],
        room.needed_count,
        label,
        all_rows,
        row,
        other_row,
        other_label,
        hops,
        work.norm,
    )
