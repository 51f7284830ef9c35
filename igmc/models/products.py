"""Products of rows and matrices, the rows picked and placed by lists: where nearly all of the time goes.

All float arrays are rows of one width H, see `igmc.simd`; `lanes` carries that width.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner
from igmc.simd import fma, load, number, store

TILE = 8  # rows whose products share each load of the weights: 8 accumulators of 32 floats fill the FMA units


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
    source, target = pairs.source, pairs.target
    for k in range(pairs.low, pairs.high, TILE):
        last = pairs.high - 1
        k1, k2, k3, k4 = min(k + 1, last), min(k + 2, last), min(k + 3, last), min(k + 4, last)
        k5, k6, k7 = min(k + 5, last), min(k + 6, last), min(k + 7, last)
        s0, s1 = _at(x, source[k]) * inputs, _at(x, source[k1]) * inputs
        s2, s3 = _at(x, source[k2]) * inputs, _at(x, source[k3]) * inputs
        s4, s5 = _at(x, source[k4]) * inputs, _at(x, source[k5]) * inputs
        s6, s7 = _at(x, source[k6]) * inputs, _at(x, source[k7]) * inputs
        z0 = load(lanes, start.array, _at(start, target[k]))
        z1 = load(lanes, start.array, _at(start, target[k1]))
        z2 = load(lanes, start.array, _at(start, target[k2]))
        z3 = load(lanes, start.array, _at(start, target[k3]))
        z4 = load(lanes, start.array, _at(start, target[k4]))
        z5 = load(lanes, start.array, _at(start, target[k5]))
        z6 = load(lanes, start.array, _at(start, target[k6]))
        z7 = load(lanes, start.array, _at(start, target[k7]))
        for i in range(inputs):
            w = load(lanes, weight.array, _at(weight, i))
            z0, z1 = fma(number(x.array, s0 + i), w, z0), fma(number(x.array, s1 + i), w, z1)
            z2, z3 = fma(number(x.array, s2 + i), w, z2), fma(number(x.array, s3 + i), w, z3)
            z4, z5 = fma(number(x.array, s4 + i), w, z4), fma(number(x.array, s5 + i), w, z5)
            z6, z7 = fma(number(x.array, s6 + i), w, z6), fma(number(x.array, s7 + i), w, z7)
        store(z.array, _at(z, target[k]), z0)
        store(z.array, _at(z, target[k1]), z1)
        store(z.array, _at(z, target[k2]), z2)
        store(z.array, _at(z, target[k3]), z3)
        store(z.array, _at(z, target[k4]), z4)
        store(z.array, _at(z, target[k5]), z5)
        store(z.array, _at(z, target[k6]), z6)
        store(z.array, _at(z, target[k7]), z7)


@inner
def add_outer(lanes, pairs, inputs, x, d_z, d_weight):
    """The matrix gradient of `multiply`: ``d_weight_i += sum_{(s, t)} x_s[i] d_z_t``.

    Args:
        pairs, inputs, x: as for `multiply`.
        d_z, d_weight: `Rows`, the gradients of `z` and `weight`.
    """
    if pairs.low == pairs.high:
        return
    last = inputs - 1
    for i in range(0, inputs, TILE):
        i1, i2, i3, i4 = min(i + 1, last), min(i + 2, last), min(i + 3, last), min(i + 4, last)
        i5, i6, i7 = min(i + 5, last), min(i + 6, last), min(i + 7, last)
        d0 = load(lanes, d_weight.array, _at(d_weight, i))
        d1 = load(lanes, d_weight.array, _at(d_weight, i1))
        d2 = load(lanes, d_weight.array, _at(d_weight, i2))
        d3 = load(lanes, d_weight.array, _at(d_weight, i3))
        d4 = load(lanes, d_weight.array, _at(d_weight, i4))
        d5 = load(lanes, d_weight.array, _at(d_weight, i5))
        d6 = load(lanes, d_weight.array, _at(d_weight, i6))
        d7 = load(lanes, d_weight.array, _at(d_weight, i7))
        for k in range(pairs.low, pairs.high):
            s, dz = _at(x, pairs.source[k]) * inputs, load(lanes, d_z.array, _at(d_z, pairs.target[k]))
            d0, d1 = fma(number(x.array, s + i), dz, d0), fma(number(x.array, s + i1), dz, d1)
            d2, d3 = fma(number(x.array, s + i2), dz, d2), fma(number(x.array, s + i3), dz, d3)
            d4, d5 = fma(number(x.array, s + i4), dz, d4), fma(number(x.array, s + i5), dz, d5)
            d6, d7 = fma(number(x.array, s + i6), dz, d6), fma(number(x.array, s + i7), dz, d7)
        store(d_weight.array, _at(d_weight, i), d0)
        store(d_weight.array, _at(d_weight, i1), d1)
        store(d_weight.array, _at(d_weight, i2), d2)
        store(d_weight.array, _at(d_weight, i3), d3)
        store(d_weight.array, _at(d_weight, i4), d4)
        store(d_weight.array, _at(d_weight, i5), d5)
        store(d_weight.array, _at(d_weight, i6), d6)
        store(d_weight.array, _at(d_weight, i7), d7)


@inner
def _at(rows, i):
    """The row number of row i in the array."""
    return rows.first + rows.step * i
