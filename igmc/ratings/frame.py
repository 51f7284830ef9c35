"""Ratings and side information from DataFrames of any library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings.any_table import Frame, as_pandas, table_kind
from igmc.ratings.frame_info import frame_info
from igmc.ratings.raw_ratings import RawRatings, shortest
from igmc.ratings.read_report import ReadReport
from igmc.ratings.table import RatingTable
from igmc.ratings.times import to_seconds
from igmc.ratings.to_table import to_table
from igmc.ratings.usual_names import USUAL, plain_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Columns", "FrameParts", "read_frames"]

_DUPLICATES = ("last", "mean", "error")
_WHERE = "row {} of the ratings".format


Columns = str | Sequence[Any] | Mapping[str, Any]


class FrameParts(NamedTuple):
    """The result of reading frames: the table, side information of users and items, and the report."""

    table: RatingTable
    user_info: pd.DataFrame | None
    item_info: pd.DataFrame | None
    report: ReadReport


def read_frames(
    ratings: Frame,
    users: Frame | None,
    items: Frame | None,
    columns: Columns | None,
    duplicates: str,
    implicit: bool,
) -> FrameParts:
    """The checked table of the ratings in a frame; see `igmc.ratings.dataset.Dataset.from_frame`."""
    if duplicates not in _DUPLICATES:
        raise ConfigError("unknown rule for duplicates", got=duplicates, allowed=", ".join(_DUPLICATES))
    frame = as_pandas(ratings, "ratings")
    names = _rating_columns(list(frame.columns), columns, implicit)
    rated = "rating" in names
    users_of, user = _ids("user", frame[names["user"]])
    items_of, item = _ids("item", frame[names["item"]])
    raw = RawRatings(
        users=users_of,
        items=items_of,
        user=user,
        item=item,
        rating=_ratings(frame[names["rating"]]) if rated else np.ones(len(frame)),
        timestamp=None,
        where=_WHERE,
        rated=rated,
    )
    if "timestamp" in names:
        stamps, notes = _times(frame[names["timestamp"]])
        raw = replace(raw, timestamp=stamps, notes=notes)
    table, report = to_table(raw, table_kind(ratings), duplicates=duplicates)
    return FrameParts(
        table,
        None if users is None else frame_info("user", users, table.users, names["user"]),
        None if items is None else frame_info("item", items, table.items, names["item"]),
        report,
    )


def _rating_columns(available: list[Any], columns: Columns | None, implicit: bool) -> dict[str, Any]:
    """The labels of user, item, rating and, if there is one, timestamp; implicit data may have no rating."""
    asked = _asked(columns, implicit)
    found: dict[str, Any] = {}
    for side, usual in USUAL.items():
        if side in asked:
            if available.count(asked[side]) != 1:
                raise DataError(
                    f"the ratings have no such column for the {side}"
                    if asked[side] not in available
                    else "several columns have the same name",
                    got=asked[side],
                    allowed=", ".join(map(str, available)),
                )
            found[side] = asked[side]
            continue
        hits = [name for name in available if plain_name(name) in usual and name not in asked.values()]
        if len(hits) == 1:
            found[side] = hits[0]
        elif side != "timestamp" and not (side == "rating" and implicit and not hits):
            more = "; if there is none, implicit=True" if side == "rating" else ""
            raise DataError(
                f"cannot find the column of the {side} by name",
                got=", ".join(map(str, available)),
                allowed="names such as user_id, item_id, rating",
                remedy=f"""name it: columns={{"{side}": "..."}}{more}""",
            )
    return found


def _asked(columns: Columns | None, implicit: bool) -> dict[str, Any]:
    if columns is None:
        return {}
    names = list(USUAL)
    if isinstance(columns, Mapping):
        unknown = [name for name in columns if name not in names]
        if not unknown:
            return dict(columns)
    elif isinstance(columns, Sequence):
        given = [word.strip() for word in columns.split(",")] if isinstance(columns, str) else list(columns)
        least = 2 if implicit else 3
        if least <= len(given) <= 4 and len(set(given)) == len(given):
            told = dict(zip(names, given, strict=False))
            return {name: label for name, label in told.items() if label or not implicit or name != "rating"}
    raise ConfigError(
        "columns has the wrong form",
        got=columns,
        allowed='{"user": ..., "item": ..., "rating": ..., "timestamp": ...}, or three or four in order; '
        "with implicit=True the rating may be left out",
    )


def _ids(side: str, column: pd.Series[Any]) -> tuple[list[Any], NDArray[np.int64]]:
    """The distinct ids of a column, of any hashable kind, and which of them stands in each row."""
    import pandas as pd

    values: Any = column.to_numpy() if column.dtype == object else column
    try:
        codes, distinct = pd.factorize(values)
    except TypeError as error:
        raise DataError(f"the {side} ids cannot be compared: {error}", allowed="hashable values") from error
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise DataError(
            f"row {row} of the ratings has no {side}",
            got=column.iloc[[row]].tolist()[0],
            remedy="drop such rows",
        )
    kinds = {type(raw) for raw in values} if column.dtype == object else set()
    if bool in kinds and len(kinds) > 1:
        raise DataError(
            f"the {side} ids mix booleans with other types", remedy="use ids of one type, such as strings"
        )
    return distinct.tolist(), codes.astype(np.int64)


def _ratings(column: pd.Series[Any]) -> NDArray[np.float64]:
    import pandas as pd

    dates = pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column)
    numbers = pd.to_numeric(column, errors="coerce").astype("Float64")
    rating: NDArray[Any] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    if str(column.dtype).lower().startswith("float32"):
        rating = shortest(rating, np.float32)
    bad = np.flatnonzero(~np.isfinite(rating) | dates)
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"row {row} of the ratings: the rating is not a finite number",
            got=column.iloc[[row]].tolist()[0],
            remedy="fix it, or drop such rows",
        )
    return rating


def _times(column: pd.Series[Any]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Seconds since 1970, -1 where unknown, of times, UTC where they name no zone; numbers as in files.

    Also what was guessed, for the report.
    """
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return to_seconds(column.to_numpy(dtype=np.float64, na_value=np.nan), _WHERE)
    try:
        dates = pd.to_datetime(column, utc=True, format="ISO8601")
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"the timestamps cannot be read: {str(error).splitlines()[0]}",
            allowed="dates and times, ISO texts, or seconds since 1970",
            remedy="fix them, or omit the column",
        ) from error
    whole = dates.dt.tz_convert(None).to_numpy("datetime64[s]")
    return np.where(np.isnat(whole), -1, whole.astype(np.int64)), ()
