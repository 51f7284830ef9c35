"""RGCN layers of one side of one subgraph, forward and backward.

All float arrays are rows of one width H, see `igmc.models.fused.simd`; `like` carries that width.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numba.extending import register_jitable

from igmc.models.fused.simd import add, fma, load, mul, scaled, splat, store, sub, tanh

NORM_NONE, NORM_RELATION, NORM_DEGREE = 0, 1, 2
TILE = 4  # nodes whose rows are multiplied together: 4 accumulators of 32 floats fill the FMA units

_jit = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def first_layer(like, levels, hops, side, weight, root, bias, norm, out):
    """Layer 1 of one side: its inputs are one-hot labels, so counts by (level, label) are all it needs."""
    run, inner, label = side.run, side.inner, side.label
    start = 0
    for k in range(len(label)):
        z = add(load(like, bias, 0), load(like, root, label[k]))
        row_size = run[(k + 1) * levels - 1] - start
        for r in range(levels):
            end = run[k * levels + r]
            if end > start:
                scale, rest = norm_scale(norm, end - start, row_size), end - start
                row = r * 2 * (hops + 1) + side.other_label
                for distance in range(hops):
                    count = inner[(k * levels + r) * hops + distance]
                    if count > 0:
                        z = fma(scale * np.float32(count), load(like, weight, row + 2 * distance), z)
                        rest -= count
                z = fma(scale * np.float32(rest), load(like, weight, row + 2 * hops), z)
                start = end
        store(out, side.row + k, tanh(like, z))


@_jit
def first_layer_back(
    like, levels, hops, side, norm, out, grad, grad_row, d_weight, d_root, d_bias
):  # fmt: skip
    """Gradients of `first_layer`; `grad` is that of its outputs, its rows beginning at `grad_row`."""
    run, inner, label = side.run, side.inner, side.label
    start = 0
    for k in range(len(label)):
        h = load(like, out, side.row + k)
        dz = mul(load(like, grad, grad_row + k), sub(splat(like, 1.0), mul(h, h)))
        store(d_bias, 0, add(load(like, d_bias, 0), dz))
        store(d_root, label[k], add(load(like, d_root, label[k]), dz))
        row_size = run[(k + 1) * levels - 1] - start
        for r in range(levels):
            end = run[k * levels + r]
            if end > start:
                scale, rest = norm_scale(norm, end - start, row_size), end - start
                row = r * 2 * (hops + 1) + side.other_label
                for distance in range(hops):
                    count = inner[(k * levels + r) * hops + distance]
                    if count > 0:
                        at = row + 2 * distance
                        store(d_weight, at, fma(scale * np.float32(count), dz, load(like, d_weight, at)))
                        rest -= count
                at = row + 2 * hops
                store(d_weight, at, fma(scale * np.float32(rest), dz, load(like, d_weight, at)))
                start = end


@_jit
def norm_scale(norm, run_size, row_size):
    """The factor that a run's sum is multiplied by."""
    if norm == NORM_RELATION:
        return np.float32(1.0) / np.float32(run_size)
    if norm == NORM_DEGREE:
        return np.float32(1.0) / np.float32(row_size)
    return np.float32(1.0)


@register_jitable
def sum_rows(like, near, x, first_row, start, end):
    """The sum of the rows of x that the neighbours start..end-1 stand for."""
    total = load(like, x, first_row + near[start])
    for e in range(start + 1, end):
        total = add(total, load(like, x, first_row + near[e]))
    return total


@_jit
def mix(like, levels, bases, k, side, x, coefficient, norm, mixed, slot):
    """Row `slot` of `mixed`, per basis b: sum_r a_rb norm_r sum_j x_j over the neighbours j of node k."""
    run, near, other_row = side.run, side.near, side.other_row
    for b in range(bases):
        store(mixed, slot + b, splat(like, 0.0))
    start = run[k * levels - 1] if k > 0 else 0
    row_size = run[(k + 1) * levels - 1] - start
    for r in range(levels):
        end = run[k * levels + r]
        if end > start:
            total = sum_rows(like, near, x, other_row, start, end)
            scale = norm_scale(norm, end - start, row_size)
            for b in range(bases):
                store(mixed, slot + b, fma(scale * coefficient[r, b], total, load(like, mixed, slot + b)))
            start = end


@_jit
def layer(like, levels, rows, side, x, coefficient, basis, bias, norm, out, out_row):
    """A further layer at the given nodes of one side, TILE of them at a time; node k goes to out_row + k.

    `basis` stacks the bases and the root weight, [(B + 1) * H, H].
    """
    width, bases = len(like), coefficient.shape[1]
    mixed = np.empty((TILE * (bases + 1), width), np.float32)
    flat = mixed.reshape(TILE, (bases + 1) * width)
    mixed[:] = 0
    for first in range(0, len(rows), TILE):
        count = min(TILE, len(rows) - first)
        for t in range(count):
            k, slot = rows[first + t], t * (bases + 1)
            mix(like, levels, bases, k, side, x, coefficient, norm, mixed, slot)
            store(mixed, slot + bases, load(like, x, side.row + k))
        z0 = load(like, bias, 0)
        z1, z2, z3 = z0, z0, z0
        for i in range((bases + 1) * width):
            w = load(like, basis, i)
            z0, z1 = fma(flat[0, i], w, z0), fma(flat[1, i], w, z1)
            z2, z3 = fma(flat[2, i], w, z2), fma(flat[3, i], w, z3)
        store(out, out_row + rows[first], tanh(like, z0))
        if count > 1:
            store(out, out_row + rows[first + 1], tanh(like, z1))
        if count > 2:
            store(out, out_row + rows[first + 2], tanh(like, z2))
        if count > 3:
            store(out, out_row + rows[first + 3], tanh(like, z3))


@_jit
def layer_back(
    like, levels, rows, side, x, coefficient, transposed, norm, out, out_row, grad, grad_row,
    d_x, d_row, d_other_row, d_coefficient, d_basis, d_bias,
):  # fmt: skip
    """Gradients of `layer`: adds to `d_x` (inputs), `d_coefficient` [R * B, H] (to be summed over H),
    `d_basis` and `d_bias`. `transposed` stacks the transposes of the bases and of the root weight.
    """
    width, bases = len(like), coefficient.shape[1]
    mixed = np.empty((TILE * (bases + 1), width), np.float32)
    flat = mixed.reshape(TILE, (bases + 1) * width)
    back = np.empty((TILE * (bases + 1), width), np.float32)
    slope = np.zeros((TILE, width), np.float32)
    mixed[:] = 0
    one = splat(like, 1.0)
    for first in range(0, len(rows), TILE):
        count = min(TILE, len(rows) - first)
        slope[count:] = 0
        for t in range(count):
            h = load(like, out, out_row + rows[first + t])
            dz = mul(load(like, grad, grad_row + rows[first + t]), sub(one, mul(h, h)))
            store(slope, t, dz)
            store(d_bias, 0, add(load(like, d_bias, 0), dz))
        for b in range(bases + 1):
            g0 = splat(like, 0.0)
            g1, g2, g3 = g0, g0, g0
            for i in range(width):
                w = load(like, transposed, b * width + i)
                g0, g1 = fma(slope[0, i], w, g0), fma(slope[1, i], w, g1)
                g2, g3 = fma(slope[2, i], w, g2), fma(slope[3, i], w, g3)
            store(back, b, g0)
            store(back, bases + 1 + b, g1)
            store(back, 2 * (bases + 1) + b, g2)
            store(back, 3 * (bases + 1) + b, g3)
        for t in range(count):
            k, slot = rows[first + t], t * (bases + 1)
            own = d_row + k
            store(d_x, own, add(load(like, d_x, own), load(like, back, slot + bases)))
            store(mixed, slot + bases, load(like, x, side.row + k))
            mix_back(
                like, levels, bases, k, side, x, coefficient, norm, mixed, back, slot,
                d_x, d_other_row, d_coefficient,
            )  # fmt: skip
        s0, s1 = load(like, slope, 0), load(like, slope, 1)
        s2, s3 = load(like, slope, 2), load(like, slope, 3)
        for i in range((bases + 1) * width):
            d = fma(flat[0, i], s0, load(like, d_basis, i))
            d = fma(flat[1, i], s1, d)
            d = fma(flat[2, i], s2, d)
            store(d_basis, i, fma(flat[3, i], s3, d))


@_jit
def mix_back(
    like, levels, bases, k, side, x, coefficient, norm, mixed, back, slot, d_x, d_other_row, d_coefficient
):  # fmt: skip
    """`mix` again, for the gradient of the bases, and its own gradients in the same pass over the runs."""
    run, near, other_row = side.run, side.near, side.other_row
    for b in range(bases):
        store(mixed, slot + b, splat(like, 0.0))
    start = run[k * levels - 1] if k > 0 else 0
    row_size = run[(k + 1) * levels - 1] - start
    for r in range(levels):
        end = run[k * levels + r]
        if end > start:
            total = sum_rows(like, near, x, other_row, start, end)
            scale = norm_scale(norm, end - start, row_size)
            total = scaled(scale, total)
            d_total = splat(like, 0.0)
            for b in range(bases):
                g, a, at = load(like, back, slot + b), coefficient[r, b], r * bases + b
                store(mixed, slot + b, fma(a, total, load(like, mixed, slot + b)))
                store(d_coefficient, at, fma(total, g, load(like, d_coefficient, at)))
                d_total = fma(scale * a, g, d_total)
            for e in range(start, end):
                at = d_other_row + near[e]
                store(d_x, at, add(load(like, d_x, at), d_total))
            start = end
