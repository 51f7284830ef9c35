"""One user whose ratings lie over what is known, for as long as a request takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.graph import ServingGraph
from igmc.inference.encoding import near_ids, unknown_ids
from igmc.inference.predictions import Predictions, answer
from igmc.inference.scoring import Scorer
from igmc.ratings import IdTable, RatingScale, RawId

if TYPE_CHECKING:
    import pandas as pd

    from igmc.inference.predictor import Predictor

__all__ = ["UserView", "encode_items", "view_of"]


@dataclass(frozen=True, eq=False)
class UserView:
    """A user and the ratings known to a request; `igmc.inference.predictor.Predictor.with_user` makes one.

    Attributes:
        user: dense index in `graph`; one beyond the known users if this is a new one.
        graph: what the predictor knows, and the user's ratings.
        items: the predictor's ids; new_items: those it does not know -> their dense indices in `graph`.
        scale, scorer: the predictor's.
    """

    user: int
    graph: ServingGraph
    items: IdTable
    new_items: Mapping[RawId, int]
    scale: RatingScale
    scorer: Scorer

    @property
    def rated(self) -> NDArray[np.int32]:
        """The items that the user has rated, int32 [n], dense indices in ascending order."""
        return np.sort(self.graph.by_user.row(self.user)[0])

    def score(self, item_ids: Iterable[RawId], *, clip: bool = True) -> pd.DataFrame:
        """See `igmc.inference.predictor.Predictor.score_user`."""
        import pandas as pd

        given = list(item_ids)
        score, source = self.score_indices(encode_items(self.items, self.new_items, given), clip=clip)
        return pd.DataFrame({"item_id": given, "score": score, "source": source})

    def score_indices(
        self, item: NDArray[np.int32], *, clip: bool = True, deadline: float = inf
    ) -> Predictions:
        """Answers for n items, int32 [n] dense indices in the range of `graph`, or -1 for an unknown one.

        Raises:
            TimeoutError: after the deadline; see `igmc.inference.scoring.Scorer.score`.
        """
        users = np.full(len(item), self.user, np.int32)
        return answer(self.scorer, self.scale, self.graph, users, item, clip=clip, deadline=deadline)


def view_of(predictor: Predictor, user_id: RawId | None, ratings: Mapping[RawId, float] | None) -> UserView:
    """The user of a question, as `Predictor.with_user`, but ids that the run does not know are refused.

    Args:
        predictor: what is known.
        user_id: a user of the run; with ratings also a new one, or None.
        ratings: item id -> rating; none of a user who is known if None.

    Raises:
        DataError: on an unknown user without ratings, an unknown item among the ratings, or a rating that is
            not on the scale.
    """
    if ratings is None and user_id is not None and unknown_ids(predictor.users, [user_id]):
        raise DataError(
            "the run knows no such user",
            got=user_id,
            remedy=f"{near_ids(predictor.users, user_id)}; or give the ratings of a new user",
        )
    for unknown in unknown_ids(predictor.items, ratings or ()):
        raise DataError(
            "a rated item is not known to the run",
            got=unknown,
            remedy=f"{near_ids(predictor.items, unknown)}; or leave this rating out",
        )
    return predictor.with_user(ratings or {}, user_id)


def encode_items(table: IdTable, new: Mapping[RawId, int], item_ids: Iterable[RawId]) -> NDArray[np.int32]:
    """Dense indices, int32 [n], of ids that are in a table or new; -1 for others."""
    given = list(item_ids)
    index = table.encode(given)
    for at in np.flatnonzero(index < 0).tolist() if new else ():
        index[at] = new.get(given[at], -1)
    return index
