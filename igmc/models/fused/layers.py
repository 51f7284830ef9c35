"""RGCN layers of one side of one subgraph, forward and backward.

All float arrays are rows of one width H, see `igmc.models.fused.simd`; `like` carries that width. The
weights of a layer are stacked, [(R + 1) * H, H]: those of the relations, then that of the node itself.
"""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner
from igmc.models.fused.runs import NORM_DEGREE, NORM_RELATION
from igmc.models.fused.simd import add, fma, load, mul, number, scaled, splat, store, sub, tanh

TILE = 8  # rows whose products share each load of the weights: 8 accumulators of 32 floats fill the FMA units


@inner
def multiply(
    like, source, target, low, high, x, x_row, inner, weight, weight_row, weight_step,
    init, init_row, init_step, out, out_row,
):  # fmt: skip
    """Rows times a matrix: out[out_row + t] = init[...] + x[x_row + s] @ weight.

    Here (s, t) runs over the entries low..high-1 of `source` and `target`. `x` has `inner` columns; row i of
    the matrix is row weight_row + weight_step * i of `weight`. Each target starts from row
    init_row + init_step * t of `init`, which may be `out` itself. The last tile repeats its last row, which
    does no harm: a tile reads all rows before it writes any.
    """
    for k in range(low, high, TILE):
        last = high - 1
        k1, k2, k3, k4 = min(k + 1, last), min(k + 2, last), min(k + 3, last), min(k + 4, last)
        k5, k6, k7 = min(k + 5, last), min(k + 6, last), min(k + 7, last)
        s0, s1 = (x_row + source[k]) * inner, (x_row + source[k1]) * inner
        s2, s3 = (x_row + source[k2]) * inner, (x_row + source[k3]) * inner
        s4, s5 = (x_row + source[k4]) * inner, (x_row + source[k5]) * inner
        s6, s7 = (x_row + source[k6]) * inner, (x_row + source[k7]) * inner
        z0 = load(like, init, init_row + init_step * target[k])
        z1 = load(like, init, init_row + init_step * target[k1])
        z2 = load(like, init, init_row + init_step * target[k2])
        z3 = load(like, init, init_row + init_step * target[k3])
        z4 = load(like, init, init_row + init_step * target[k4])
        z5 = load(like, init, init_row + init_step * target[k5])
        z6 = load(like, init, init_row + init_step * target[k6])
        z7 = load(like, init, init_row + init_step * target[k7])
        for i in range(inner):
            w = load(like, weight, weight_row + weight_step * i)
            z0, z1 = fma(number(x, s0 + i), w, z0), fma(number(x, s1 + i), w, z1)
            z2, z3 = fma(number(x, s2 + i), w, z2), fma(number(x, s3 + i), w, z3)
            z4, z5 = fma(number(x, s4 + i), w, z4), fma(number(x, s5 + i), w, z5)
            z6, z7 = fma(number(x, s6 + i), w, z6), fma(number(x, s7 + i), w, z7)
        store(out, out_row + target[k], z0)
        store(out, out_row + target[k1], z1)
        store(out, out_row + target[k2], z2)
        store(out, out_row + target[k3], z3)
        store(out, out_row + target[k4], z4)
        store(out, out_row + target[k5], z5)
        store(out, out_row + target[k6], z6)
        store(out, out_row + target[k7], z7)


@inner
def outer(like, source, target, low, high, x, x_row, inner, slope, d_weight, weight_row, weight_step):
    """The matrix gradient of `multiply`: adds the sum of x[x_row + s]^T slope[t] to `d_weight`."""
    if low == high:
        return
    last = inner - 1
    for i in range(0, inner, TILE):
        i1, i2, i3, i4 = min(i + 1, last), min(i + 2, last), min(i + 3, last), min(i + 4, last)
        i5, i6, i7 = min(i + 5, last), min(i + 6, last), min(i + 7, last)
        d0 = load(like, d_weight, weight_row + weight_step * i)
        d1 = load(like, d_weight, weight_row + weight_step * i1)
        d2 = load(like, d_weight, weight_row + weight_step * i2)
        d3 = load(like, d_weight, weight_row + weight_step * i3)
        d4 = load(like, d_weight, weight_row + weight_step * i4)
        d5 = load(like, d_weight, weight_row + weight_step * i5)
        d6 = load(like, d_weight, weight_row + weight_step * i6)
        d7 = load(like, d_weight, weight_row + weight_step * i7)
        for k in range(low, high):
            s, dz = (x_row + source[k]) * inner, load(like, slope, target[k])
            d0, d1 = fma(number(x, s + i), dz, d0), fma(number(x, s + i1), dz, d1)
            d2, d3 = fma(number(x, s + i2), dz, d2), fma(number(x, s + i3), dz, d3)
            d4, d5 = fma(number(x, s + i4), dz, d4), fma(number(x, s + i5), dz, d5)
            d6, d7 = fma(number(x, s + i6), dz, d6), fma(number(x, s + i7), dz, d7)
        store(d_weight, weight_row + weight_step * i, d0)
        store(d_weight, weight_row + weight_step * i1, d1)
        store(d_weight, weight_row + weight_step * i2, d2)
        store(d_weight, weight_row + weight_step * i3, d3)
        store(d_weight, weight_row + weight_step * i4, d4)
        store(d_weight, weight_row + weight_step * i5, d5)
        store(d_weight, weight_row + weight_step * i6, d6)
        store(d_weight, weight_row + weight_step * i7, d7)


@inner
def first_layer(like, columns, all_rows, side, weight, base, out):
    """Layer 1 of one side: its inputs are one-hot labels, so counts by (level, label) are all it needs.

    `base` is the root weight with the bias added to each row.
    """
    nodes = len(side.label)
    for k in range(nodes):
        store(out, side.row + k, load(like, base, side.label[k]))
    multiply(
        like, all_rows, all_rows, 0, nodes, side.counts, 0, columns, weight, side.other_label, 2,
        out, side.row, 1, out, side.row,
    )  # fmt: skip
    for k in range(side.row, side.row + nodes):
        store(out, k, tanh(like, load(like, out, k)))


@inner
def first_layer_back(
    like, columns, all_rows, side, out, grad, slope, d_weight, d_root, d_bias
):  # fmt: skip
    """Gradients of `first_layer`; `grad` is that of its outputs."""
    total = load(like, d_bias, 0)
    for k in range(len(side.label)):
        dz = _slope(like, out, side.row + k, grad, side.row + k)
        store(slope, k, dz)
        total = add(total, dz)
        store(d_root, side.label[k], add(load(like, d_root, side.label[k]), dz))
    store(d_bias, 0, total)
    outer(
        like, all_rows, all_rows, 0, len(side.label), side.counts, 0, columns, slope,
        d_weight, side.other_label, 2,
    )  # fmt: skip


@inner
def _slope(like, out, out_row, grad, grad_row):
    """The gradient before the tanh whose outputs are `out`."""
    h = load(like, out, out_row)
    return mul(load(like, grad, grad_row), sub(splat(like, 1.0), mul(h, h)))


@inner
def layer(like, norm, full, all_rows, side, x, weight, bias, sent, out):
    """A further layer at one side: each sender's message once, then sums of messages.

    Args:
        full: compute all nodes, else those that the last layer needs.
        all_rows: int32, 0, 1, 2 ...
        sent: scratch for the messages, [S, H].
    """
    width, levels = len(like), len(side.level_end)
    rows, count = _receivers(full, all_rows, side)
    zero = np.zeros((1, width), np.float32)
    low = 0
    for r in range(levels):
        high = side.level_end[r]
        multiply(
            like, side.node, all_rows, low, high, x, side.other_row, width, weight, r * width, 1,
            zero, 0, 0, sent, 0,
        )  # fmt: skip
        low = high
    multiply(
        like, rows, rows, 0, count, x, side.row, width, weight, levels * width, 1, bias, 0, 0, out, side.row
    )
    for t in range(count):
        k = rows[t]
        start, stop = side.end[k - 1] if k > 0 else 0, side.end[k]
        z = load(like, out, side.row + k)
        if norm == NORM_RELATION:
            for e in range(start, stop):
                z = fma(side.weight[e], load(like, sent, side.near[e]), z)
        elif norm == NORM_DEGREE:
            total = splat(like, 0.0)
            for e in range(start, stop):
                total = add(total, load(like, sent, side.near[e]))
            z = fma(np.float32(1.0) / np.float32(max(1, stop - start)), total, z)
        else:
            for e in range(start, stop):
                z = add(z, load(like, sent, side.near[e]))
        store(out, side.row + k, tanh(like, z))


@inner
def _receivers(full, all_rows, side):
    """The nodes that a layer computes, and their number."""
    return (all_rows, len(side.label)) if full else (side.rows, side.row_count[0])


@inner
def layer_back(
    like, norm, full, all_rows, side, x, transposed, out, grad, d_x, d_sent, slope, d_weight, d_bias
):  # fmt: skip
    """Gradients of `layer`: adds to `d_x` (inputs), `d_weight` and `d_bias`.

    `transposed` stacks the transposes of the weights; `d_sent` [S, H] and `slope` [n, H] are scratch.
    """
    width, levels = len(like), len(side.level_end)
    rows, count = _receivers(full, all_rows, side)
    nothing, total = splat(like, 0.0), load(like, d_bias, 0)
    for s in range(side.level_end[levels - 1]):
        store(d_sent, s, nothing)
    for t in range(count):
        k = rows[t]
        start, stop = side.end[k - 1] if k > 0 else 0, side.end[k]
        dz = _slope(like, out, side.row + k, grad, side.row + k)
        store(slope, k, dz)
        total = add(total, dz)
        if norm == NORM_RELATION:
            for e in range(start, stop):
                at = side.near[e]
                store(d_sent, at, fma(side.weight[e], dz, load(like, d_sent, at)))
        else:
            if norm == NORM_DEGREE:
                dz = scaled(np.float32(1.0) / np.float32(max(1, stop - start)), dz)
            for e in range(start, stop):
                at = side.near[e]
                store(d_sent, at, add(dz, load(like, d_sent, at)))
    store(d_bias, 0, total)
    low = 0
    for r in range(levels):
        high = side.level_end[r]
        multiply(
            like, all_rows, side.node, low, high, d_sent, 0, width, transposed, r * width, 1,
            d_x, side.other_row, 1, d_x, side.other_row,
        )  # fmt: skip
        outer(like, side.node, all_rows, low, high, x, side.other_row, width, d_sent, d_weight, r * width, 1)
        low = high
    multiply(
        like, rows, rows, 0, count, slope, 0, width, transposed, levels * width, 1,
        d_x, side.row, 1, d_x, side.row,
    )  # fmt: skip
    outer(like, rows, rows, 0, count, x, side.row, width, slope, d_weight, levels * width, 1)


@inner
def last_layer(like, norm, side, x, weight, bias, sums, out, out_row):
    """The last layer, at the target alone: here sums come first, and a product for each level after them.

    `sums` [R + 1, H] receives the sums of the neighbours' states by level, and the target's own state.
    """
    levels = len(side.level_end)
    degree = side.end[0]
    z, nothing = load(like, bias, 0), splat(like, 0.0)
    for r in range(levels):
        store(sums, r, nothing)
    store(sums, levels, load(like, x, side.row))
    for e in range(degree):
        sender = side.near[e]
        at = side.level[sender]
        state = load(like, x, side.other_row + side.node[sender])
        store(sums, at, fma(_norm(norm, side, degree, e), state, load(like, sums, at)))
    for i in range((levels + 1) * len(like)):
        z = fma(number(sums, i), load(like, weight, i), z)
    store(out, out_row, tanh(like, z))


@inner
def _norm(norm, side, degree, e):
    if norm == NORM_RELATION:
        return side.weight[e]
    return np.float32(1.0) / np.float32(degree) if norm == NORM_DEGREE else np.float32(1.0)


@inner
def last_layer_back(
    like, norm, side, x, weight, transposed, bias, sums, d_sums, out, d_out, out_row, d_x, d_weight, d_bias,
):  # fmt: skip
    """Gradients of `last_layer`; `sums` and `d_sums` [R + 1, H] are scratch."""
    width, levels, degree = len(like), len(side.level_end), side.end[0]
    last_layer(like, norm, side, x, weight, bias, sums, d_sums, 0)  # for the sums
    dz = _slope(like, out, out_row, d_out, out_row)
    store(d_bias, 0, add(load(like, d_bias, 0), dz))
    for i in range((levels + 1) * width):
        store(d_weight, i, fma(number(sums, i), dz, load(like, d_weight, i)))
    store(sums, 0, dz)
    for r in range(levels + 1):
        d = splat(like, 0.0)
        for i in range(width):
            d = fma(number(sums, i), load(like, transposed, r * width + i), d)
        store(d_sums, r, d)
    store(d_x, side.row, add(load(like, d_x, side.row), load(like, d_sums, levels)))
    for e in range(degree):
        sender = side.near[e]
        at = side.other_row + side.node[sender]
        d = load(like, d_sums, side.level[sender])
        store(d_x, at, fma(_norm(norm, side, degree, e), d, load(like, d_x, at)))
