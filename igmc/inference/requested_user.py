"""The user of a list or an explanation; unknown ids are rejected."""

from __future__ import annotations

from igmc.errors import DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import check_known, near_ids, unknown_ids
from igmc.inference.rating_encoding import OwnRatings, own_ratings
from igmc.inference.user_view import UserView
from igmc.ratings import RawId

__all__ = ["requested_user"]


def requested_user(predictor: BasePredictor, user_id: RawId | None, ratings: OwnRatings | None) -> UserView:
    """As `Predictor.with_user`, but reject unknown items, and an unknown user without ratings.

    Args:
        predictor: what is known.
        user_id: a user of the run; with ratings also a new one, or None.
        ratings: item id -> rating; if None, only those that are known of the user.

    Raises:
        DataError: on an unknown user without ratings, an unknown item among the ratings, or a rating that is
            not on the scale.
    """
    ratings = None if ratings is None else own_ratings(ratings)
    if ratings is None and user_id is not None and unknown_ids(predictor.users, [user_id]):
        raise DataError(
            "this user is unknown",
            got=user_id,
            remedy=f"{near_ids(predictor.users, user_id)}; or give the ratings of a new user",
        )
    check_known(predictor.items, ratings or ())
    return predictor.with_user(ratings or {}, user_id)
