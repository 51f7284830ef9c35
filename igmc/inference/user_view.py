"""One user whose ratings lie over what is known, for as long as a request takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.graph.serving import ServingGraph
from igmc.inference.answers import Predictions, answer
from igmc.inference.scoring import Scorer
from igmc.ratings.ids import IdTable, RawId
from igmc.ratings.scale import RatingScale

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UserView", "encode_items"]


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

    def score_indices(self, item: NDArray[np.int32], *, clip: bool = True) -> Predictions:
        """Answers for n items, int32 [n] dense indices in the range of `graph`, or -1 for an unknown one."""
        users = np.full(len(item), self.user, np.int32)
        return answer(self.scorer, self.scale, self.graph, users, item, clip=clip)


def encode_items(table: IdTable, new: Mapping[RawId, int], item_ids: Iterable[RawId]) -> NDArray[np.int32]:
    """Dense indices, int32 [n], of ids that are in a table or new; -1 for others."""
    given = list(item_ids)
    index = table.encode(given)
    for at in np.flatnonzero(index < 0).tolist() if new else ():
        index[at] = new.get(given[at], -1)
    return index
