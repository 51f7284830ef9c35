"""Effects of side information on vectors: drawn in the sampler, and used for the expectation of new rows.

Row i has ``theta_i = x_i B + e_i``, with e_i Gaussian of precision P. The prior of each row of B is Gaussian
with mean 0 and precision ``shrink_b P``, where b is the block of the feature and shrink_b has a wide gamma
prior (Simm et al., *Macau: Scalable Bayesian factorization with high-dimensional side information using
MCMC*, 2015). It is the model of Agarwal & Chen (*Regression-based latent factor models*, KDD 2009), and the
ridge of the regression is drawn too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.estimates.sampling_kernels import RatingRows
from igmc.ratings import RowFeatures

__all__ = ["EffectSampler", "correction", "regressed_on"]

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]


class EffectSampler:
    """Draws B, and the shrinkage of each block of it.

    Args:
        features: of the n rows, and perhaps of more.
        n: number of rows.
        active: int64, rows with ratings; only these are learned from.
        width: D, numbers a row.
        rng: of the draws.

    Attributes:
        effects: float64 [F, D], B.
        shrink: float64 [F].
    """

    def __init__(
        self, features: RowFeatures, n: int, active: NDArray[np.int64], width: int, rng: np.random.Generator
    ) -> None:
        self._values, self._block, self._rng = features.values[:n], features.block, rng
        self._known = self._values[active].astype(np.float64)
        self._squares = self._known.T @ self._known
        size = len(features.block)
        self.effects, self.shrink = np.zeros((size, width)), np.ones(size)

    @property
    def shift(self) -> Singles:
        """The expectation of each row, less the mean: float32 [n, D]."""
        found: Singles = self._values @ self.effects.astype(np.float32)
        return found

    @property
    def scatter(self) -> Floats:
        """What the effects add to the covariance of rows: ``B' diag(shrink) B``, float64 [D, D]."""
        found: Floats = (self.effects.T * self.shrink) @ self.effects
        return found

    def copies(self) -> tuple[Floats, Floats]:
        """The current draw: B and shrink."""
        return self.effects.copy(), self.shrink.copy()

    def sample(self, left: Floats, precision: Floats) -> None:
        """Draw B given the residuals it must explain, then the shrinkage given B.

        Args:
            left: float64 [n_active, D]. precision: float64 [D, D], P.
        """
        size, width = self.effects.shape
        lower = np.linalg.cholesky(self._squares + np.diag(self.shrink))
        root = np.linalg.cholesky(precision)
        noise = self._rng.standard_normal((size, width)) @ np.linalg.inv(root)
        self.effects = np.linalg.solve(lower.T, np.linalg.solve(lower, self._known.T @ left) + noise)
        squares = np.bincount(self._block, np.sum((self.effects @ root) ** 2, axis=1))
        numbers = np.bincount(self._block) * width
        drawn = self._rng.gamma(1.0 + numbers / 2, 1.0 / (1.0 + squares / 2))
        self.shrink = drawn[self._block]


def regressed_on(values: Singles, share: Singles, shrink: Floats, target: NDArray[Any]) -> Floats:
    """The ridge regression of what is known of some rows on their side information, float64 [F, D].

    Args:
        values: float32 [r, F]; share: float32 [r], weights of the rows, with sum 1.
        shrink: float64 [F], the ridge of each feature, in rows.
        target: float [r, D], with weighted mean 0.
    """
    x = (values - share @ values).astype(np.float64)
    weighted, effective = x.T * share, 1.0 / float(share @ share)
    found: Floats = np.linalg.solve(
        weighted @ x + np.diag(shrink) / effective, weighted @ target.astype(float)
    )
    return found


def correction(vectors: Singles, expected: Singles, other: Singles, ratings: RatingRows) -> Floats:
    """The correction of the vector expected of a row from side information alone; float64 [D].

    Rows are not asked about equally often: those that will get many ratings are asked about often, and are
    better than most. So the mean residual of the vectors over *ratings* is added. And users rate what they
    like: the mean product of user and item is above the product of the means. So the bias gets the residual
    of the ratings.

    Args:
        vectors: float32 [n, D], as drawn; expected: float32 [n, D], their expectation.
        other: float32 [m, D], vectors of the other side.
        ratings: by rows, in standard deviations.
    """
    count = np.diff(ratings.ptr)
    share = count / len(ratings.near)
    found: Floats = share @ (vectors - expected).astype(np.float64)
    rated = sparse.csr_array(
        (np.ones(len(ratings.near), np.float32), ratings.near, ratings.ptr), shape=(len(count), len(other))
    )
    sums = (rated @ other).astype(np.float64)  # over the ratings of each row
    usual = expected.astype(np.float64) + found
    told = np.sum(usual[:, :-1] * sums[:, :-1]) + count @ usual[:, -1] + sums[:, -1].sum()
    found[-1] += (float(ratings.target.sum(dtype=np.float64)) - told) / len(ratings.near)
    return found
