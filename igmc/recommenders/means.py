"""Recommenders that know averages only: what any model has to beat."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["CountingRecommender", "GlobalMean", "ItemMean", "MeanConfig", "UserItemMean", "UserMean"]


@dataclass(frozen=True)
class MeanConfig(Config):
    """How far means of few ratings are shrunk."""

    damping: float = knob(0.0, "number of pseudo-ratings at the global mean added to each mean", low=0.0)


class CountingRecommender(Recommender):
    """Keeps the mean of all ratings, and of each user and item their number and their sum less that mean."""

    fitted: ClassVar[tuple[str, ...]] = ("mean", "user_sum", "user_count", "item_sum", "item_count")
    inductive: ClassVar = True

    mean: float
    user_sum: NDArray[np.float64]
    user_count: NDArray[np.int64]
    item_sum: NDArray[np.float64]
    item_count: NDArray[np.int64]

    def search_space(self) -> dict[str, Range | OneOf]:
        # The noise of a rating by the variance of means is 1 to 10 on the usual scales of 5 stars.
        return {"damping": Range(0.0, 25.0)} if isinstance(self.config, MeanConfig) else {}

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.mean = float(data.train.rating.mean(dtype=np.float64))
        self.user_sum, self.user_count = np.zeros(self.n_users), np.zeros(self.n_users, np.int64)
        self.item_sum, self.item_count = np.zeros(self.n_items), np.zeros(self.n_items, np.int64)
        self._fold_in(data.train)

    def _fold_in(self, support: Ratings) -> None:
        """The global mean stays that of training, which the other means are shrunk to."""
        excess = support.rating.astype(np.float64) - self.mean
        self.user_sum = self.user_sum + np.bincount(support.user, excess, self.n_users)
        self.item_sum = self.item_sum + np.bincount(support.item, excess, self.n_items)
        self.user_count = self.user_count + np.bincount(support.user, minlength=self.n_users)
        self.item_count = self.item_count + np.bincount(support.item, minlength=self.n_items)

    def _user(self, user: Indices) -> NDArray[np.float64]:
        """How far the mean of each user lies above the global mean."""
        above: NDArray[np.float64] = self.user_sum[user] / np.maximum(
            self.user_count[user] + self.config.damping, 1e-12
        )
        return above

    def _item(self, item: Indices) -> NDArray[np.float64]:
        above: NDArray[np.float64] = self.item_sum[item] / np.maximum(
            self.item_count[item] + self.config.damping, 1e-12
        )
        return above


class GlobalMean(CountingRecommender):
    """The mean of all ratings, for any pair."""

    name: ClassVar = "global_mean"

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return np.full(len(user), self.mean, np.float32)


class UserMean(CountingRecommender):
    """The mean of the user's ratings; the global mean for a user without any."""

    name: ClassVar = "user_mean"
    config_class: ClassVar = MeanConfig

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return (self.mean + self._user(user)).astype(np.float32)


class ItemMean(CountingRecommender):
    """The mean of the item's ratings; the global mean for an item without any."""

    name: ClassVar = "item_mean"
    config_class: ClassVar = MeanConfig

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return (self.mean + self._item(item)).astype(np.float32)


class UserItemMean(CountingRecommender):
    """``(user mean + item mean) / 2``, each of them the global mean where there is no rating."""

    name: ClassVar = "user_item_mean"
    config_class: ClassVar = MeanConfig

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return (self.mean + (self._user(user) + self._item(item)) / 2).astype(np.float32)
