"""Checks of new ratings, and their conversion to levels."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings import RatingScale, RawId, check_lengths

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OwnRatings", "encode_ratings", "nearest_ratings", "own_ratings", "rating_columns"]

OwnRatings = Mapping[RawId, float] | Collection[RawId]  # of one user; see `own_ratings`
_BY_ROUNDING = (
    "give one of these, or use --round-ratings (in a request round: true, in Python "
    "igmc.inference.nearest_ratings) to take what lies between two of them to the nearest"
)
_COLUMNS = ("user_id", "item_id", "rating")


def own_ratings(ratings: OwnRatings) -> dict[RawId, Any]:
    """The ratings of one user, item id -> rating; None for each of items that are given without ratings.

    Raises:
        ConfigError: unless it is a mapping, or a list, tuple or set of item ids.
    """
    if isinstance(ratings, Mapping):
        return dict(ratings)
    if isinstance(ratings, list | tuple | set | frozenset):
        return dict.fromkeys(ratings)
    raise ConfigError(
        "the ratings of a user are not a mapping",
        got=ratings,
        allowed='item id -> rating, such as {"f001": 5, "f002": 3.5}, or item ids where there are no ratings',
    )


def rating_columns(
    ratings: pd.DataFrame | Mapping[str, Iterable[Any]],
) -> tuple[list[Any], list[Any], list[Any]]:
    """The columns user_id, item_id and rating of n ratings, [n] each, unchecked except for their length.

    Raises:
        DataError: on a missing column, or columns of unequal length.
    """
    for name in _COLUMNS:
        if name not in ratings:
            raise DataError("a column of the new ratings is missing", got=name, allowed=", ".join(_COLUMNS))
    user_ids, item_ids, values = (list(ratings[name]) for name in _COLUMNS)
    check_lengths(user_id=user_ids, item_id=item_ids, rating=values)
    return user_ids, item_ids, values


def encode_ratings(
    scale: RatingScale, ratings: Iterable[object], *, where: Callable[[int], str] | None = None
) -> NDArray[np.unsignedinteger[Any]]:
    """The levels of n ratings, see `RatingScale.encode`; of groups, each rating in range belongs to one.

    Args:
        scale: which ratings there are.
        ratings: what was given; None where the item alone was, which does if all ratings are equal.
        where: names the place of the k-th in messages, such as "ratings.csv, line 7".

    Raises:
        DataError: on a rating that is not a finite number, or not on the scale.
    """
    given: list[Any] = [scale.low if one is None and len(scale) == 1 else one for one in ratings]

    def wrong(at: int, what: str) -> DataError:
        place = f"{where(at)}: " if where is not None else ""
        return DataError(
            f"{place}a rating is not {what}",
            got=given[at],
            allowed=_allowed(scale),
            remedy=_BY_ROUNDING if what == "on the scale" and _between(scale, given[at]) else None,
        )

    for at, rating in enumerate(given):
        if isinstance(rating, bool | np.bool_) or not isinstance(rating, int | float | np.number):
            raise wrong(at, "a number")
    # An int may be too large for a float, and such a one is on no scale.
    numbers = np.array([np.inf if isinstance(r, int) and abs(r) > 2**64 else r for r in given], np.float64)
    fits = scale.holds(numbers)
    if not fits.all():
        raise wrong(int(np.argmin(fits)), "on the scale")
    return scale.encode(numbers)


def nearest_ratings(scale: RatingScale, ratings: Mapping[RawId, Any]) -> dict[RawId, Any]:
    """Round ratings between two levels to the nearest level, ties to the higher one.

    Values outside the scale, or not numbers, are left unchanged, to be rejected later.

    >>> nearest_ratings(RatingScale.fit([1, 2, 5]), {"a": 1.7, "b": 5, "c": 6})
    {'a': 2.0, 'b': 5, 'c': 6}
    """

    def near(rating: Any) -> Any:
        number = isinstance(rating, int | float | np.number) and not isinstance(rating, bool | np.bool_)
        if scale.grouped or not number or not scale.low <= rating <= scale.high:
            return rating
        level = int(np.searchsorted(scale.edges, rating, side="right"))
        return rating if rating == scale.values[level] else float(scale.values[level])

    return {item: near(rating) for item, rating in ratings.items()}


def _between(scale: RatingScale, rating: Any) -> bool:
    """Whether a number that is not on the scale lies between two of its levels."""
    return not scale.grouped and bool(scale.low < rating < scale.high)


def _allowed(scale: RatingScale) -> str:
    if scale.grouped:
        return f"{scale.low:g}..{scale.high:g}"
    return ", ".join(f"{value:g}" for value in scale.values)
