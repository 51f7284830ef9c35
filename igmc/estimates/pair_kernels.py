"""What all draws say of pairs; vectors as in `folding_kernels`."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.estimates.solving import LANES
from igmc.simd import add, fma, load, splat, sqrt, total

__all__ = ["SideRows", "pair_moments", "row_parts"]


class SideRows(NamedTuple):
    """What is known of n users or items.

    The variance of ``x . theta`` over the conditional Gaussian of a row's theta is taken for
    ``sum_c variances_c (T x)_c^2``, where T makes prior and average design diagonal: within 2 % for rows with
    one rating, 7 % for rows with a hundred, of the standard deviation (ML-100K).
    """

    vectors: NDArray[np.float32]  # [G, n, D, 8]
    variances: NDArray[np.float32]  # [n, W], along the axes of their own side; 0 for vectors as drawn
    loadings: NDArray[np.float32]  # [n, W], squared, on the axes of the other side


@inner
def _dot(a, i, b, j, blocks):
    products = splat(LANES, 0.0)
    for m in range(blocks):
        products = fma(load(LANES, a, i * blocks + m), load(LANES, b, j * blocks + m), products)
    return products


@kernel
def pair_moments(user, item, users, items, draws, mean, variance):
    """Mean and variance of the posterior of ``p_u . q_i + b_u + b_i``.

    The variance is that over draws, and the mean over draws of the conditional one.

    Args:
        user, item: int64 [P], rows of `users` and `items`.
        users, items: `SideRows`.
        draws: their number.
        mean, variance: float32 [P], written.
    """
    left, right = users.vectors, items.vectors
    groups, n_users, width = left.shape[0], left.shape[1], left.shape[2]
    n_items, factors, blocks = right.shape[1], width - 1, users.variances.shape[1] // 8
    share = np.float32(1.0 / draws)
    for p in range(len(user)):
        u, i = user[p], item[p]
        sums = squares = splat(LANES, 0.0)
        for group in range(groups):
            at, to = (group * n_users + u) * width, (group * n_items + i) * width
            value = add(load(LANES, left, at + factors), load(LANES, right, to + factors))
            for k in range(factors):
                value = fma(load(LANES, left, at + k), load(LANES, right, to + k), value)
            sums, squares = add(sums, value), fma(value, value, squares)
        mean[p] = total(sums) * share
        spread = max(total(squares) * share - mean[p] * mean[p], np.float32(0.0))
        own = _dot(users.variances, u, items.loadings, i, blocks)
        variance[p] = spread + total(add(own, _dot(items.variances, i, users.loadings, u, blocks)))


@kernel
def row_parts(rows, vectors, draws, out):
    """Write the means over draws of the bias, and of the length of the vector of factors.

    Args:
        rows: int64 [P].
        vectors: float32 [G, n, D, 8].
        draws: their number.
        out: float32 [P, 2].
    """
    groups, n, width = vectors.shape[0], vectors.shape[1], vectors.shape[2]
    for p in range(len(rows)):
        bias = length = splat(LANES, 0.0)
        for group in range(groups):
            at = (group * n + rows[p]) * width
            squares = splat(LANES, 0.0)
            for k in range(width - 1):
                squares = fma(load(LANES, vectors, at + k), load(LANES, vectors, at + k), squares)
            bias, length = add(bias, load(LANES, vectors, at + width - 1)), add(length, sqrt(squares))
        out[p, 0], out[p, 1] = total(bias) / draws, total(length) / draws
