"""Ratings from a DataFrame of any library, and what frames say of users and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings.any_table import Frame, as_pandas
from igmc.ratings.frame_info import frame_info
from igmc.ratings.ids import IdTable, ObjectIds
from igmc.ratings.table import RatingTable, pair_keys
from igmc.ratings.times import to_seconds
from igmc.ratings.usual_names import USUAL, plain_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Columns", "FrameParts", "read_frames"]

_DUPLICATES = ("last", "mean", "error")


Columns = str | Sequence[Any] | Mapping[str, Any]


class FrameParts(NamedTuple):
    """What frames came to: the table, what is known of both sides, rows read, and rows merged away."""

    table: RatingTable
    user_info: pd.DataFrame | None
    item_info: pd.DataFrame | None
    rows: int
    duplicates: int


def read_frames(
    ratings: Frame, users: Frame | None, items: Frame | None, columns: Columns | None, duplicates: str
) -> FrameParts:
    """The checked table of the ratings in a frame; see `igmc.ratings.dataset.Dataset.from_frame`."""
    if duplicates not in _DUPLICATES:
        raise ConfigError("duplicates are not known", got=duplicates, allowed=", ".join(_DUPLICATES))
    frame = as_pandas(ratings, "ratings")
    names = _rating_columns(list(frame.columns), columns)
    user_ids, user = _ids("user", frame[names["user"]])
    item_ids, item = _ids("item", frame[names["item"]])
    rating = _ratings(frame[names["rating"]])
    times = _times(frame[names["timestamp"]]) if "timestamp" in names else None
    kept = _merged(pair_keys(user, item, len(item_ids)), rating, duplicates, user_ids, item_ids)
    if kept is not None:
        rows, rating = kept
        user, item, times = user[rows], item[rows], None if times is None else times[rows]
    return FrameParts(
        RatingTable(user_ids, item_ids, user, item, rating, times),
        None if users is None else frame_info("user", users, user_ids, names["user"]),
        None if items is None else frame_info("item", items, item_ids, names["item"]),
        len(frame),
        len(frame) - len(rating),
    )


def _rating_columns(available: list[Any], columns: Columns | None) -> dict[str, Any]:
    """The labels of user, item, rating and, if there is one, timestamp."""
    asked = _asked(columns)
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
        elif side != "timestamp":
            raise DataError(
                f"the column of the {side} is not clear from the names",
                got=", ".join(map(str, available)),
                allowed="names such as user_id, item_id, rating",
                remedy=f"""say which it is: columns={{"{side}": "..."}}""",
            )
    return found


def _asked(columns: Columns | None) -> dict[str, Any]:
    if columns is None:
        return {}
    names = list(USUAL)
    if isinstance(columns, Mapping):
        unknown = [name for name in columns if name not in names]
        if not unknown:
            return dict(columns)
    elif isinstance(columns, Sequence):
        given = [word.strip() for word in columns.split(",")] if isinstance(columns, str) else list(columns)
        if len(given) in (3, 4) and len(set(given)) == len(given):
            return dict(zip(names, given, strict=False))
    raise ConfigError(
        "columns do not say which are meant",
        got=columns,
        allowed='{"user": ..., "item": ..., "rating": ..., "timestamp": ...}, or three or four in order',
    )


def _ids(side: str, column: pd.Series[Any]) -> tuple[IdTable, NDArray[np.int32]]:
    """The ids of a column, of any hashable kind, and the dense index of each row."""
    import pandas as pd

    values: Any = column.to_numpy() if column.dtype == object else column
    try:
        codes, distinct = pd.factorize(values)
    except TypeError as error:
        raise DataError(
            f"the {side} ids cannot be told from each other: {error}", allowed="hashable values"
        ) from error
    if (codes < 0).any():
        row = int(np.argmax(codes < 0))
        raise DataError(
            f"row {row} of the ratings has no {side}",
            got=column.iloc[[row]].tolist()[0],
            remedy="leave out such rows",
        )
    names = distinct.tolist()
    plain = all(isinstance(raw, int | str) and not isinstance(raw, bool) for raw in names)
    if not plain:
        kinds = {type(raw) for raw in values} if column.dtype == object else set()
        if bool in kinds and len(kinds) > 1:
            raise DataError(
                f"the {side} ids mix true and false with others", remedy="give ids of one kind, such as texts"
            )
    ids, dense = (IdTable if plain else ObjectIds).from_categories(codes, names)
    if len(ids) < 2:
        raise DataError(
            f"the ratings are of one {side} only" if len(ids) else "there are no ratings",
            got=ids.ids[0] if len(ids) else None,
            allowed=f"at least two {side}s",
        )
    return ids, dense


def _ratings(column: pd.Series[Any]) -> NDArray[np.float64]:
    import pandas as pd

    dates = pd.api.types.is_datetime64_any_dtype(column) or pd.api.types.is_timedelta64_dtype(column)
    numbers = pd.to_numeric(column, errors="coerce").astype("Float64")
    rating: NDArray[Any] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(rating) | dates)
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"row {row} of the ratings: the rating is not a finite number",
            got=column.iloc[[row]].tolist()[0],
            remedy="mend it, or leave out such rows",
        )
    return rating


def _times(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Seconds since 1970, -1 where unknown, of times, UTC where they name no zone; numbers as in files."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        return to_seconds(column.to_numpy(dtype=np.float64, na_value=np.nan), "row {}".format)[0]
    try:
        dates = pd.to_datetime(column, utc=True, format="ISO8601")
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"the timestamps are not times: {str(error).splitlines()[0]}",
            allowed="dates and times, ISO texts, or seconds since 1970",
            remedy="mend them, or leave the column out",
        ) from error
    whole = dates.dt.tz_convert(None).to_numpy("datetime64[s]")
    return np.where(np.isnat(whole), -1, whole.astype(np.int64))


def _merged(
    keys: NDArray[np.int64], rating: NDArray[np.float64], duplicates: str, users: IdTable, items: IdTable
) -> tuple[NDArray[np.int64], NDArray[np.float64]] | None:
    """The rows that are kept of pairs that stand more than once, and their ratings; None if none does."""
    import pandas as pd

    frame = pd.DataFrame({"key": keys, "rating": rating})
    again = frame["key"].duplicated()
    if not again.any():
        return None
    if duplicates == "error":
        row = int(np.argmax(again.to_numpy()))
        user, item = divmod(int(keys[row]), len(items))
        raise DataError(
            f"row {row} of the ratings: user {users.ids[user]!r} has rated item {items.ids[item]!r} before",
            got=float(rating[row]),
            remedy='leave one of them out, or say duplicates="last" or "mean"',
        )
    rows = np.flatnonzero(~frame["key"].duplicated(keep="last").to_numpy())
    means = frame.groupby("key")["rating"].transform("mean").to_numpy()
    return rows, (means if duplicates == "mean" else rating)[rows]
