"""A view of one user with additional ratings, made for one call."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.config import COVERAGE
from igmc.graph import ServingGraph
from igmc.inference.id_encoding import ExtendedIds
from igmc.inference.predictions import Predictions, predict_pairs
from igmc.networks import AnyScorer
from igmc.ratings import RatingScale, RawId
from igmc.short_repr import short_repr

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UserView"]


@dataclass(frozen=True, eq=False)
class UserView:
    """A user and the known ratings of all users; made by `igmc.inference.predictor.Predictor.with_user`.

    Attributes:
        user: dense index in `graph`; after the known users if the user is new.
        known: ratings of the predictor; graph: these and the user's ratings.
        items: the predictor's ids, and those among the user's ratings that it does not know.
        scale, scorer: the predictor's.
    """

    __repr__ = short_repr

    user: int
    known: ServingGraph
    graph: ServingGraph
    items: ExtendedIds
    scale: RatingScale
    scorer: AnyScorer

    @property
    def rated(self) -> NDArray[np.int32]:
        """The items that the user has rated, int32 [n], dense indices in ascending order."""
        return np.sort(self.graph.by_user.row(self.user)[0])

    def score(
        self, item_ids: Iterable[RawId], *, clip: bool = True, coverage: float = COVERAGE
    ) -> pd.DataFrame:
        """See `igmc.inference.predictor.Predictor.score_user`."""
        import pandas as pd

        given = list(item_ids)
        found = self.score_indices(self.items.encode(given), clip=clip, coverage=coverage)
        return pd.DataFrame({"item_id": given, **found.columns()})

    def score_indices(
        self,
        item: NDArray[np.int32],
        *,
        clip: bool = True,
        coverage: float = COVERAGE,
        deadline: float = inf,
    ) -> Predictions:
        """Predictions for n items, int32 [n] dense indices of `graph`, or -1 for an unknown one.

        Raises:
            TimeoutError: after the deadline; see `igmc.networks.AnyScorer.score`.
        """
        users = np.full(len(item), self.user, np.int32)
        return predict_pairs(
            self.scorer,
            self.scale,
            self.graph,
            users,
            item,
            clip=clip,
            known=self.known,
            coverage=coverage,
            deadline=deadline,
        )
