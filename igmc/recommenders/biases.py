"""Regularized biases: some users are kind, and some items are good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["BiasConfig", "Biases", "fit_biases", "fold_in_biases", "predict_biases"]

DAMPINGS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
DEFAULT_DAMPING = 5.0
SWEEPS = 20
_LEARNED = ("mean", "damping", "user_bias", "item_bias")


@dataclass(frozen=True)
class BiasConfig(Config):
    """How far biases of few ratings are shrunk."""

    damping: float | None = knob(
        None,
        "number of pseudo-ratings that shrink each bias to 0; by default chosen on validation, else 5",
        low=0.0,
    )


class Biases(Recommender):
    """``r_ui = mean + b_u + b_i``, with the biases shrunk to 0.

    Minimizes ``sum (r - mean - b_u - b_i)^2 + damping * (sum b_u^2 + sum b_i^2)`` by alternating exact steps
    (Koren, Bell & Volinsky, *Matrix Factorization Techniques for Recommender Systems*, 2009, without the
    factors). A user or item without ratings has bias 0.
    """

    name: ClassVar = "biases"
    config_class: ClassVar = BiasConfig
    fitted: ClassVar = (*_LEARNED, "known")
    inductive: ClassVar = True

    mean: float
    damping: float
    user_bias: NDArray[np.float64]
    item_bias: NDArray[np.float64]
    known: dict[str, NDArray[np.generic]]

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.damping = self.config.damping if self.config.damping is not None else self._best_damping(data)
        self._solve(data.train, self.damping)
        self.known = {"user": data.train.user, "item": data.train.item, "rating": data.train.rating}

    @property
    def uses_validation(self) -> bool:
        return self.config.damping is None

    def search_space(self) -> dict[str, Range | OneOf]:
        # Between the values that it would choose from by itself.
        return {"damping": Range(0.5, DAMPINGS[-1], log=True)}

    def chosen_config(self) -> BiasConfig:
        return BiasConfig(damping=self.damping)

    def _best_damping(self, data: TrainingData) -> float:
        if not len(data.validation):
            return DEFAULT_DAMPING
        errors = {}
        for damping in DAMPINGS:
            self._solve(data.train, damping)
            error = self._predict(data.validation.user, data.validation.item) - data.validation.rating
            errors[damping] = float(np.mean(np.square(error, dtype=np.float64)))
        return min(errors, key=errors.__getitem__)

    def _solve(self, known: Ratings, damping: float) -> None:
        user, item, rating = known.user, known.item, known.rating.astype(np.float64)
        self.mean = float(rating.mean())
        self.user_bias, self.item_bias = np.zeros(self.n_users), np.zeros(self.n_items)
        for _ in range(SWEEPS):
            self.item_bias = _shrunk_mean(
                item, rating - self.mean - self.user_bias[user], self.n_items, damping
            )
            self.user_bias = _shrunk_mean(
                user, rating - self.mean - self.item_bias[item], self.n_users, damping
            )

    def _fold_in(self, support: Ratings) -> None:
        """New users and items get the bias that fits best with all else as it is; first items, then users."""
        user, item, rating = (
            np.concatenate([self.known[name], getattr(support, name)]) for name in ("user", "item", "rating")
        )
        self.known = {"user": user, "item": item, "rating": rating}
        left = rating.astype(np.float64) - self.mean
        fresh = np.unique(support.item)
        biases = _shrunk_mean(item, left - self.user_bias[user], self.n_items, self.damping)
        self.item_bias = self.item_bias.copy()
        self.item_bias[fresh] = biases[fresh]
        fresh = np.unique(support.user)
        biases = _shrunk_mean(user, left - self.item_bias[item], self.n_users, self.damping)
        self.user_bias = self.user_bias.copy()
        self.user_bias[fresh] = biases[fresh]

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return (self.mean + self.user_bias[user] + self.item_bias[item]).astype(np.float32)

    def _scores(self, users: Indices) -> Floats:
        return (self.mean + self.user_bias[users][:, None] + self.item_bias).astype(np.float32)


def fit_biases(data: TrainingData, damping: float) -> dict[str, Any]:
    """What `Biases` learns from the training ratings, for another model that keeps those ratings itself."""
    model = Biases(BiasConfig(damping=damping))
    model.n_users, model.n_items = data.n_users, data.n_items
    model._fit(data, None)  # not `fit`, which refuses ratings that are all equal; rankings do not mind them
    return _state(model)


def predict_biases(state: dict[str, Any], user: NDArray[Any], item: NDArray[Any]) -> NDArray[np.float64]:
    """What they predict for some pairs, float64 [P]."""
    bias: NDArray[np.float64] = state["mean"] + state["user_bias"][user] + state["item_bias"][item]
    return bias


def fold_in_biases(
    state: dict[str, Any], known: dict[str, NDArray[Any]], support: Ratings, n_users: int, n_items: int
) -> dict[str, Any]:
    """The same with more ratings than those known, by `Biases.fold_in`."""
    model = Biases(BiasConfig(damping=state["damping"]))
    model.n_users, model.n_items, model.known = n_users, n_items, known
    for name in _LEARNED:
        setattr(model, name, state[name])
    return _state(model.fold_in(support))


def _state(model: Biases) -> dict[str, Any]:
    return {name: getattr(model, name) for name in _LEARNED}


def _shrunk_mean(
    index: NDArray[np.int32], values: NDArray[np.float64], size: int, damping: float
) -> NDArray[np.float64]:
    """Per index the sum of its values over (their number + damping); 0 where there is none."""
    total = np.bincount(index, weights=values, minlength=size)
    count = np.bincount(index, minlength=size)
    return np.where(count > 0, total / np.maximum(count + damping, 1e-12), 0.0)
