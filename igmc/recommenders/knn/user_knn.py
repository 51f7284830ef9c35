"""User-based nearest neighbours: a rating is predicted from similar users' ratings of the item."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from igmc.recommenders.base import Floats, Indices
from igmc.recommenders.knn.kernels import Neighbours, weigh_row
from igmc.recommenders.knn.knn_recommender import KNNRecommender, sparse_rows

__all__ = ["UserKNN"]


class UserKNN(KNNRecommender):
    """``r_ui = b_ui + sum_v s_uv (r_vi - b_vi) / (sum_v s_uv + caution)`` over users v like u, who rated i.

    As `ItemKNN`, with users compared. In `fold_in` a new item's ratings count at once, and a new user is
    compared with all others.
    """

    name: ClassVar = "user_knn"
    side: ClassVar = "user"
    ranking_defaults: ClassVar = {"similarity": "pearson", "shrinkage": 0.0, "neighbours": 40, "kept": 500}

    def _scores(self, users: Indices) -> Floats:
        items = np.arange(self.n_items, dtype=np.int32)
        rows = sparse_rows(self.rows)
        out = np.empty((len(users), self.n_items), np.float32)
        for place, user in enumerate(users):
            neighbours = Neighbours(self.near[user], self.weight[user])
            total, weights = weigh_row(neighbours, rows, self.n_items, self.chosen_config().neighbours)
            out[place] = self._answer(total, weights, np.full(self.n_items, user, np.int32), items)
        return out
