"""Popularity: the same ranking for everybody, by the number of ratings, of all or of recent times."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import Config, knob
from igmc.errors import DataError
from igmc.ratings import UNKNOWN_TIME
from igmc.recommenders.base import Floats, Indices, Monitor
from igmc.recommenders.means import CountingRecommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["Popularity", "PopularityConfig"]

DAY = 86_400  # seconds


@dataclass(frozen=True)
class PopularityConfig(Config):
    """What counts as popular."""

    half_life: float | None = knob(
        None,
        "days after which a rating counts half, by the newest one in training; all count alike if not set",
        low=1e-6,
        high=1e6,
        late=True,
    )


class Popularity(CountingRecommender):
    """Ranks items by their number of ratings, the same for every user.

    With `half_life`, a rating counts ``2^(-age / half_life)``, its age being the time before the newest
    training rating: what is popular now. Ratings of newcomers without a time count as the newest.
    """

    name: ClassVar = "popularity"
    config_class: ClassVar = PopularityConfig
    fitted: ClassVar = (*CountingRecommender.fitted, "newest", "recent")
    added: ClassVar = ("newest", "recent")

    newest: int | None
    recent: NDArray[np.float64] | None

    @property
    def ranks_only(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        return {"half_life": Range(1.0, 1000.0, log=True)} if self.config.half_life else {}

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        timed = self.config.half_life is not None
        unknown = int((data.train.timestamp == UNKNOWN_TIME).sum())
        if timed and unknown:
            raise DataError(
                "half_life needs the time of every rating",
                got=f"{unknown} of {len(data.train)} ratings without a time",
                remedy="omit half_life, or name the time column of the data",
            )
        self.newest = int(data.train.timestamp.max()) if timed else None
        self.recent = np.zeros(self.n_items) if timed else None
        super()._fit(data, monitor)

    def _fold_in(self, support: Ratings) -> None:
        super()._fold_in(support)
        if self.recent is None or self.newest is None:
            return
        age = np.maximum(self.newest - support.timestamp, 0) / DAY
        age[support.timestamp == UNKNOWN_TIME] = 0  # a newcomer's, given now
        self.recent = self.recent + np.bincount(
            support.item, 2 ** (-age / self.config.half_life), self.n_items
        )

    def _predict(self, user: Indices, item: Indices) -> Floats:
        counts = self.item_count if self.recent is None else self.recent
        return counts[item].astype(np.float32)
