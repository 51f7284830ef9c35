"""EASE: a linear item-item model in closed form, for rankings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.errors import DataError
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.recommenders.validation_ndcg import validation_ndcg

__all__ = ["EASE", "EASEConfig"]

STRENGTHS = (10.0, 30.0, 100.0, 200.0, 400.0, 800.0, 1600.0)
DEFAULT_STRENGTH = 200.0
MOST_ITEMS = 40_000  # the inverse of that size takes 13 GB


@dataclass(frozen=True)
class EASEConfig(Config):
    """How strongly the weights are shrunk."""

    regularization: float | None = knob(
        None,
        "L2 penalty on the item-item weights; by default chosen on validation, else 200",
        low=1e-6,
    )


class EASE(Recommender):
    """``S = X B``, where X tells which items each user has rated and B predicts each item from the others.

    B minimizes ``|X - X B|^2 + regularization |B|^2`` with zeros on its diagonal:
    ``B_ij = -P_ij / P_jj`` for ``P = (X' X + regularization I)^-1`` (Steck, *Embarrassingly Shallow
    Autoencoders for Sparse Data*, WWW 2019). The values of ratings are ignored.

    New ratings of a user count at once after `fold_in`; items unseen in training keep score 0. A user without
    ratings scores 0 everywhere.
    """

    name: ClassVar = "ease"
    config_class: ClassVar = EASEConfig
    fitted: ClassVar = ("known", "weights", "strength")
    inductive: ClassVar = True

    known: dict[str, NDArray[Any]]
    weights: NDArray[np.float32]
    strength: float

    @property
    def ranks_only(self) -> bool:
        return True

    @property
    def uses_validation(self) -> bool:
        return self.config.regularization is None

    def search_space(self) -> dict[str, Range | OneOf]:
        # Steck (2019) needs 200 to 1000 on 20 to 100 million ratings; fewer ratings need less.
        return {"regularization": Range(1.0, 3000.0, log=True)}

    def chosen_config(self) -> EASEConfig:
        config: EASEConfig = self.config
        return config.replace(regularization=self.strength) if self.n_items else config

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        if data.n_items > MOST_ITEMS:
            raise DataError(
                "too many items for EASE, which inverts a dense item-item matrix",
                got=data.n_items,
                allowed=f"at most {MOST_ITEMS}",
                remedy="leave rare items out, or use item_knn",
            )
        self.known = data.train.columns()
        self._restore()
        gram = np.asarray((self.seen.T @ self.seen).todense(), dtype=np.float64)
        strengths = STRENGTHS if self.uses_validation and len(data.validation) else (self._default(),)
        best: tuple[float, float, NDArray[np.float32]] | None = None
        for strength in strengths:
            self.weights = _solve(gram, strength)
            quality = validation_ndcg(self.scores, data) if len(strengths) > 1 else 0.0
            if best is None or quality > best[0]:
                best = quality, strength, self.weights
        if best is not None:
            _, self.strength, self.weights = best

    def _default(self) -> float:
        given = self.config.regularization
        return DEFAULT_STRENGTH if given is None else float(given)

    def _restore(self) -> None:
        """Which items each user has rated."""
        self.seen = Ratings(**self.known).matrix(self.n_users, self.n_items)
        self.seen.data = np.ones_like(self.seen.data)

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()
        self._restore()

    def _predict(self, user: Indices, item: Indices) -> Floats:
        out = np.empty(len(user), np.float32)
        for one in np.unique(user):
            mine = user == one
            rated = self.seen.indices[self.seen.indptr[one] : self.seen.indptr[one + 1]]
            out[mine] = self.weights[np.ix_(rated, item[mine])].sum(axis=0)
        return out

    def _scores(self, users: Indices) -> Floats:
        return np.asarray(self.seen[users] @ self.weights, dtype=np.float32)


def _solve(gram: NDArray[np.float64], strength: float) -> NDArray[np.float32]:
    """B, float32 [n_items, n_items]."""
    inverse = np.linalg.inv(gram + strength * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)
