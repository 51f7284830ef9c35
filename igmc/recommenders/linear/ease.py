"""EASE: a linear item-item model in closed form, for rankings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.errors import DataError
from igmc.recommenders.base import Monitor
from igmc.recommenders.linear.item_weights import ItemWeights
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import TrainingData

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


class EASE(ItemWeights):
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

    strength: float

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
        self.strength = self._choose(data, ((strength, _solve(gram, strength)) for strength in strengths))

    def _default(self) -> float:
        given = self.config.regularization
        return DEFAULT_STRENGTH if given is None else float(given)


def _solve(gram: NDArray[np.float64], strength: float) -> NDArray[np.float32]:
    """B, float32 [n_items, n_items]."""
    inverse = np.linalg.inv(gram + strength * np.eye(len(gram)))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0.0)
    return weights.astype(np.float32)
