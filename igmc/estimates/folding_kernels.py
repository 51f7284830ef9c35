"""The vectors expected of rows given the other side: a ridge regression a row and draw, eight draws at once.

Vectors of all draws are float32 [G, n, D, 8]: eight draws in the lanes, G groups of them. In lanes without a
draw vectors and alpha are 0, and precisions the identity.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.estimates.solving import LANES, back_substitute, factorize, forward_substitute
from igmc.simd import add, fma, load, splat, store, sub, total

__all__ = ["OtherDraws", "PriorTable", "expected_rows", "loadings_of"]

CHUNK = 16  # ratings whose vectors are gathered at a time: they stay in the first cache


class OtherDraws(NamedTuple):
    """What all draws know of the other side: rows 0..n-1 of `base`, then those of `patch`."""

    base: NDArray[np.float32]  # [G, n, D, 8]
    patch: NDArray[np.float32]  # [G, p, D, 8]
    links: NDArray[np.float32]  # [G, n + 1, D, 8], the last one for rows of the patch; or [G, 0, D, 8]
    alpha: NDArray[np.float32]  # [G, 8]


class PriorTable(NamedTuple):
    """Gaussians of rows by how many ratings they have, at K counts, ascending from 0."""

    counts: NDArray[np.float64]  # [K - 2]; the last two entries are for rows that show all of theirs
    precision: NDArray[np.float32]  # [K, G, D, D, 8]
    offset: NDArray[np.float32]  # [K, G, D, 8]
    slope: NDArray[np.float32]  # [K, G, D, D, 8], times the implicit term; or [K, G, 0, 0, 8]
    effects: NDArray[np.float32]  # [K, G, F, D, 8], of side information; not read in kernels


@inner
def _add_outer(x, n, width, k, m, out):
    """Add block (k, m), three by three, of ``sum x x'`` over n vectors of `width` numbers."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = a8 = splat(LANES, 0.0)
    for e in range(n):
        at, to = e * width + k, e * width + m
        l0, l1, l2 = load(LANES, x, at), load(LANES, x, at + 1), load(LANES, x, at + 2)
        r0, r1, r2 = load(LANES, x, to), load(LANES, x, to + 1), load(LANES, x, to + 2)
        a0, a1, a2 = fma(l0, r0, a0), fma(l0, r1, a1), fma(l0, r2, a2)
        a3, a4, a5 = fma(l1, r0, a3), fma(l1, r1, a4), fma(l1, r2, a5)
        a6, a7, a8 = fma(l2, r0, a6), fma(l2, r1, a7), fma(l2, r2, a8)
    at = k * width + m
    _add_to(out, at, a0)
    _add_to(out, at + 1, a1)
    _add_to(out, at + 2, a2)
    _add_to(out, at + width, a3)
    _add_to(out, at + width + 1, a4)
    _add_to(out, at + width + 2, a5)
    _add_to(out, at + 2 * width, a6)
    _add_to(out, at + 2 * width + 1, a7)
    _add_to(out, at + 2 * width + 2, a8)


@inner
def _add_to(out, at, value):
    store(out, at, add(load(LANES, out, at), value))


@inner
def _collect(near, target, other, group, width, x, outer, links):
    """Sums over the ratings of one row: `outer` of ``(q, 1, y)`` with itself, `links` of the implicit terms.

    y is the rating less the bias of what is rated.
    """
    n_base, n_patch, n_links = other.base.shape[1], other.patch.shape[1], other.links.shape[1]
    factors, wide = width - 1, x.shape[1]
    outer[:] = np.float32(0.0)
    links[:] = np.float32(0.0)
    one = splat(LANES, 1.0)
    for first in range(0, len(near), CHUNK):
        n = min(CHUNK, len(near) - first)
        for e in range(n):
            j = near[first + e]
            if j < n_base:
                at = (group * n_base + j) * width
                for k in range(factors):
                    store(x, e * wide + k, load(LANES, other.base, at + k))
                bias = load(LANES, other.base, at + factors)
            else:
                at = (group * n_patch + j - n_base) * width
                for k in range(factors):
                    store(x, e * wide + k, load(LANES, other.patch, at + k))
                bias = load(LANES, other.patch, at + factors)
            store(x, e * wide + factors, one)
            store(x, e * wide + width, sub(splat(LANES, target[first + e]), bias))
            if n_links:
                at = (group * n_links + min(j, n_links - 1)) * width
                for k in range(width):
                    _add_to(links, k, load(LANES, other.links, at + k))
        for k in range(0, wide, 3):
            for m in range(0, k + 3, 3):
                _add_outer(x, n, wide, k, m, outer)


@inner
def _between(table, place, share, stride, index):
    """Row number `index` of a table, between its entries `place` and the one after; `stride` rows each."""
    low = load(LANES, table, place * stride + index)
    high = load(LANES, table, (place + 1) * stride + index)
    return fma(share, sub(high, low), low)


@inner
def _prior(table, group, width, place, share, root, links, shift, shift_at, mean, A, b):
    """The lower half of the precision in `A`, and precision times what is expected in `b`.

    The vector of `shift` from place `shift_at` on is added to what is expected.
    """
    groups, squares = table.offset.shape[1], width * width
    for k in range(width):
        expected = _between(table.offset, place, share, groups * width, group * width + k)
        if table.slope.shape[2]:
            products = splat(LANES, 0.0)
            for m in range(width):
                slope = _between(table.slope, place, share, groups * squares, group * squares + k * width + m)
                products = fma(slope, load(LANES, links, m), products)
            expected = fma(root, products, expected)
        store(mean, k, add(expected, load(LANES, shift, shift_at + k)))
    for k in range(width):
        for m in range(k + 1):
            index = group * squares + k * width + m
            store(A, k * width + m, _between(table.precision, place, share, groups * squares, index))
    for k in range(width):
        products = splat(LANES, 0.0)
        for m in range(width):
            at = k * width + m if m <= k else m * width + k
            products = fma(load(LANES, A, at), load(LANES, mean, m), products)
        store(b, k, products)


@inner
def _variances(A, basis, group, width, column, found):
    """Add the variances along the columns of a basis, ``|L^-1 column|^2``, to `found`, D rows of lanes."""
    for c in range(width):
        for k in range(width):
            store(column, k, load(LANES, basis, (group * width + k) * width + c))
        forward_substitute(A, column, width)
        squares = load(LANES, found, c)
        for k in range(width):
            squares = fma(load(LANES, column, k), load(LANES, column, k), squares)
        store(found, c, squares)


@kernel
def expected_rows(
    ptr, near, target, places, shares, shift, table, other, basis, draws, low, high, out, variances
):
    """Write the vectors expected of the rows low..high-1, and how sure they are.

    Args:
        ptr, near, target: int64 [n + 1], int64 [m], float32 [m]: ratings by rows, in standard deviations.
        places, shares: int64 [n], float32 [n]: where in the table each row stands, between entry `place` and
            the one after.
        shift: float32 [G, n, D, 8], what is added to the expectation of each row.
        table: `PriorTable`.
        other: `OtherDraws`.
        basis: float32 [G, D, D, 8], whose columns `variances` goes by; 0 in lanes without a draw.
        draws: their number.
        low, high: int64.
        out: float32 [G, n, D, 8].
        variances: float32 [n, W], the mean over draws.
    """
    groups, n_rows, width = out.shape[0], out.shape[1], out.shape[2]
    wide = (width + 3) // 3 * 3
    x, outer = np.zeros((CHUNK, wide, 8), np.float32), np.empty((wide * wide, 8), np.float32)
    A, b = np.empty((width * width, 8), np.float32), np.empty((width, 8), np.float32)
    links, mean = np.empty((width, 8), np.float32), np.empty((width, 8), np.float32)
    found = np.empty((width, 8), np.float32)
    for row in range(low, high):
        start, end = ptr[row], ptr[row + 1]
        root = np.float32(1.0) / np.sqrt(np.float32(max(end - start, 1)))
        found[:] = np.float32(0.0)
        for group in range(groups):
            _collect(near[start:end], target[start:end], other, group, width, x, outer, links)
            at = (group * n_rows + row) * width
            _prior(table, group, width, places[row], shares[row], root, links, shift, at, mean, A, b)
            alpha = load(LANES, other.alpha, group)
            for k in range(width):
                for m in range(k + 1):
                    at = k * width + m
                    store(A, at, fma(alpha, load(LANES, outer, k * wide + m), load(LANES, A, at)))
                store(b, k, fma(alpha, load(LANES, outer, width * wide + k), load(LANES, b, k)))
            factorize(A, width)
            forward_substitute(A, b, width)
            back_substitute(A, b, width)
            for k in range(width):
                store(out, (group * n_rows + row) * width + k, load(LANES, b, k))
            _variances(A, basis, group, width, b, found)
        for k in range(width):
            variances[row, k] = total(load(LANES, found, k)) / draws


@kernel
def loadings_of(vectors, transform, draws, out):
    """Write ``(T x)^2`` for ``x = (q, 1)`` of each row, the mean over draws.

    Args:
        vectors: float32 [G, n, D, 8]. transform: float32 [G, D, D, 8], 0 in lanes without a draw.
        draws: their number.
        out: float32 [n, W].
    """
    groups, n_rows, width = vectors.shape[0], vectors.shape[1], vectors.shape[2]
    for row in range(n_rows):
        for c in range(width):
            squares = splat(LANES, 0.0)
            for group in range(groups):
                at, to = (group * n_rows + row) * width, (group * width + c) * width
                value = load(LANES, transform, to + width - 1)
                for k in range(width - 1):
                    value = fma(load(LANES, transform, to + k), load(LANES, vectors, at + k), value)
                squares = fma(value, value, squares)
            out[row, c] = total(squares) / draws
