"""RGCN layers of one side of one subgraph, forward and backward.

A layer takes the states x of all nodes to the states h of one side's. For a node i, the messages e to it and
the sender s(e) = (r, j) of each, see `igmc.models.fused.messages`:

    m_s = x_j W_r                              each sender's message, once
    z_i = b + x_i W_0 + sum_e c_e m_s(e)
    h_i = tanh(z_i)

With d_y for the gradient of the loss with respect to any y:

    d_z_i = d_h_i (1 - h_i^2)
    d_b   = sum_i d_z_i
    d_W_0 = sum_i x_i' d_z_i                   d_x_i += d_z_i W_0'
    d_m_s = sum of c_e d_z_i over the messages e from s, each to its node i
    d_W_r = sum_s x_j' d_m_s over s = (r, j)   d_x_j += d_m_s W_r' for each s = (r, j)

All float arrays are rows of one width H, see `igmc.simd`; `lanes` carries that width.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner
from igmc.models.fused.messages import NORM_DEGREE, NORM_RELATION
from igmc.models.products import Rows, add_outer, make_pairs, multiply
from igmc.simd import add, fma, load, mul, number, scaled, splat, store, sub, tanh


class LayerWeights(NamedTuple):
    """The weights of a layer but the first."""

    W: NDArray[np.float32]  # [(R + 1) * H, H], W_1 to W_R, then W_0
    transposed: NDArray[np.float32]  # [(R + 1) * H, H], each of these matrices transposed
    b: NDArray[np.float32]  # [1, H]


class LayerGradients(NamedTuple):
    """The gradients of `LayerWeights`, which the kernels add to."""

    W: NDArray[np.float32]  # [(R + 1) * H, H]
    b: NDArray[np.float32]  # [1, H]


class Way(NamedTuple):
    """What a layer takes and gives on the way forth and back, all [nodes, H] of both sides."""

    x: NDArray[np.float32]
    h: NDArray[np.float32]
    d_h: NDArray[np.float32]
    d_x: NDArray[np.float32]  # added to


@inner
def first_layer(lanes, side, W, base, h):
    """The first layer: x is one-hot labels, so counts by (level, label) are all that the products need.

    ``z_i = base_label(i) + sum_{r, l} n_i(r, l) W_r[l]`` with n_i(r, l) the sum of c_e over the messages of
    level r from nodes of label l, `counts`. Labels of the other side are ``2 * distance + other_label``.

    Args:
        side: `Side`.
        W: [R * labels, H].
        base: [labels, H], W_0 with b added to each row.
        h: [nodes, H], receives the states of this side.
    """
    nodes = len(side.label)
    for k in range(nodes):
        store(h, side.row + k, load(lanes, base, side.label[k]))
    own = Rows(h, side.row, 1)
    multiply(lanes, all_nodes(side), _columns(side), Rows(side.counts, 0, 1), _seen(side, W), own, own)
    for k in range(side.row, side.row + nodes):
        store(h, k, tanh(lanes, load(lanes, h, k)))


@inner
def first_layer_back(lanes, side, h, d_h, d_z, d_weights):
    """Adds the gradients of `first_layer`; there is none of x.

    ``d_W_r[l] += sum_i n_i(r, l) d_z_i``; ``d_W_0[l] += sum of d_z_i over the nodes i of label l``;
    ``d_b += sum_i d_z_i``.

    Args:
        d_z: scratch, [n, H].
        d_weights: has `first`, d_W [R * labels, H]; `root`, d_W_0 [labels, H]; `bias`, d_b [1, H].
    """
    nodes, d_W_0 = len(side.label), d_weights.root
    total = load(lanes, d_weights.bias, 0)
    for k in range(nodes):
        dz = before_tanh(lanes, load(lanes, h, side.row + k), load(lanes, d_h, side.row + k))
        store(d_z, k, dz)
        total = add(total, dz)
        store(d_W_0, side.label[k], add(load(lanes, d_W_0, side.label[k]), dz))
    store(d_weights.bias, 0, total)
    counts, d_W = Rows(side.counts, 0, 1), _seen(side, d_weights.first)
    add_outer(lanes, all_nodes(side), _columns(side), counts, Rows(d_z, 0, 1), d_W)


@inner
def _columns(side):
    """Of the counts of a node: levels times distances."""
    return len(side.level_end) * (side.hops + 1)


@inner
def _seen(side, W):
    """Those rows of [R * labels, H] that belong to labels of the other side, every other one."""
    return Rows(W, side.other_label, 2)


@inner
def before_tanh(lanes, h, d_h):
    """``d_z = d_h (1 - h^2)`` where ``h = tanh(z)``, one row."""
    return mul(d_h, sub(splat(lanes, 1.0), mul(h, h)))


@inner
def all_nodes(side):
    """A pair (i, i) for every node i of a side."""
    return make_pairs(side.all_rows, side.all_rows, 0, len(side.label))


@inner
def needed_nodes(side):
    """A pair (i, i) for every node i whose state the last layer needs."""
    return make_pairs(side.needed, side.needed, 0, side.needed_count[0])


@inner
def layer(lanes, side, nodes, weights, x, m, h):
    """A layer between the first and the last, see the module's formulas.

    Args:
        side, weights: `Side`, `LayerWeights`.
        nodes: what to compute: `all_nodes` or `needed_nodes`.
        x: [nodes, H], the states of both sides before.
        m: scratch for the messages, [S, H].
        h: [nodes, H], receives the states of `nodes`.
    """
    H, levels = len(lanes), len(side.level_end)
    nothing = Rows(np.zeros((1, H), np.float32), 0, 0)
    low = 0
    for r in range(levels):
        high = side.level_end[r]
        senders = make_pairs(side.node, side.all_rows, low, high)
        W_r = Rows(weights.W, r * H, 1)
        multiply(lanes, senders, H, Rows(x, side.other_row, 1), W_r, nothing, Rows(m, 0, 1))
        low = high
    W_0, b = Rows(weights.W, levels * H, 1), Rows(weights.b, 0, 0)
    multiply(lanes, nodes, H, Rows(x, side.row, 1), W_0, b, Rows(h, side.row, 1))
    for t in range(nodes.high):
        i = nodes.source[t]
        start, stop = side.end[i - 1] if i > 0 else 0, side.end[i]
        z = load(lanes, h, side.row + i)
        if side.norm == NORM_RELATION:
            for e in range(start, stop):
                z = fma(side.c[e], load(lanes, m, side.sender[e]), z)
        elif side.norm == NORM_DEGREE:
            total = splat(lanes, 0.0)
            for e in range(start, stop):
                total = add(total, load(lanes, m, side.sender[e]))
            z = fma(np.float32(1.0) / np.float32(max(1, stop - start)), total, z)
        else:
            for e in range(start, stop):
                z = add(z, load(lanes, m, side.sender[e]))
        store(h, side.row + i, tanh(lanes, z))


@inner
def layer_back(lanes, side, nodes, weights, way, scratch, d_weights):
    """Adds the gradients of `layer` to `way.d_x` and `d_weights`, see the module's formulas.

    Args:
        side, weights, way, d_weights: `Side`, `LayerWeights`, `Way`, `LayerGradients`.
        nodes: as for `layer`.
        scratch: `Scratch`; its `m` and `d_z` are written over.
    """
    H, levels, d_m, d_z = len(lanes), len(side.level_end), scratch.m, scratch.d_z
    _messages_back(lanes, side, nodes, way, d_m, d_z, d_weights.b)
    x, d_x, low = Rows(way.x, side.other_row, 1), Rows(way.d_x, side.other_row, 1), 0
    for r in range(levels):
        high = side.level_end[r]
        W_r, d_W_r = Rows(weights.transposed, r * H, 1), Rows(d_weights.W, r * H, 1)
        multiply(lanes, make_pairs(side.all_rows, side.node, low, high), H, Rows(d_m, 0, 1), W_r, d_x, d_x)
        add_outer(lanes, make_pairs(side.node, side.all_rows, low, high), H, x, Rows(d_m, 0, 1), d_W_r)
        low = high
    x, d_x = Rows(way.x, side.row, 1), Rows(way.d_x, side.row, 1)
    W_0, d_W_0 = Rows(weights.transposed, levels * H, 1), Rows(d_weights.W, levels * H, 1)
    multiply(lanes, nodes, H, Rows(d_z, 0, 1), W_0, d_x, d_x)
    add_outer(lanes, nodes, H, x, Rows(d_z, 0, 1), d_W_0)


@inner
def _messages_back(lanes, side, nodes, way, d_m, d_z, d_b):
    """``d_z_i`` of the nodes, ``d_m_s`` of all senders, and ``d_b += sum_i d_z_i``."""
    nothing, total = splat(lanes, 0.0), load(lanes, d_b, 0)
    for s in range(side.level_end[len(side.level_end) - 1]):
        store(d_m, s, nothing)
    for t in range(nodes.high):
        i = nodes.source[t]
        start, stop = side.end[i - 1] if i > 0 else 0, side.end[i]
        dz = before_tanh(lanes, load(lanes, way.h, side.row + i), load(lanes, way.d_h, side.row + i))
        store(d_z, i, dz)
        total = add(total, dz)
        if side.norm == NORM_RELATION:
            for e in range(start, stop):
                s = side.sender[e]
                store(d_m, s, fma(side.c[e], dz, load(lanes, d_m, s)))
        else:
            if side.norm == NORM_DEGREE:
                dz = scaled(np.float32(1.0) / np.float32(max(1, stop - start)), dz)
            for e in range(start, stop):
                s = side.sender[e]
                store(d_m, s, add(dz, load(lanes, d_m, s)))
    store(d_b, 0, total)


@inner
def last_layer(lanes, side, weights, x, sums):
    """The last layer, at the target alone: h of node 0, one row.

    Here sums come first, and a product for each level after them: ``z = b + x_0 W_0 + sum_r sums_r W_r`` with
    ``sums_r = sum of c_e x_j over the messages e of level r``.

    Args:
        side, weights: `Side`, `LayerWeights`.
        x: [nodes, H].
        sums: scratch, [R + 1, H]; receives the sums, and then x_0.
    """
    _sum_neighbours(lanes, side, x, sums)
    z = load(lanes, weights.b, 0)
    for i in range(len(weights.W)):
        z = fma(number(sums, i), load(lanes, weights.W, i), z)
    return tanh(lanes, z)


@inner
def last_layer_back(lanes, side, weights, x, d_z, d_x, scratch, d_weights):
    """Adds the gradients of `last_layer` to `d_x` and `d_weights`.

    ``d_W_r = sums_r' d_z``; ``d_b = d_z``; ``d_sums_r = d_z W_r'``; ``d_x_j += c_e d_sums_r`` for each
    message e; and the same with x_0 and W_0.

    Args:
        d_z: one row.
        d_x: [nodes, H].
        scratch: `Scratch`; its `sums` and `d_sums` are written over.
        d_weights: `LayerGradients`.
    """
    H, levels, sums, d_sums = len(lanes), len(side.level_end), scratch.sums, scratch.d_sums
    _sum_neighbours(lanes, side, x, sums)
    store(d_weights.b, 0, add(load(lanes, d_weights.b, 0), d_z))
    for i in range((levels + 1) * H):
        store(d_weights.W, i, fma(number(sums, i), d_z, load(lanes, d_weights.W, i)))
    store(sums, 0, d_z)  # so that its numbers can be read one by one
    for r in range(levels + 1):
        d = splat(lanes, 0.0)
        for i in range(H):
            d = fma(number(sums, i), load(lanes, weights.transposed, r * H + i), d)
        store(d_sums, r, d)
    store(d_x, side.row, add(load(lanes, d_x, side.row), load(lanes, d_sums, levels)))
    for e in range(side.end[0]):
        s = side.sender[e]
        j = side.other_row + side.node[s]
        d = load(lanes, d_sums, side.level[s])
        store(d_x, j, fma(_target_norm(side, e), d, load(lanes, d_x, j)))


@inner
def _sum_neighbours(lanes, side, x, sums):
    """``sums_r`` of `last_layer`, and x_0 after them."""
    levels, nothing = len(side.level_end), splat(lanes, 0.0)
    for r in range(levels):
        store(sums, r, nothing)
    store(sums, levels, load(lanes, x, side.row))
    for e in range(side.end[0]):
        s = side.sender[e]
        r, j = side.level[s], side.other_row + side.node[s]
        store(sums, r, fma(_target_norm(side, e), load(lanes, x, j), load(lanes, sums, r)))


@inner
def _target_norm(side, e):
    """``c_e`` of a message to the target."""
    if side.norm == NORM_RELATION:
        return side.c[e]
    return np.float32(1.0) / np.float32(side.end[0]) if side.norm == NORM_DEGREE else np.float32(1.0)
