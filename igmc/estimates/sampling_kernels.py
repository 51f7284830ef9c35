"""The compiled inner loops of the Gibbs sampler.

Vectors of rows are float32 [n, W], of which the first D = factors + 1 numbers count, the bias last; W is D
rounded up to a multiple of 8, and what stands beyond D is 0. What is sampled of a row does not depend on
which others are in the call, so that rows can be dealt out to threads.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.estimates.solving import LANES, back_substitute, factorize, forward_substitute
from igmc.simd import add, fma, load, number, scaled, splat, store, sub, total

__all__ = ["Others", "RatingRows", "solve_rows", "squared_error", "update_links"]

CHUNK = 128  # ratings whose vectors are gathered at a time: they stay in the first cache


class RatingRows(NamedTuple):
    """The ratings by rows, in standard deviations: row k in places ptr[k]..ptr[k + 1]-1."""

    ptr: NDArray[np.int64]  # [n + 1]
    near: NDArray[np.int32]  # [m], rows of the other side
    target: NDArray[np.float32]  # [m]


class Others(NamedTuple):
    """The vectors of the other side."""

    factors: NDArray[np.float32]  # [n, F], F the number of factors rounded up to a multiple of 8
    bias: NDArray[np.float32]  # [n]


@inner
def _add_outer(x, n, blocks, k, m, out):
    """Add block (k, m) of ``sum x x'`` over n vectors: eight rows, each in a register."""
    a0 = a1 = a2 = a3 = a4 = a5 = a6 = a7 = splat(LANES, 0.0)
    for e in range(n):
        right = load(LANES, x, e * blocks + m)
        at = (e * blocks + k) * 8
        a0, a1 = fma(number(x, at), right, a0), fma(number(x, at + 1), right, a1)
        a2, a3 = fma(number(x, at + 2), right, a2), fma(number(x, at + 3), right, a3)
        a4, a5 = fma(number(x, at + 4), right, a4), fma(number(x, at + 5), right, a5)
        a6, a7 = fma(number(x, at + 6), right, a6), fma(number(x, at + 7), right, a7)
    at = 8 * k * blocks + m
    store(out, at, add(load(LANES, out, at), a0))
    store(out, at + blocks, add(load(LANES, out, at + blocks), a1))
    store(out, at + 2 * blocks, add(load(LANES, out, at + 2 * blocks), a2))
    store(out, at + 3 * blocks, add(load(LANES, out, at + 3 * blocks), a3))
    store(out, at + 4 * blocks, add(load(LANES, out, at + 4 * blocks), a4))
    store(out, at + 5 * blocks, add(load(LANES, out, at + 5 * blocks), a5))
    store(out, at + 6 * blocks, add(load(LANES, out, at + 6 * blocks), a6))
    store(out, at + 7 * blocks, add(load(LANES, out, at + 7 * blocks), a7))


@inner
def _add_sums(x, y, n, blocks, out):
    """Add ``sum x`` and ``sum x y`` over n vectors to the two rows of `out`."""
    for m in range(blocks):
        s0 = s1 = t0 = t1 = splat(LANES, 0.0)
        for e in range(0, n - 1, 2):
            x0, x1 = load(LANES, x, e * blocks + m), load(LANES, x, (e + 1) * blocks + m)
            s0, s1 = add(s0, x0), add(s1, x1)
            t0, t1 = fma(number(y, e), x0, t0), fma(number(y, e + 1), x1, t1)
        if n % 2:
            x0 = load(LANES, x, (n - 1) * blocks + m)
            s0, t0 = add(s0, x0), fma(number(y, n - 1), x0, t0)
        store(out, m, add(load(LANES, out, m), add(s0, s1)))
        store(out, blocks + m, add(load(LANES, out, blocks + m), add(t0, t1)))


@inner
def _collect(near, target, others, x, y, outer, sums):
    """The sums over the ratings of one row, in chunks; returns the sum of y = target - bias."""
    blocks = x.shape[1] // 8
    outer[:] = np.float32(0.0)
    sums[:] = np.float32(0.0)
    in_all = 0.0
    for first in range(0, len(near), CHUNK):
        n = min(CHUNK, len(near) - first)
        for e in range(n):
            j = near[first + e]
            y[e] = target[first + e] - others.bias[j]
            in_all += y[e]
            for m in range(blocks):
                store(x, e * blocks + m, load(LANES, others.factors, j * blocks + m))
        for k in range(blocks):
            for m in range(k + 1):
                _add_outer(x, n, blocks, k, m, outer)
        _add_sums(x, y, n, blocks, sums)
    return in_all


@kernel
def solve_rows(ratings, others, prior, precision, alpha, noise, low, high, out):
    """Draw the rows low..high-1 from their conditional Gaussians.

    ``A theta = b + L noise`` with ``A = precision + alpha sum_j x_j x_j' = L L'`` and
    ``b = prior + alpha sum_j x_j (target_j - bias_j)`` over the ratings of the row, where
    ``x_j = (q_j, 1)`` (Salakhutdinov & Mnih, ICML 2008).

    Args:
        ratings: `RatingRows`.
        others: `Others`.
        prior: float32 [n, W], precision times what the row is expected to be.
        precision: float32 [D, D]. alpha: float32, precision of the noise in ratings.
        noise: float32 [n, W], standard normal.
        low, high: int64, which rows.
        out: float32 [n, W], written in these rows.
    """
    ptr, near, target = ratings
    width, padded = len(precision), others.factors.shape[1]
    factors, last = width - 1, width - 1
    x, y = np.empty((CHUNK, padded), np.float32), np.empty(CHUNK, np.float32)
    outer, sums = np.empty((padded, padded), np.float32), np.empty((2, padded), np.float32)
    A, b = np.zeros((width * width, 8), np.float32), np.zeros((width, 8), np.float32)
    for first in range(low, high, 8):
        for lane in range(8):
            row = min(first + lane, high - 1)  # the last row fills up the lanes
            start, end = ptr[row], ptr[row + 1]
            in_all = _collect(near[start:end], target[start:end], others, x, y, outer, sums)
            for k in range(factors):
                for m in range(k + 1):
                    A[k * width + m, lane] = precision[k, m] + alpha * outer[k, m]
                A[last * width + k, lane] = precision[last, k] + alpha * sums[0, k]
                b[k, lane] = prior[row, k] + alpha * sums[1, k]
            A[last * width + last, lane] = precision[last, last] + alpha * np.float32(end - start)
            b[last, lane] = prior[row, last] + alpha * np.float32(in_all)
        factorize(A, width)
        forward_substitute(A, b, width)
        for lane in range(8):
            for k in range(width):
                b[k, lane] += noise[min(first + lane, high - 1), k]
        back_substitute(A, b, width)
        for lane in range(min(8, high - first)):
            for k in range(width):
                out[first + lane, k] = b[k, lane]


@kernel
def update_links(ptr, near, weight, squares, left, links, shrink, noise):
    """Draw each row y_j of `links` given all others, in place.

    With ``s = sum_u w_u^2`` over the rows u whose sums contain j, and y_j on the right the one before,
    ``y_j = (sum_u w_u left_u + s y_j) / (shrink + s) + noise_j / sqrt(shrink + s)``; then left_u loses w_u
    times the change of y_j.

    Args:
        ptr, near: for each j the rows u whose sums contain it.
        weight: float32 [n_u]. squares: float32 [n_j], s of each j.
        left: float32 [n_u, W], vectors less all that explains them; kept up to date.
        links: float32 [n_j, W].
        shrink: float32, how much more precise the prior of `links` is than that of the vectors.
        noise: float32 [n_j, W], draws with the covariance of the vectors.
    """
    blocks = links.shape[1] // 8
    for j in range(len(ptr) - 1):
        scale = np.float32(1.0) / (shrink + squares[j])
        spread, kept = np.sqrt(scale), squares[j] * scale
        for m in range(blocks):
            s0 = s1 = splat(LANES, 0.0)
            for e in range(ptr[j], ptr[j + 1] - 1, 2):
                u, v = near[e], near[e + 1]
                s0 = fma(weight[u], load(LANES, left, u * blocks + m), s0)
                s1 = fma(weight[v], load(LANES, left, v * blocks + m), s1)
            if (ptr[j + 1] - ptr[j]) % 2:
                u = near[ptr[j + 1] - 1]
                s0 = fma(weight[u], load(LANES, left, u * blocks + m), s0)
            at = j * blocks + m
            old = load(LANES, links, at)
            new = fma(scale, add(s0, s1), fma(kept, old, scaled(spread, load(LANES, noise, at))))
            store(links, at, new)
            change = sub(old, new)
            for e in range(ptr[j], ptr[j + 1]):
                u = near[e]
                store(left, u * blocks + m, fma(weight[u], change, load(LANES, left, u * blocks + m)))


@kernel
def squared_error(ratings, own, others, low, high):
    """``sum (target - p_u . q_i - b_u - b_i)^2`` over the ratings of the rows low..high-1, float64.

    Args:
        ratings: `RatingRows`.
        own, others: `Others`, of the rows and of what they rate.
    """
    ptr, near, target = ratings
    blocks = others.factors.shape[1] // 8
    found = 0.0
    for row in range(low, high):
        for e in range(ptr[row], ptr[row + 1]):
            j = near[e]
            products = splat(LANES, 0.0)
            for m in range(blocks):
                left = load(LANES, own.factors, row * blocks + m)
                products = fma(left, load(LANES, others.factors, j * blocks + m), products)
            error = target[e] - total(products) - own.bias[row] - others.bias[j]
            found += np.float64(error * error)
    return found
