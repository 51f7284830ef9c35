"""Bayesian matrix factorization by Gibbs sampling: compiled half-sweeps, and the priors that they learn.

Ratings, in standard deviations from their mean, are ``r_ui = p_u . q_i + b_u + b_i + noise``, and the vectors
``(p_u, b_u)`` of the users (as ``(q_i, b_i)`` of the items) come from one Gaussian with unknown mean and
covariance (Salakhutdinov & Mnih, *Bayesian Probabilistic Matrix Factorization using MCMC*, ICML 2008).

With `implicit`, the mean of a row's Gaussian depends on which ratings it has, whatever their values: to it is
added ``|N(u)|^-1/2 sum_{j in N(u)} y_j``, the implicit term of SVD++ (Koren, KDD 2008), on both sides
("flipped": Rendle, Zhang & Koren, *On the Difficulty of Evaluating Baselines*, 2019). It is sampled as a
regression of the vectors on their side information (Simm et al., *Macau*, 2015).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.recommenders.factorization.gibbs_kernels import RatingRows, implicit_sums, solve_rows, update_links

__all__ = ["Sampler", "SideSampler", "conditional_means", "prior_means"]

Floats = NDArray[np.float64]
NO_NOISE = np.zeros((0, 0))


class SideSampler:
    """The users or the items: what is sampled of them, D = factors + 1 numbers a row, the bias last.

    Attributes:
        ptr, near, target: int64 [n + 1], int32 [m], float64 [m]: the ratings by rows, in standard deviations.
        theta: float64 [n, D], the sampled vectors.
        mean, precision: float64 [D] and [D, D], of their Gaussian.
        links: float64 [n_other, D], the implicit terms ``y``, or None.
        weight: float64 [n], ``|N|^-1/2`` of each row, 0 where it has no ratings.
    """

    def __init__(self, matrix: sparse.csr_array, factors: int, implicit: bool, rng: np.random.Generator):
        self.ptr, self.near = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
        self.target = matrix.data.astype(np.float64)
        self.active = np.flatnonzero(np.diff(self.ptr))
        self.weight = _weights(self.ptr)
        n, width = len(self.weight), factors + 1
        self.theta = rng.normal(0.0, 0.1, (n, width))
        self.mean, self.precision = np.zeros(width), np.eye(width) * 10.0
        self.links: Floats | None = np.zeros((matrix.shape[1], width)) if implicit else None
        self.shrink = 1.0  # a start near 0, not near n, where the terms would take hundreds of sweeps to wake
        self._rng = rng

    def sample(self, other: SideSampler, alpha: float) -> None:
        """Draw all vectors given those of the other side."""
        noise = self._rng.standard_normal(self.theta.shape)
        ratings = RatingRows(self.ptr, self.near, self.target)
        self.theta = solve_rows(ratings, other.theta, self.expected(), self.precision, alpha, noise)

    def expected(self) -> Floats:
        return prior_means(self.ptr, self.near, self.mean, self.links)

    def sample_priors(self, other: SideSampler) -> None:
        """Draw mean and precision (and the implicit terms) given the vectors of rows that have ratings."""
        free = self.theta - (self.expected() - self.mean)
        scatter, extra = np.zeros_like(self.precision), 0
        if self.links is not None:
            active = self.links[other.active]
            scatter, extra = self.shrink * active.T @ active, len(active)
        self._normal_wishart(free[self.active], scatter, extra)
        if self.links is not None:
            self._sample_links(free - self.mean, other)

    def _normal_wishart(self, rows: Floats, scatter: Floats, extra: int) -> None:
        """Draw mean and precision; the prior has beta_0 = 2, nu_0 = D, W_0 = I (2008, equation 14)."""
        n, width = rows.shape
        centre = rows.mean(axis=0)
        spread = (rows - centre).T @ (rows - centre)
        inverse = np.eye(width) + spread + 2.0 * n / (2.0 + n) * np.outer(centre, centre) + scatter
        lower = np.linalg.cholesky(np.linalg.inv(inverse))
        bartlett = np.tril(self._rng.standard_normal((width, width)), -1)
        freedom = width + n + extra - np.arange(width)
        bartlett[np.diag_indices(width)] = np.sqrt(self._rng.chisquare(freedom))
        root = lower @ bartlett
        self.precision = root @ root.T
        deviate = np.linalg.solve(root.T, self._rng.standard_normal(width))
        self.mean = n / (2.0 + n) * centre + deviate / np.sqrt(2.0 + n)

    def _sample_links(self, left: Floats, other: SideSampler) -> None:
        if self.links is None:
            return
        root = np.linalg.cholesky(self.precision)
        noise = np.ascontiguousarray(np.linalg.solve(root.T, self._rng.standard_normal(self.links.shape).T).T)
        update_links(other.ptr, other.near, self.weight, left, self.links, self.shrink, noise)
        used = self.links[other.active] @ root
        self.shrink = self._rng.gamma(1.0 + used.size / 2, 1.0 / (1.0 + np.sum(used**2) / 2))


class Sampler:
    """Both sides and the noise; `sweep` draws each of them once.

    Args:
        ratings: [n_users, n_items], in standard deviations from their mean.
        factors: length of ``p_u``.
        implicit: whether there are implicit terms.
        rng: where all draws come from.
    """

    def __init__(self, ratings: sparse.csr_array, factors: int, implicit: bool, rng: np.random.Generator):
        turned = sparse.csr_array(ratings.T)
        turned.sort_indices()
        self.user = SideSampler(ratings, factors, implicit, rng)
        self.item = SideSampler(turned, factors, implicit, rng)
        self.alpha = 1.0
        self._rows = np.repeat(np.arange(ratings.shape[0]), np.diff(ratings.indptr))
        self._rng = rng

    def sweep(self) -> float:
        """Draw everything once; returns the mean squared error of the draw on the ratings."""
        self.user.sample_priors(self.item)
        self.item.sample_priors(self.user)
        self.user.sample(self.item, self.alpha)
        self.item.sample(self.user, self.alpha)
        left, right = self.user.theta[self._rows], self.item.theta[self.user.near]
        predicted = np.einsum("nk,nk->n", left[:, :-1], right[:, :-1]) + left[:, -1] + right[:, -1]
        squares = float(np.sum((self.user.target - predicted) ** 2))
        self.alpha = float(self._rng.gamma(1.0 + len(predicted) / 2, 1.0 / (1.0 + squares / 2)))
        return squares / len(predicted)

    def draw(self) -> dict[str, NDArray[Any]]:
        """What `FactorModel` keeps of the state; rows without ratings get means."""
        user, item = self.user, self.item
        expected = item.expected()
        expected[item.active] = item.theta[item.active]
        ratings = RatingRows(user.ptr, user.near, user.target)
        means = solve_rows(ratings, expected, user.expected(), user.precision, self.alpha, NO_NOISE)
        draw: dict[str, NDArray[Any]] = {"alpha": np.array(self.alpha)}
        draw["user"], draw["item"] = means.astype(np.float32), expected.astype(np.float32)
        for name, side, other in (("user", user, item), ("item", item, user)):
            draw[f"{name}_mean"], draw[f"{name}_precision"] = side.mean.copy(), side.precision.copy()
            if side.links is not None:
                draw[f"{name}_links"] = np.zeros(side.links.shape, np.float32)
                draw[f"{name}_links"][other.active] = side.links[other.active]
        return draw


def prior_means(
    ptr: NDArray[np.int64], near: NDArray[np.int32], mean: Floats, links: Floats | None
) -> Floats:
    """What each row's vector is expected to be before the values of its ratings are seen, float64 [n, D]."""
    if links is None:
        return np.tile(mean, (len(ptr) - 1, 1))
    added: Floats = implicit_sums(ptr, near, _weights(ptr), links)
    return mean + added


def _weights(ptr: NDArray[np.int64]) -> Floats:
    """``|N|^-1/2`` of each row, 0 where it has no ratings."""
    count = np.diff(ptr)
    return np.where(count > 0, 1.0 / np.sqrt(np.maximum(count, 1)), 0.0)


def conditional_means(
    matrix: sparse.csr_array, other: Floats, prior_means: Floats, precision: Floats, alpha: float
) -> Floats:
    """The expected vectors of rows given all else, float64 [n, D]: a ridge regression for each row.

    Args:
        matrix: [n, n_other], the ratings of each row, in standard deviations.
        other: float64 [n_other, D], vectors of the other side.
        prior_means: float64 [n, D]. precision: float64 [D, D]. alpha: precision of the noise.
    """
    ratings = RatingRows(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float64)
    )
    means: Floats = solve_rows(ratings, other, prior_means, precision, alpha, NO_NOISE)
    return means
