"""Predictions, lists and explanations of a trained run, for known and for new users and items."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Self

from igmc.argument_types import checked_types
from igmc.errors import DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import near_ids
from igmc.inference.lists import recommend
from igmc.inference.new_items import with_items
from igmc.inference.rating_encoding import OwnRatings
from igmc.inference.similar import similar_items
from igmc.inference.why import Explanation, explain
from igmc.ratings import Frame, RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictor", "predict"]


class Predictor(BasePredictor):
    """The models of a run's checkpoints, with the known ratings. Make one with `from_run`.

    It is immutable: new ratings make another Predictor, or a `UserView`, which shares most of its memory. It
    is therefore safe to call from many threads, and no caller sees another's ratings. A prediction depends
    only on its pair and the known ratings, not on other pairs of the call; see `Scorer` for the precision.

    A pair's own rating is never used, even if known. The attributes are those of
    `igmc.inference.base.BasePredictor`.
    """

    @checked_types
    def recommend(
        self,
        user_id: RawId | None = None,
        *,
        ratings: OwnRatings | None = None,
        k: int = 10,
        **filters: Any,
    ) -> pd.DataFrame:
        """Recommend the k items with the highest predictions among those that the user has not rated.

        Args:
            user_id: a user of the run; with `ratings` also a new one, who needs no id.
            ratings: item id -> rating, of a new user, or besides those that are known of the user.
            k: length of the list.
            **filters: as in `igmc.recommend`: genre, years, min_score, items, ...

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
        """Explain the prediction for a user and an item by the ratings around them.

        Args:
            user_id: a user of the run; with `ratings` also a new one, who needs no id.
            item_id: raw id of the item.
            ratings: item id -> rating, of a new user, or besides those that are known of the user.
            **how: as in `igmc.explain`: method, top, limit.

        Returns, Raises: as `igmc.explain`.
        """
        return explain(self, user_id, item_id, ratings=ratings, **how)

    @checked_types
    def with_items(self, items: Frame) -> Self:
        """The same knowing items that came after training too, by what is told of them.

        Args:
            items: a row for each new one; see `igmc.inference.new_items.with_items`.

        Raises:
            ConfigError: if the run was not trained with side features of items.
            DataError: on an item that is known already, or a table without ids or features.
        """
        return with_items(self, items)

    @checked_types
    def similar_items(self, item_id: RawId, k: int = 10) -> pd.DataFrame:
        """The items most similar to this one, by the users who rated both; see `igmc.inference.similar`.

        Args:
            item_id: raw id of the item.
            k: length of the list; fewer if fewer items share a rater with this one.

        Returns:
            a row for each item, the most similar first: item_id, similarity (float64, -1..1), raters
            (who rated both), rank (from 1); and title, genres and year if the run knows them.

        Raises:
            ConfigError: on a length below 1.
            DataError: on an unknown item.
        """
        index = int(self.items.encode([item_id])[0])
        if index < 0:
            raise DataError("this item is unknown", got=item_id, remedy=near_ids(self.items, item_id))
        return similar_items(self, index, k)


@checked_types
def predict(
    run: str | os.PathLike[str] | BasePredictor,
    ratings: Mapping[RawId, float],
    items: RawId | Iterable[RawId],
    *,
    clip: bool = True,
) -> pd.DataFrame:
    """Predict the ratings that a new user with these ratings would give to some items.

    Args:
        run: folder of a run, its report, or a `Predictor`, which avoids loading the run for each call.
        ratings: item id -> rating, with ids and scale of the run's data.
        items: raw ids of the items to predict, or a single one.
        clip: move scores beyond the ends of the scale to the nearer end.

    Returns:
        a row for each item, in order: item_id, score and source; see `Predictor.score_user`.

    Raises:
        IgmcError: see `Predictor.from_run` and `Predictor.score_user`.
    """
    predictor = run if isinstance(run, BasePredictor) else Predictor.from_run(run)
    return predictor.score_user(ratings, items, clip=clip)
