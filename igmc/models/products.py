"""Products of rows and matrices, the rows picked and placed by lists: where nearly all of the time goes.

All float arrays are rows of one width H, see `igmc.simd`; `lanes` carries that width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner
from igmc.simd import columns, fma, load, number, store

# Rows whose products share each load of the weights: with two registers of each (`columns`), 12 of the 16
# registers of AVX2 are accumulators, which keeps both FMA units busy. More of them would be spilled.
TILE = 6


class Pairs(NamedTuple):
    """Pairs (s, t) of rows: s = source[k] and t = target[k] for k in low..high-1."""

    source: NDArray[np.int32]
    target: NDArray[np.int32]
    low: np.int64
    high: np.int64


class Rows(NamedTuple):
    """Rows of an array: row i is its row first + step * i."""

    array: NDArray[Any]
    first: int
    step: int


@inner
def make_pairs(source, target, low, high):
    """`Pairs` of one type, whatever those of the numbers, so that less is compiled."""
    return Pairs(source, target, np.int64(low), np.int64(high))


@inner
def multiply(lanes, pairs, inputs, x, weight, start, z):
    """Rows times a matrix: ``z_t = start_t + sum_{i < inputs} x_s[i] weight_i`` for the pairs (s, t).

    No t stands twice. `z` may be `start`: a tile reads all rows before it writes any, and so the last tile
    may repeat its last row.

    Args:
        pairs: `Pairs`.
        inputs: the numbers in each row of `x`, which need not be H.
        x, weight, start, z: `Rows`; those of `start` may all be the same one.
    """
    source, target, part = pairs.source, pairs.target, columns(lanes)
    parts = len(lanes) // len(part)
    for k in range(pairs.low, pairs.high, TILE):
        last = pairs.high - 1
        k1, k2, k3, k4, k5 = (
            min(k + 1, last),
            min(k + 2, last),
            min(k + 3, last),
            min(k + 4, last),
            min(k + 5, last),
        )
        s0, s1 = _at(x, source[k]) * inputs, _at(x, source[k1]) * inputs
        s2, s3 = _at(x, source[k2]) * inputs, _at(x, source[k3]) * inputs
        s4, s5 = _at(x, source[k4]) * inputs, _at(x, source[k5]) * inputs
        for c in range(parts):
            z0 = load(part, start.array, _at(start, target[k]) * parts + c)
            z1 = load(part, start.array, _at(start, target[k1]) * parts + c)
            z2 = load(part, start.array, _at(start, target[k2]) * parts + c)
            z3 = load(part, start.array, _at(start, target[k3]) * parts + c)
            z4 = load(part, start.array, _at(start, target[k4]) * parts + c)
            z5 = load(part, start.array, _at(start, target[k5]) * parts + c)
            for i in range(inputs):
                w = load(part, weight.array, _at(weight, i) * parts + c)
                z0, z1 = fma(number(x.array, s0 + i), w, z0), fma(number(x.array, s1 + i), w, z1)
                z2, z3 = fma(number(x.array, s2 + i), w, z2), fma(number(x.array, s3 + i), w, z3)
                z4, z5 = fma(number(x.array, s4 + i), w, z4), fma(number(x.array, s5 + i), w, z5)
            store(z.array, _at(z, target[k]) * parts + c, z0)
            store(z.array, _at(z, target[k1]) * parts + c, z1)
            store(z.array, _at(z, target[k2]) * parts + c, z2)
            store(z.array, _at(z, target[k3]) * parts + c, z3)
            store(z.array, _at(z, target[k4]) * parts + c, z4)
            store(z.array, _at(z, target[k5]) * parts + c, z5)


@inner
def add_outer(lanes, pairs, inputs, x, d_z, d_weight):
    """The matrix gradient of `multiply`: ``d_weight_i += sum_{(s, t)} x_s[i] d_z_t``.

    Args:
        pairs, inputs, x: as for `multiply`.
        d_z, d_weight: `Rows`, the gradients of `z` and `weight`.
    """
    if pairs.low == pairs.high:
        return
    last, part = inputs - 1, columns(lanes)
    parts = len(lanes) // len(part)
    for i in range(0, inputs, TILE):
        i1, i2, i3, i4, i5 = (
            min(i + 1, last),
            min(i + 2, last),
            min(i + 3, last),
            min(i + 4, last),
            min(i + 5, last),
        )
        for c in range(parts):
            d0 = load(part, d_weight.array, _at(d_weight, i) * parts + c)
            d1 = load(part, d_weight.array, _at(d_weight, i1) * parts + c)
            d2 = load(part, d_weight.array, _at(d_weight, i2) * parts + c)
            d3 = load(part, d_weight.array, _at(d_weight, i3) * parts + c)
            d4 = load(part, d_weight.array, _at(d_weight, i4) * parts + c)
            d5 = load(part, d_weight.array, _at(d_weight, i5) * parts + c)
            for k in range(pairs.low, pairs.high):
                s = _at(x, pairs.source[k]) * inputs
                dz = load(part, d_z.array, _at(d_z, pairs.target[k]) * parts + c)
                d0, d1 = fma(number(x.array, s + i), dz, d0), fma(number(x.array, s + i1), dz, d1)
                d2, d3 = fma(number(x.array, s + i2), dz, d2), fma(number(x.array, s + i3), dz, d3)
                d4, d5 = fma(number(x.array, s + i4), dz, d4), fma(number(x.array, s + i5), dz, d5)
            store(d_weight.array, _at(d_weight, i) * parts + c, d0)
            store(d_weight.array, _at(d_weight, i1) * parts + c, d1)
            store(d_weight.array, _at(d_weight, i2) * parts + c, d2)
            store(d_weight.array, _at(d_weight, i3) * parts + c, d3)
            store(d_weight.array, _at(d_weight, i4) * parts + c, d4)
            store(d_weight.array, _at(d_weight, i5) * parts + c, d5)


@inner
def _at(rows, i):
    """The row number of row i in the array."""
    return rows.first + rows.step * i
