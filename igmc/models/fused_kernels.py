"""Numba kernels of the fused RGCN stack: one subgraph at a time, its states never leaving the cache.

Nodes of a subgraph are numbered users first. `run` holds, for each (node, level), where that node's neighbours
of that level end in `near`; one array each for the user side and the item side, since edge dropout may differ.
All float arrays are rows of one width H; see `igmc.models.simd`.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from igmc.models.simd import add, fma, load, mul, scaled, splat, store, sub, tanh
from igmc.rng import fold

NORM_NONE, NORM_RELATION, NORM_DEGREE = 0, 1, 2
TILE = 4  # nodes whose rows are multiplied together: 4 accumulators of 32 floats fill the FMA units

_jit = njit(nogil=True, cache=True, error_model="numpy")


@_jit
def build_runs(  # type: ignore[no-untyped-def]
    levels, user_degree, n_items, edge_item, edge_level, first_edge, key, threshold, both,
    user_run, item_run, user_near, item_near,
):  # fmt: skip
    """Group one subgraph's kept edges by (node, level) from both sides.

    Dropped are the edges whose 32-bit draws are below `threshold`: the high half of a draw is for the
    message to the user, the low half for the one to the item; `both` takes the high half for both.
    """
    n_edges = len(edge_item)
    to_user, to_item = np.ones(n_edges, np.uint8), np.ones(n_edges, np.uint8)
    if threshold > 0:
        limit = np.uint64(threshold)
        for e in range(n_edges):
            draw = fold(key, np.uint64(first_edge + e))
            high = draw >> np.uint64(32)
            to_user[e] = high >= limit
            to_item[e] = (high if both else draw & np.uint64(0xFFFFFFFF)) >= limit
    item_run[: n_items * levels] = 0
    e, end = 0, 0
    for u in range(len(user_degree)):
        level, row_end = 0, e + user_degree[u]
        while e < row_end:
            while level < edge_level[e]:
                user_run[u * levels + level] = end
                level += 1
            user_near[end] = edge_item[e]
            end += to_user[e]
            item_run[edge_item[e] * levels + edge_level[e]] += to_item[e]
            e += 1
        user_run[u * levels + level : (u + 1) * levels] = end
    start = 0
    for k in range(n_items * levels):  # counts -> starts; filling turns them into ends
        start, item_run[k] = start + item_run[k], start
    e = 0
    for u in range(len(user_degree)):
        row_end = e + user_degree[u]
        while e < row_end:
            if to_item[e]:
                slot = edge_item[e] * levels + edge_level[e]
                item_near[item_run[slot]] = u
                item_run[slot] += 1
            e += 1


@_jit
def first_layer(  # type: ignore[no-untyped-def]
    like, levels, labels, run, near, self_label, other_label, weight, root, bias, norm, out, out_row
):  # fmt: skip
    """Layer 1 of one side: its inputs are one-hot labels, so it needs only counts by (level, label)."""
    start = 0
    for k in range(len(self_label)):
        z = add(load(like, bias, 0), load(like, root, self_label[k]))
        row_size = run[(k + 1) * levels - 1] - start
        for r in range(levels):
            end = run[k * levels + r]
            if end > start:
                scale = norm_scale(norm, end - start, row_size)
                rest = end - start
                for label in range(other_label[0], labels - 2, 2):
                    count = count_label(near, other_label, start, end, label)
                    z = fma(scale * np.float32(count), load(like, weight, r * labels + label), z)
                    rest -= count
                last = labels - 2 + other_label[0]
                z = fma(scale * np.float32(rest), load(like, weight, r * labels + last), z)
                start = end
        store(out, out_row + k, tanh(like, z))


@_jit
def first_layer_back(  # type: ignore[no-untyped-def]
    like, levels, labels, run, near, self_label, other_label, norm, out, out_row, grad, grad_row,
    d_weight, d_root, d_bias,
):  # fmt: skip
    """Gradients of `first_layer`; `grad` is that of its outputs."""
    start = 0
    for k in range(len(self_label)):
        h = load(like, out, out_row + k)
        dz = mul(load(like, grad, grad_row + k), sub(splat(like, 1.0), mul(h, h)))
        store(d_bias, 0, add(load(like, d_bias, 0), dz))
        store(d_root, self_label[k], add(load(like, d_root, self_label[k]), dz))
        row_size = run[(k + 1) * levels - 1] - start
        for r in range(levels):
            end = run[k * levels + r]
            if end > start:
                scale = norm_scale(norm, end - start, row_size)
                rest = end - start
                for label in range(other_label[0], labels - 2, 2):
                    count = count_label(near, other_label, start, end, label)
                    if count > 0:
                        row = r * labels + label
                        store(d_weight, row, fma(scale * np.float32(count), dz, load(like, d_weight, row)))
                        rest -= count
                if rest > 0:
                    row = r * labels + labels - 2 + other_label[0]
                    store(d_weight, row, fma(scale * np.float32(rest), dz, load(like, d_weight, row)))
                start = end


@_jit
def count_label(near, label, start, end, wanted):  # type: ignore[no-untyped-def]
    """How many of the neighbours in a run have a label."""
    count = 0
    for e in range(start, end):
        count += label[near[e]] == wanted
    return count


@_jit
def norm_scale(norm, run_size, row_size):  # type: ignore[no-untyped-def]
    """The factor that a run's sum is multiplied by."""
    if norm == NORM_RELATION:
        return np.float32(1.0) / np.float32(run_size)
    if norm == NORM_DEGREE:
        return np.float32(1.0) / np.float32(row_size)
    return np.float32(1.0)


@_jit
def mix(like, levels, bases, k, run, near, x, other_row, coefficient, norm, mixed, slot):  # type: ignore[no-untyped-def]
    """Row `slot` of `mixed`, per basis b: sum_r a_rb norm_r sum_j x_j over the neighbours j of node k."""
    for b in range(bases):
        store(mixed, slot + b, splat(like, 0.0))
    start = run[k * levels - 1] if k > 0 else 0
    row_size = run[(k + 1) * levels - 1] - start
    for r in range(levels):
        end = run[k * levels + r]
        if end > start:
            total = load(like, x, other_row + near[start])
            for e in range(start + 1, end):
                total = add(total, load(like, x, other_row + near[e]))
            scale = norm_scale(norm, end - start, row_size)
            for b in range(bases):
                store(mixed, slot + b, fma(scale * coefficient[r, b], total, load(like, mixed, slot + b)))
            start = end


@_jit
def layer(  # type: ignore[no-untyped-def]
    like, levels, rows, run, near, x, self_row, other_row, coefficient, basis, bias, norm, out, out_row, out_step
):  # fmt: skip
    """A further layer at the given rows (nodes of one side), TILE of them at a time.

    `basis` stacks the bases and the root weight, [(B + 1) * H, H]. Row k goes to out_row + k * out_step.
    """
    width, bases = len(like), coefficient.shape[1]
    mixed = np.empty((TILE * (bases + 1), width), np.float32)
    flat = mixed.reshape(TILE, (bases + 1) * width)
    mixed[:] = 0
    for first in range(0, len(rows), TILE):
        count = min(TILE, len(rows) - first)
        for t in range(count):
            k, slot = rows[first + t], t * (bases + 1)
            mix(like, levels, bases, k, run, near, x, other_row, coefficient, norm, mixed, slot)
            store(mixed, slot + bases, load(like, x, self_row + k))
        z0 = load(like, bias, 0)
        z1, z2, z3 = z0, z0, z0
        for i in range((bases + 1) * width):
            w = load(like, basis, i)
            z0, z1 = fma(flat[0, i], w, z0), fma(flat[1, i], w, z1)
            z2, z3 = fma(flat[2, i], w, z2), fma(flat[3, i], w, z3)
        store(out, out_row + rows[first] * out_step, tanh(like, z0))
        if count > 1:
            store(out, out_row + rows[first + 1] * out_step, tanh(like, z1))
        if count > 2:
            store(out, out_row + rows[first + 2] * out_step, tanh(like, z2))
        if count > 3:
            store(out, out_row + rows[first + 3] * out_step, tanh(like, z3))


@_jit
def layer_back(  # type: ignore[no-untyped-def]
    like, levels, rows, run, near, x, self_row, other_row, coefficient, transposed, norm,
    out, out_row, out_step, grad, grad_row, grad_step,
    d_x, d_self_row, d_other_row, d_coefficient, d_basis, d_bias,
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
            h = load(like, out, out_row + rows[first + t] * out_step)
            dz = mul(load(like, grad, grad_row + rows[first + t] * grad_step), sub(one, mul(h, h)))
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
            own = d_self_row + k
            store(d_x, own, add(load(like, d_x, own), load(like, back, slot + bases)))
            store(mixed, slot + bases, load(like, x, self_row + k))
            mix_back(
                like, levels, bases, k, run, near, x, other_row, coefficient, norm, mixed, back, slot,
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
def mix_back(  # type: ignore[no-untyped-def]
    like, levels, bases, k, run, near, x, other_row, coefficient, norm, mixed, back, slot,
    d_x, d_other_row, d_coefficient,
):  # fmt: skip
    """`mix` again, for the gradient of the bases, and its own gradients in the same pass over the runs."""
    for b in range(bases):
        store(mixed, slot + b, splat(like, 0.0))
    start = run[k * levels - 1] if k > 0 else 0
    row_size = run[(k + 1) * levels - 1] - start
    for r in range(levels):
        end = run[k * levels + r]
        if end > start:
            total = load(like, x, other_row + near[start])
            for e in range(start + 1, end):
                total = add(total, load(like, x, other_row + near[e]))
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


@_jit
def needed_rows(levels, run, near, n_other):  # type: ignore[no-untyped-def]
    """The target of the other side and the nodes there that this side's target reads, ascending."""
    needed = np.zeros(n_other, np.uint8)
    needed[0] = 1
    for e in range(run[levels - 1]):
        needed[near[e]] = 1
    return np.nonzero(needed)[0]
