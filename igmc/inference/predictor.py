"""A trained run that predicts, lists and explains, for users of its data and for those who came after it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from igmc.argument_types import checked_types
from igmc.errors import DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import near_ids
from igmc.inference.lists import recommend
from igmc.inference.similar import similar_items
from igmc.inference.why import Explanation, explain
from igmc.ratings import RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictor", "predict"]


class Predictor(BasePredictor):
    """The models of a run's checkpoints, and the ratings known to it. Make one with `from_run`.

    It never changes: new ratings make another Predictor, or a `UserView`, which shares all but a few rows
    with it. So it is safe to call from many threads, and no caller sees another's ratings. A prediction
    depends on its pair and on the ratings known, and on no other pair of the call; `Scorer` says how far.

    The pair's own rating, where it is known, is never looked at. The attributes are those of
    `igmc.inference.base.BasePredictor`.
    """

    @checked_types
    def recommend(
        self,
        user_id: RawId | None = None,
        *,
        ratings: Mapping[RawId, float] | None = None,
        k: int = 10,
        **filters: Any,
    ) -> pd.DataFrame:
        """The k items that a user is predicted to like best, of those that the user has not rated.

        Args:
            user_id: a user of the run; with `ratings` also a new one, who needs no id.
            ratings: item id -> rating, of a new user, or besides those that are known of the user.
            k: length of the list.
            **filters: as `igmc.recommend` takes them: genre, years, min_score, items, ...

        Returns, Raises: as `igmc.recommend`.
        """
        return recommend(self, user_id=user_id, ratings=ratings, k=k, **filters)

    @checked_types
    def explain(
        self,
        user_id: RawId | None,
        item_id: RawId,
        *,
        ratings: Mapping[RawId, float] | None = None,
        **how: Any,
    ) -> Explanation:
        """Why a user is predicted to give an item what the models say, by the ratings around the two.

        Args:
            user_id: a user of the run; with `ratings` also a new one, who needs no id.
            item_id: raw id of the item.
            ratings: item id -> rating, of a new user, or besides those that are known of the user.
            **how: as `igmc.explain` takes it: method, top, limit.

        Returns, Raises: as `igmc.explain`.
        """
        return explain(self, user_id, item_id, ratings=ratings, **how)

    @checked_types
    def similar_items(self, item_id: RawId, k: int = 10) -> pd.DataFrame:
        """The items whose raters agreed most with what they gave this one; see `igmc.inference.similar`.

        Args:
            item_id: raw id of the item.
            k: length of the list; it is shorter where fewer items have a rater in common with this one.

        Returns:
            a row for each item, the most similar first: item (raw id), similarity (float64, -1..1), raters
            (who rated both), rank (from 1); and title, genres and year if the run knows them.

        Raises:
            ConfigError: on a length below 1.
            DataError: on an unknown item.
        """
        index = int(self.items.encode([item_id])[0])
        if index < 0:
            raise DataError("the run knows no such item", got=item_id, remedy=near_ids(self.items, item_id))
        return similar_items(self, index, k)


@checked_types
def predict(
    run: str | os.PathLike[str] | BasePredictor,
    ratings: Mapping[RawId, float],
    items: RawId | Iterable[RawId],
    *,
    clip: bool = True,
) -> pd.DataFrame:
    """What someone who was not in the training data, with these ratings, is predicted to give to some items.

    Args:
        run: folder of a run, or its report; or, since loading takes longer than predicting, a `Predictor` of
            it.
        ratings: item id -> rating, as they stand in the data of the run.
        items: raw ids of the items that are asked, or a single one.
        clip: move scores beyond the ends of the scale to the nearer end.

    Returns:
        a row for each item, in order: item_id, score and source; see `Predictor.score_user`.

    Raises:
        IgmcError: see `Predictor.from_run` and `Predictor.score_user`.
    """
    predictor = run if isinstance(run, BasePredictor) else Predictor.from_run(run)
    return predictor.score_user(ratings, items, clip=clip)
