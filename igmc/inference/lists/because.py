"""Reasons for the items of a list: the user's rating that supports each item most."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.inference.base import BasePredictor
from igmc.inference.lists.request import ListRequest
from igmc.inference.predictions import predict_pairs
from igmc.inference.rating_encoding import OwnRatings
from igmc.inference.requested_user import requested_user
from igmc.inference.titles import natural_title
from igmc.ratings import RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Reason", "reasons", "with_reasons"]

MOST = 30  # ratings of a user that are left out in turn


class Reason(NamedTuple):
    """A rating of the user and its effect on a prediction.

    Attributes:
        item: dense index of what was rated.
        rating: by the user.
        importance: how far the prediction falls without it, in ratings; above 0.
    """

    item: int
    rating: float
    importance: float


def reasons(
    predictor: BasePredictor,
    items: NDArray[np.int32],
    *,
    user_id: RawId | None = None,
    ratings: OwnRatings | None = None,
    deadline: float = inf,
) -> list[Reason | None]:
    """For each of n items, the user's rating that raises its prediction most; None if none does.

    Each rating of the user at or above the user's mean is left out in turn, and all items are predicted
    without it: "because you gave 5 to Alien". At most 30 such ratings are tried: the highest, and among
    equals those of the least rated items, which are the most specific.

    Args:
        predictor: with the known ratings.
        items: int32 [n], dense indices.
        user_id, ratings: of the user; see `igmc.recommend`.
        deadline: on the clock of `time.monotonic`.

    Raises:
        DataError: see `igmc.recommend`.
        TimeoutError: after the deadline.
    """
    view = requested_user(predictor, user_id, ratings)
    best: list[Reason | None] = [None] * len(items)
    rated, levels = view.graph.by_user.row(view.user)
    if not len(rated) or not len(items):
        return best
    given = view.scale.values[levels]
    liked = np.flatnonzero(given >= given.mean())
    liked = liked[np.lexsort((view.graph.by_item.degrees(rated[liked]), -given[liked]))][:MOST]
    whole = view.score_indices(items, clip=False, deadline=deadline).score
    users = np.full(len(items), view.user, np.int32)
    for at in liked.tolist():
        graph = view.graph.without(view.user, int(rated[at]))
        without = predict_pairs(
            *(view.scorer, view.scale, graph, users, items), clip=False, known=view.known, deadline=deadline
        ).score
        for place, fall in enumerate((whole - without).tolist()):
            old = best[place]
            if fall > 0 and (old is None or fall > old.importance) and items[place] != rated[at]:
                best[place] = Reason(int(rated[at]), float(given[at]), fall)
    return best


def with_reasons(
    frame: pd.DataFrame, predictor: BasePredictor, items: NDArray[np.int32], request: ListRequest
) -> pd.DataFrame:
    """A list of n items with three columns more: because, because_title and because_rating.

    They hold the raw id, the title and the rating from `reasons`; None, an empty string and NaN without a
    reason. An unknown title is replaced by the id.
    """
    import pandas as pd

    found = reasons(predictor, items, user_id=request.user_id, ratings=request.ratings)
    ids = [None if one is None else predictor.items.ids[one.item] for one in found]
    titles = [""] * len(found)
    for at, one in enumerate(found):
        if one is not None:
            known = predictor.info is not None and one.item < len(predictor.info.titles)
            title = predictor.info.titles[one.item] if known and predictor.info is not None else ""
            titles[at] = natural_title(title) or str(ids[at])
    return frame.assign(
        because=pd.Series(ids, dtype=object),
        because_title=titles,
        because_rating=[float("nan") if one is None else one.rating for one in found],
    )
