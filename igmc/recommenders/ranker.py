"""The ranker behind the interface of all recommenders."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from igmc.config import RankerConfig
from igmc.ranking import Ranker, Rows, fit_ranker
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["RankerRecommender"]


class RankerRecommender(Recommender):
    """A small network over closed-form scores (EASE, random walks, neighbours, ...); see `igmc.ranking`.

    It embeds no user and no item: ratings of new users count at once after `fold_in`, and what it learned can
    be laid over another data set. Statistics stay those of training; items unseen then are ranked by nothing.
    """

    name: ClassVar = "ranker"
    config_class: ClassVar = RankerConfig
    fitted: ClassVar = ("known", "trained", "state")
    inductive: ClassVar = True

    known: dict[str, NDArray[Any]]
    trained: dict[str, NDArray[Any]]
    state: dict[str, Any]

    @property
    def ranks_only(self) -> bool:
        return True

    def search_space(self) -> dict[str, Range | OneOf]:
        return {
            "hidden": Range(0.05, 0.3),
            "newcomers": Range(0.0, 0.5),
            "epochs": OneOf((3, 6, 12)),
            "learning_rate": Range(1e-3, 1e-2, log=True),
            "weight_decay": Range(1e-4, 1e-1, log=True),
        }

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.known = self.trained = data.train.columns()

        def told(record: Any) -> None:
            self.history.append(dict(record))
            if monitor is not None:
                monitor(record)

        self.ranker = fit_ranker(data.matrix(), self.config, seed=self.seed, monitor=told)
        self.state = self.ranker.state()
        self._restore()

    def _restore(self) -> None:
        seen = Ratings(**self.trained).matrix(self.n_users, self.n_items)
        seen.data = np.ones_like(seen.data)
        self.ranker = Ranker.from_state(self.config, seen, self.state)

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()

    def _predict(self, user: Indices, item: Indices) -> Floats:
        asked, place = np.unique(user, return_inverse=True)
        return self._scores(asked)[place, item]

    def _scores(self, users: Indices) -> Floats:
        rating = Ratings(**self.known).matrix(self.n_users, self.n_items)[users]
        seen = rating.copy()
        seen.data = np.ones_like(seen.data)
        return self.ranker.scores(Rows(seen, rating, users.astype(np.int64)))
