"""Bayesian matrix factorization by Gibbs sampling: half-sweeps, and the priors that they learn.

Ratings, in standard deviations from their mean, are ``r_ui = p_u . q_i + b_u + b_i + noise``, and the vectors
``(p_u, b_u)`` of the users (as ``(q_i, b_i)`` of the items) come from one Gaussian with unknown mean and
covariance (Salakhutdinov & Mnih, *Bayesian Probabilistic Matrix Factorization using MCMC*, ICML 2008).

With `implicit`, the mean of a row's Gaussian depends on which ratings it has, whatever their values: to it is
added ``|N(u)|^-1/2 sum_{j in N(u)} y_j``, the implicit term of SVD++ (Koren, KDD 2008), on both sides
("flipped": Rendle, Zhang & Koren, *On the Difficulty of Evaluating Baselines*, 2019). It is sampled as a
regression of the vectors on their side information (Simm et al., *Macau*, 2015).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.estimates.effects import EffectSampler
from igmc.estimates.rating_rows import in_threads, others_of, padded, parts_of, rows_of, weights_of
from igmc.estimates.sampling_kernels import RatingRows, solve_rows, squared_error, update_links
from igmc.ratings import RowFeatures, SideInformation
from igmc.rng import stream

__all__ = ["Draw", "Sampler", "SideDraw", "SideSampler"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class SideDraw:
    """One draw of a side, D = factors + 1 numbers per row, the bias last.

    Attributes:
        vectors: float32 [n, D], as drawn; the expectation for rows without ratings.
        mean, precision: float64 [D] and [D, D], of the Gaussian of the vectors.
        links: float32 [n_other, D], the implicit terms, 0 for rows without ratings; None without such terms.
        effects: float64 [F, D], of side information, and shrink: float64 [F], how far each was shrunk; None
            without any.
    """

    vectors: Singles
    mean: Floats
    precision: Floats
    links: Singles | None
    effects: Floats | None = None
    shrink: Floats | None = None


@dataclass(frozen=True, eq=False)
class Draw:
    """One draw: both sides, and `alpha`, the precision of the noise."""

    users: SideDraw
    items: SideDraw
    alpha: float


class SideSampler:
    """The users or the items as they are sampled, D = factors + 1 numbers per row, the bias last.

    Args:
        ratings: by rows, in standard deviations.
        turned: the same by rows of the other side.
        factors: D - 1.
        implicit: whether there are implicit terms.
        features: side information of its rows, or None.
        rng: of this side alone, so that both can be drawn at the same time.

    Attributes:
        theta: float32 [n, W], the sampled vectors, W numbers as in `sampling_kernels`.
        mean, precision: float64 [D] and [D, D], of their Gaussian.
        implicit: float32 [n, W], the sums of implicit terms.
        shift: float32 [n, W], what side information adds to the mean.
        links: float32 [n_other, W], the implicit terms ``y``, or None.
        weight: float32 [n], ``|N|^-1/2`` of each row, 0 where it has no ratings.
    """

    def __init__(
        self,
        ratings: RatingRows,
        turned: RatingRows,
        factors: int,
        implicit: bool,
        features: RowFeatures | None,
        rng: np.random.Generator,
    ):
        self.ratings = ratings
        self.active = np.flatnonzero(np.diff(ratings.ptr))
        self.weight = weights_of(ratings.ptr)
        self.width = width = factors + 1
        self.theta = padded(0.1 * rng.standard_normal((len(self.weight), width), np.float32), width)
        self.mean, self.precision = np.zeros(width), np.eye(width) * 10.0
        self.implicit = np.zeros_like(self.theta)
        n_other = len(turned.ptr) - 1
        self.links = padded(np.zeros((n_other, width)), width) if implicit else None
        owner = np.repeat(np.arange(n_other), np.diff(turned.ptr))
        self._squares = np.bincount(owner, self.weight[turned.near] ** 2, n_other).astype(np.float32)
        self.shrink = 1.0  # a start near 0, not near n, where the terms would take hundreds of sweeps to wake
        self.parts = parts_of(ratings.ptr)
        self.features = features if features is not None and len(features.block) else None
        self.shift, self.effects = np.zeros_like(self.theta), None
        if self.features is not None:
            self.effects = EffectSampler(self.features, len(self.theta), self.active, width, rng)
        self._rng = rng

    def sample(self, other: SideSampler, alpha: float, threads: int) -> None:
        """Draw all vectors given those of the other side."""
        self.theta = self.conditional(other.theta, alpha, self._noise(len(self.theta)), threads)

    def conditional(self, other: Singles, alpha: float, noise: Singles, threads: int) -> Singles:
        """The vectors expected of all rows, plus `noise` turned into draws, float32 [n, W].

        Args:
            other: float32 [n_other, W], vectors of the other side.
            alpha: precision of the noise of ratings.
            noise: float32 [n, W], standard normal, or zeros.
            threads: at most.
        """
        precision, theta = self.precision.astype(np.float32), np.zeros_like(self.theta)
        prior = padded(self.expected() @ precision, self.width)
        fixed = self.ratings, others_of(other, self.width - 1), prior, precision, np.float32(alpha), noise
        in_threads(threads, solve_rows, [(*fixed, *part, theta) for part in self.parts])
        return theta

    def expected(self) -> Singles:
        """The expectation of each row before the values of its ratings are seen, float32 [n, D]."""
        found: Singles = (self.implicit + self.shift)[:, : self.width] + self.mean.astype(np.float32)
        return found

    def sample_priors(self, other: SideSampler) -> None:
        """Draw mean and precision (and the implicit terms) given the vectors of rows that have ratings."""
        free = self.theta - self.implicit - self.shift
        scatter, extra = np.zeros_like(self.precision), 0
        if self.links is not None:
            active = self.links[other.active, : self.width].astype(np.float64)
            scatter, extra = self.shrink * active.T @ active, len(active)
        if self.effects is not None:
            scatter, extra = scatter + self.effects.scatter, extra + len(self.effects.effects)
        self._normal_wishart(free[self.active, : self.width].astype(np.float64), scatter, extra)
        if self.links is not None:
            self._sample_links(free, self.links, other)
        if self.effects is not None:
            left = (self.theta - self.implicit)[self.active, : self.width] - self.mean
            self.effects.sample(left, self.precision)
            self.shift = padded(self.effects.shift, self.width)

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

    def _sample_links(self, free: Singles, links: Singles, other: SideSampler) -> None:
        root = np.linalg.cholesky(self.precision)
        left = free - padded(self.mean[None], self.width)
        before = left + self.implicit
        spread = np.linalg.inv(root).astype(np.float32)  # whose rows times noise have the covariance asked
        noise = padded(self._noise(len(links))[:, : self.width] @ spread, self.width)
        ptr, near = other.ratings.ptr, other.ratings.near
        update_links(ptr, near, self.weight, self._squares, left, links, np.float32(self.shrink), noise)
        self.implicit = before - left
        used = links[other.active, : self.width] @ root
        self.shrink = self._rng.gamma(1.0 + used.size / 2, 1.0 / (1.0 + np.sum(used**2) / 2))

    def _noise(self, n: int) -> Singles:
        return padded(self._rng.standard_normal((n, self.width), np.float32), self.width)

    def draw(self, other: SideSampler) -> SideDraw:
        """The current draw; rows without ratings get their expectation."""
        vectors, width = self.expected(), self.width
        vectors[self.active] = self.theta[self.active, :width]
        links = None
        if self.links is not None:
            links = np.zeros((len(self.links), width), np.float32)
            links[other.active] = self.links[other.active, :width]
        effects, shrink = (None, None) if self.effects is None else self.effects.copies()
        return SideDraw(vectors, self.mean.copy(), self.precision.copy(), links, effects, shrink)


class Sampler:
    """Both sides and the noise; `sweep` draws each of them once.

    Equal arguments give equal draws, whatever the number of threads.

    Args:
        user, item: int32 [n], dense indices; no pair twice.
        rating: float [n], at least one.
        n_users, n_items: sizes of both sides.
        factors: length of ``p_u``.
        implicit: whether there are implicit terms.
        seed: of all draws.
        threads: at most.
        side: side information, if any.

    Attributes:
        mean, deviation: of the ratings.
        user, item: the sides.
        alpha: precision of the noise, of ratings in standard deviations.

    Raises:
        DataError: without ratings, or if one is not finite.
    """

    def __init__(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        factors: int,
        implicit: bool,
        seed: int,
        threads: int = 1,
        side: SideInformation | None = None,
    ):
        self.mean, self.deviation = _moments(np.asarray(rating, np.float64))
        target = (np.asarray(rating, np.float64) - self.mean) / self.deviation
        by_user = rows_of(user, item, target, n_users)
        by_item = rows_of(item, user, target, n_items)
        users, items = (None, None) if side is None else side
        rngs = (stream(seed, "estimates", name) for name in ("user", "item"))
        self.user = SideSampler(by_user, by_item, factors, implicit, users, next(rngs))
        self.item = SideSampler(by_item, by_user, factors, implicit, items, next(rngs))
        self.alpha = 1.0
        self.factors, self.threads = factors, threads
        self._rng = stream(seed, "estimates", "noise")

    def sweep(self) -> float:
        """Draw every variable once; returns the mean squared error of the draw on the ratings."""
        user, item = self.user, self.item
        in_threads(self.threads, SideSampler.sample_priors, [(user, item), (item, user)])
        user.sample(item, self.alpha, self.threads)
        item.sample(user, self.alpha, self.threads)
        sides = others_of(user.theta, self.factors), others_of(item.theta, self.factors)
        squares: float = sum(
            in_threads(self.threads, squared_error, [(user.ratings, *sides, *part) for part in user.parts])
        )
        n = len(user.ratings.near)
        self.alpha = float(self._rng.gamma(1.0 + n / 2, 1.0 / (1.0 + squares / 2)))
        return squares / n

    def draw(self) -> Draw:
        """The state, as `FactorEstimates` keeps it."""
        return Draw(self.user.draw(self.item), self.item.draw(self.user), self.alpha)

    def expected_ratings(self, draw: Draw, user: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """Predictions of the last draw for P pairs, from the user vectors expected given the rest of it.

        Args:
            draw: the last one.
            user, item: int32 [P], dense indices.

        Returns:
            float64 [P], ratings.
        """
        items = padded(draw.items.vectors, self.factors + 1)
        users = self.user.conditional(items, draw.alpha, np.zeros_like(self.user.theta), self.threads)
        left, right = users[user, : self.factors + 1], draw.items.vectors[item]
        products = np.einsum("pk,pk->p", left[:, :-1], right[:, :-1]) + left[:, -1] + right[:, -1]
        found: Floats = self.mean + self.deviation * products.astype(np.float64)
        return found


def _moments(rating: Floats) -> tuple[float, float]:
    if not len(rating):
        raise DataError("there is nothing to estimate from: no ratings")
    if not np.isfinite(rating).all():
        raise DataError("a rating is not a finite number")
    return float(rating.mean()), float(rating.std()) or 1.0
