"""A list for a user, with what is known of its items."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.inference.base import BasePredictor
from igmc.ratings import RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Recommendations"]

Floats = NDArray[np.float32]


class Recommendations(NamedTuple):
    """A list of n items, n <= k, with scores and sources.

    Attributes:
        item: int32 [n], dense indices, the first of the list first.
        score: float32 [n], predicted ratings, within the scale; None of a run that predicts none.
        lift: float32 [n], unclipped predictions minus the usual ratings of the items; see
            `igmc.inference.lists.orders`; or None.
        source: [n] texts; see `Predictions`; or None.
        reason: why there are fewer than k items, as a sentence; empty if there are k.
        scored: number of items scored by the models.
        rated: number of known ratings of the user.
        low, high: float32 [n], bounds of an interval around each; None if the run gives none.
        relevance: float32 [n], if the list is ordered by relevance, alone or blended.
    """

    item: NDArray[np.int32]
    score: Floats | None
    lift: Floats | None
    source: NDArray[np.str_] | None
    reason: str
    scored: int
    rated: int
    low: Floats | None = None
    high: Floats | None = None
    relevance: Floats | None = None

    def columns(self, predictor: BasePredictor, user_id: RawId | None) -> dict[str, list[Any]]:
        """The columns of `frame` as plain values, None where a year is unknown; much faster."""
        of_items = {} if predictor.info is None else predictor.info.columns(self.item)
        found = {
            "user_id": [user_id] * len(self.item),
            "item_id": predictor.items.decode(self.item),
            **{"score": self.score, "lift": self.lift, "rank": list(range(1, len(self.item) + 1))},
            **of_items,
            **{"relevance": self.relevance, "source": self.source, "low": self.low, "high": self.high},
        }
        told = {name: column for name, column in found.items() if column is not None}
        return {
            name: column if isinstance(column, list) else column.tolist() for name, column in told.items()
        }

    def frame(self, predictor: BasePredictor, user_id: RawId | None) -> pd.DataFrame:
        """The list as `recommend` returns it."""
        import pandas as pd

        rank = np.arange(1, len(self.item) + 1)
        columns = {
            "user_id": pd.Series([user_id] * len(self.item), dtype=object),
            "item_id": pd.Series(predictor.items.decode(self.item), dtype=object),
            **{"score": self.score, "lift": self.lift, "rank": rank},
        }
        frame = pd.DataFrame({name: column for name, column in columns.items() if column is not None})
        if predictor.info is not None:
            frame = predictor.info.beside(frame, self.item)
        told = {"relevance": self.relevance, "source": self.source, "low": self.low, "high": self.high}
        frame = frame.assign(**{name: column for name, column in told.items() if column is not None})
        frame.attrs["reason"] = self.reason
        return frame
