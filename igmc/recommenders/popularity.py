"""Popularity: the same ranking for everybody, by the number of ratings."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from igmc.recommenders.base import Floats, Indices
from igmc.recommenders.means import CountingRecommender

__all__ = ["Popularity"]


class Popularity(CountingRecommender):
    """Ranks items by their number of ratings, the same for every user."""

    name: ClassVar = "popularity"

    @property
    def ranks_only(self) -> bool:
        return True

    def _predict(self, user: Indices, item: Indices) -> Floats:
        return self.item_count[item].astype(np.float32)
