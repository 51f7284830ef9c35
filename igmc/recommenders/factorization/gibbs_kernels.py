"""The compiled inner loops of `gibbs.py`; one thread, so equal draws give equal results."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel

__all__ = ["RatingRows", "implicit_sums", "solve_rows", "update_links"]


class RatingRows(NamedTuple):
    """The ratings by rows, in standard deviations: row k in places ptr[k]..ptr[k + 1]-1."""

    ptr: NDArray[np.int64]  # [n + 1]
    near: NDArray[np.int32]  # [m], rows of the other side
    target: NDArray[np.float64]  # [m]


@inner(any_order=True)
def _collect(near, target, other, alpha, A, b):
    """Add ``alpha sum x x'`` to the lower half of A and ``alpha sum x y`` to b, where x is (factors, 1)."""
    width = other.shape[1]
    x = np.empty(width)
    for e in range(len(near)):
        row = other[near[e]]
        for k in range(width - 1):
            x[k] = row[k]
        x[width - 1] = 1.0
        y = alpha * (target[e] - row[width - 1])
        for k in range(width):
            b[k] += y * x[k]
            scaled = alpha * x[k]
            for m in range(k + 1):
                A[k, m] += scaled * x[m]


@inner
def _cholesky(A):
    """In place, the lower half."""
    for j in range(len(A)):
        for k in range(j):
            A[j, j] -= A[j, k] * A[j, k]
        A[j, j] = np.sqrt(A[j, j])
        for i in range(j + 1, len(A)):
            total = A[i, j]
            for k in range(j):
                total -= A[i, k] * A[j, k]
            A[i, j] = total / A[j, j]


@kernel
def solve_rows(ratings, other, prior_means, precision, alpha, noise):
    """Draw each row from its conditional Gaussian; its mean if `noise` has no rows.

    ``A theta = b + L noise`` with ``A = precision + alpha sum_j x_j x_j' = L L'`` and
    ``b = precision prior_mean + alpha sum_j x_j (target_j - bias_j)`` over the ratings of the row, where
    ``x_j = (q_j, 1)`` and ``(q_j, bias_j)`` is a row of `other` (Salakhutdinov & Mnih, ICML 2008).

    Args:
        ratings: `RatingRows`.
        other: float64 [n_other, D], the last column the bias.
        prior_means: float64 [n, D]; precision: float64 [D, D]; alpha: precision of the noise in ratings.
        noise: float64 [n, D], standard normal, or [0, D].
    """
    ptr, near, target = ratings
    n, width = prior_means.shape
    out = np.empty((n, width))
    A, b = np.empty((width, width)), np.empty(width)
    for row in range(n):
        A[:] = precision
        for k in range(width):
            b[k] = 0.0
            for m in range(width):
                b[k] += precision[k, m] * prior_means[row, m]
        _collect(near[ptr[row] : ptr[row + 1]], target[ptr[row] : ptr[row + 1]], other, alpha, A, b)
        _cholesky(A)
        for k in range(width):  # L w = b
            for m in range(k):
                b[k] -= A[k, m] * b[m]
            b[k] /= A[k, k]
        if len(noise):
            for k in range(width):
                b[k] += noise[row, k]
        for k in range(width - 1, -1, -1):  # L' theta = w + noise
            for m in range(k + 1, width):
                b[k] -= A[m, k] * b[m]
            b[k] /= A[k, k]
        out[row] = b
    return out


@kernel
def implicit_sums(ptr, near, weight, links):
    """``weight_u sum_{j in N(u)} links_j`` for each row u, float64 [n, D]."""
    n, width = len(ptr) - 1, links.shape[1]
    out = np.zeros((n, width))
    for row in range(n):
        for e in range(ptr[row], ptr[row + 1]):
            for k in range(width):
                out[row, k] += links[near[e], k]
        for k in range(width):
            out[row, k] *= weight[row]
    return out


@kernel
def update_links(ptr, near, weight, left, links, shrink, noise):
    """Draw each row y_j of `links` given all others, in place.

    With ``s = sum_u w_u^2`` over the rows u whose sums contain j, and y_j on the right the one before,
    ``y_j = (sum_u w_u left_u + s y_j) / (shrink + s) + noise_j / sqrt(shrink + s)``; then left_u loses w_u
    times the change of y_j.

    Args:
        ptr, near: for each j the rows u whose sums contain it.
        weight: float64 [n_u]. left: float64 [n_u, D], vectors less all that explains them; kept up to date.
        shrink: how much more precise the prior of `links` is than that of the vectors.
        noise: float64 [n_j, D], draws with the covariance of the vectors.
    """
    width = links.shape[1]
    total = np.empty(width)
    for j in range(len(ptr) - 1):
        squares = 0.0
        total[:] = 0.0
        for e in range(ptr[j], ptr[j + 1]):
            u = near[e]
            squares += weight[u] * weight[u]
            for k in range(width):
                total[k] += weight[u] * left[u, k]
        scale = 1.0 / (shrink + squares)
        for k in range(width):
            new = (total[k] + squares * links[j, k]) * scale + noise[j, k] * np.sqrt(scale)
            total[k] = new - links[j, k]
            links[j, k] = new
        for e in range(ptr[j], ptr[j + 1]):
            u = near[e]
            for k in range(width):
                left[u, k] -= weight[u] * total[k]
