"""Raw ratings to levels: checks of the columns and the ratings that are given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings import RatingScale, check_lengths

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["encode_ratings", "rating_columns"]


_COLUMNS = ("user_id", "item_id", "rating")


def rating_columns(
    ratings: pd.DataFrame | Mapping[str, Iterable[Any]],
) -> tuple[list[Any], list[Any], list[Any]]:
    """The columns user_id, item_id and rating of n ratings, [n] each, unchecked but for their length.

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
) -> NDArray[np.uint8]:
    """The levels, uint8 [n], of n ratings; on a scale of groups, each rating in range belongs to one.

    Args:
        scale: which ratings there are.
        ratings: what was given.
        where: names the place of the k-th in messages, such as "ratings.csv, line 7".

    Raises:
        DataError: on a rating that is no finite number, or not on the scale.
    """
    given: list[Any] = list(ratings)

    def wrong(at: int, what: str) -> DataError:
        place = f"{where(at)}: " if where is not None else ""
        return DataError(f"{place}a rating is not {what}", got=given[at], allowed=_allowed(scale))

    for at, rating in enumerate(given):
        if isinstance(rating, bool | np.bool_) or not isinstance(rating, int | float | np.number):
            raise wrong(at, "a number")
    # An int may be too large for a float, and such a one is on no scale.
    numbers = np.array([np.inf if isinstance(r, int) and abs(r) > 2**64 else r for r in given], np.float64)
    if scale.grouped:
        fits = (numbers >= scale.low) & (numbers <= scale.high)
    else:
        fits = np.isin(numbers, scale.values)
    if not fits.all():
        raise wrong(int(np.argmin(fits)), "on the scale")
    return scale.encode(numbers)


def _allowed(scale: RatingScale) -> str:
    if scale.grouped:
        return f"{scale.low:g}..{scale.high:g}"
    return ", ".join(f"{value:g}" for value in scale.values)
