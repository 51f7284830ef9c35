r"""The neighbours of one side, read on a CPU: forward and backward passes over whole pairs.

Names are those of the formulas. For a neighbour t of a pair with gate g = G p + b_1:

.. math:: h_t = \max(W_1 x_t + g, 0), \quad (w_t, y_t, z_t) = W_2 h_t + b_2, \quad
          a_t = \tfrac{1}{2} (y_t + \sqrt{y_t^2 + 4}), \quad c_t = \tanh z_t.

Each pair is read, and gone back over, while the cache holds it; the backward pass computes h and the rest
anew rather than keep them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.models.products import Rows, add_outer, make_pairs, multiply
from igmc.simd import (
    add,
    div,
    fma,
    load,
    mul,
    number,
    scaled,
    splat,
    sqrt,
    store,
    sub,
    tanh,
    where_positive,
)  # fmt: skip

__all__ = ["Scratch", "SideWeights", "make_scratch", "read_side", "read_side_back"]

H32, H16, H8 = (0,) * 32, (0,) * 16, (0,) * 8  # widths of rows: hidden, channels, weights

Floats = NDArray[np.float32]


class SideWeights(NamedTuple):
    """The parameters of a `SideReader`, or their gradients.

    Attributes:
        row_in: float32 [12, 32], W_1; bias_in: [32], b_1; gate: [K, 32], G, for K inputs of the pair.
        row_out: float32 [32, 32], W_2; bias_out: [32], b_2.
        shrinkage: float32 [8], gamma itself.
    """

    row_in: Floats
    bias_in: Floats
    gate: Floats
    row_out: Floats
    bias_out: Floats
    shrinkage: Floats


class Scratch(NamedTuple):
    """One thread's own memory, for pairs of at most n neighbours.

    Attributes:
        hidden, out: float32 [n, 32], h_t and the three parts of what W_2 makes of it, 8 + 8 + 16.
        d_hidden, d_out: float32 [n, 32], their gradients.
        row_out_back: float32 [32, 32], the transpose of W_2.
        gate, none: float32 [1, 32], g and zeros.
        all_rows: int32 [n], 0, 1, 2, ...
    """

    hidden: Floats
    out: Floats
    d_hidden: Floats
    d_out: Floats
    row_out_back: Floats
    gate: Floats
    none: Floats
    all_rows: NDArray[np.int32]


def make_scratch(n: int, weights: SideWeights) -> Scratch:
    """Memory for pairs of at most n neighbours."""
    rows = np.empty((4, max(n, 1), 32), np.float32)
    back = np.ascontiguousarray(weights.row_out.T)
    gate, none = np.empty((1, 32), np.float32), np.zeros((1, 32), np.float32)
    hidden, out, d_hidden, d_out = rows
    everyone = np.arange(n, dtype=np.int32)
    return Scratch(hidden, out, d_hidden, d_out, back, gate, none, everyone)


@kernel
def read_side(ptr, residual, rows, pair, index, low, high, weights, pooled, scratch):
    """Fill pooled[p] for the pairs index[low..high-1], p from low.

    Args:
        ptr, residual, rows: of a `SideNeighbours`; pair: float32 [all pairs, K].
        index: int64 [P], which pairs are read.
        pooled: float32 [P, 56]: sum c / sqrt(n + 1), sum c / (n + 1), sum w e / sqrt(n + 1),
            sum a e / (sum a + gamma), log(1 + sum a).
    """
    gamma = load(H8, weights.shrinkage, 0)
    for p in range(low, high):
        first, last = ptr[index[p]], ptr[index[p] + 1]
        _activate(first, last - first, rows, pair, index[p], weights, scratch)
        signed, weighted, attention, channels = _sums(first, last - first, residual, scratch)
        n = np.float32(last - first + 1)
        row = pooled[p]
        store(row, 0, scaled(np.float32(1) / np.sqrt(n), channels))
        store(row, 1, scaled(np.float32(1) / n, channels))
        store(row, 4, scaled(np.float32(1) / np.sqrt(n), signed))
        store(row, 5, div(weighted, add(attention, gamma)))
        store(row, 6, attention)
        for k in range(48, 56):
            row[k] = np.log1p(row[k])


@kernel
def read_side_back(ptr, residual, rows, pair, index, low, high, weights, d_pooled, scratch, grads):
    r"""Add to `grads` what d_pooled, the gradient of `read_side`'s result, makes of the parameters.

    With S = sum a e, T = sum a + gamma and d the gradients of the five pooled parts:

    .. math:: dw_t = e_t d_3 / \sqrt{n+1}, \quad da_t = e_t d_4 / T - S d_4 / T^2 + d_5 / (1 + \sum a), \quad
              dc_t = d_1 / \sqrt{n+1} + d_2 / (n+1),
    .. math:: dy_t = da_t (1 + y_t / \sqrt{y_t^2 + 4}) / 2, \quad dz_t = dc_t (1 - c_t^2), \quad
              dh_t = W_2^T (dw_t, dy_t, dz_t), \quad d\gamma = -\sum S d_4 / T^2.
    """
    gamma, one = load(H8, weights.shrinkage, 0), splat(H8, np.float32(1))
    d_gamma = load(H8, grads.shrinkage, 0)
    for p in range(low, high):
        first, last = ptr[index[p]], ptr[index[p] + 1]
        n = last - first
        if n == 0:
            continue
        _activate(first, n, rows, pair, index[p], weights, scratch)
        _, weighted, attention, _ = _sums(first, n, residual, scratch)
        more = np.float32(n + 1)
        row = d_pooled[p]
        d_c = add(
            scaled(np.float32(1) / np.sqrt(more), load(H16, row, 0)),
            scaled(np.float32(1) / more, load(H16, row, 1)),
        )
        d_signed = scaled(np.float32(1) / np.sqrt(more), load(H8, row, 4))
        d_weighted = div(load(H8, row, 5), add(attention, gamma))  # d_4 / T
        d_total = mul(d_weighted, div(weighted, add(attention, gamma)))  # S d_4 / T^2
        d_gamma = sub(d_gamma, d_total)
        d_attention = sub(div(load(H8, row, 6), add(attention, one)), d_total)
        all_pairs = make_pairs(scratch.all_rows, scratch.all_rows, 0, n)
        _neighbours_back(first, n, residual, d_signed, d_weighted, d_attention, d_c, scratch)
        multiply(
            H32, all_pairs, 32, Rows(scratch.d_out, 0, 1), Rows(scratch.row_out_back, 0, 1),
            Rows(scratch.none, 0, 0), Rows(scratch.d_hidden, 0, 1),
        )  # fmt: skip
        add_outer(
            H32,
            all_pairs,
            32,
            Rows(scratch.hidden, 0, 1),
            Rows(scratch.d_out, 0, 1),
            Rows(grads.row_out, 0, 1),
        )
        d_bias, d_gate = load(H32, grads.bias_out, 0), load(H32, scratch.none, 0)
        for t in range(n):
            d_bias = add(d_bias, load(H32, scratch.d_out, t))
            d_hidden = where_positive(load(H32, scratch.hidden, t), load(H32, scratch.d_hidden, t))
            store(scratch.d_hidden, t, d_hidden)
            d_gate = add(d_gate, d_hidden)
        store(grads.bias_out, 0, d_bias)
        store(grads.bias_in, 0, add(load(H32, grads.bias_in, 0), d_gate))
        for k in range(pair.shape[1]):
            store(grads.gate, k, fma(pair[index[p], k], d_gate, load(H32, grads.gate, k)))
        add_outer(
            H32, all_pairs, 12, Rows(rows, first, 1), Rows(scratch.d_hidden, 0, 1), Rows(grads.row_in, 0, 1)
        )
    store(grads.shrinkage, 0, d_gamma)


@inner
def _activate(first, n, rows, pair, p, weights, scratch):
    """Fill `scratch.hidden` with h_t and `scratch.out` with w_t, y_t, z_t of n neighbours from `first`."""
    gate = load(H32, weights.bias_in, 0)
    for k in range(pair.shape[1]):
        gate = fma(pair[p, k], load(H32, weights.gate, k), gate)
    store(scratch.gate, 0, gate)
    all_pairs = make_pairs(scratch.all_rows, scratch.all_rows, 0, n)
    multiply(
        H32, all_pairs, 12, Rows(rows, first, 1), Rows(weights.row_in, 0, 1), Rows(scratch.gate, 0, 0),
        Rows(scratch.hidden, 0, 1),
    )  # fmt: skip
    for t in range(n):
        h = load(H32, scratch.hidden, t)
        store(scratch.hidden, t, where_positive(h, h))
    multiply(
        H32, all_pairs, 32, Rows(scratch.hidden, 0, 1), Rows(weights.row_out, 0, 1),
        Rows(weights.bias_out, 0, 0), Rows(scratch.out, 0, 1),
    )  # fmt: skip


@inner
def _sums(first, n, residual, scratch):
    """The sums of w e, a e, a and c over n neighbours."""
    half, four = splat(H8, np.float32(0.5)), splat(H8, np.float32(4))
    signed = weighted = attention = splat(H8, np.float32(0))
    channels = splat(H16, np.float32(0))
    for t in range(n):
        e = number(residual, first + t)
        y = load(H8, scratch.out, 4 * t + 1)
        a = mul(half, add(y, sqrt(fma(y, y, four))))
        signed = fma(e, load(H8, scratch.out, 4 * t), signed)
        weighted = fma(e, a, weighted)
        attention = add(attention, a)
        channels = add(channels, tanh(H16, load(H16, scratch.out, 2 * t + 1)))
    return signed, weighted, attention, channels


@inner
def _neighbours_back(first, n, residual, d_signed, d_weighted, d_attention, d_c, scratch):
    """Fill `scratch.d_out` with dw_t, dy_t, dz_t; see `read_side_back`."""
    half, four = splat(H8, np.float32(0.5)), splat(H8, np.float32(4))
    one = splat(H16, np.float32(1))
    for t in range(n):
        e = number(residual, first + t)
        y = load(H8, scratch.out, 4 * t + 1)
        slope = fma(half, div(y, sqrt(fma(y, y, four))), half)
        c = tanh(H16, load(H16, scratch.out, 2 * t + 1))
        store(scratch.d_out, 4 * t, scaled(e, d_signed))
        store(scratch.d_out, 4 * t + 1, mul(fma(e, d_weighted, d_attention), slope))
        store(scratch.d_out, 2 * t + 1, mul(d_c, sub(one, mul(c, c))))
