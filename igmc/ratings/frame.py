"""Ratings from a DataFrame of any library, and what frames say of users and items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings.ids import IdTable, ObjectIds, missing
from igmc.ratings.table import RatingTable, pair_keys
from igmc.ratings.usual_names import USUAL, plain_name

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ArrowTable", "Columns", "FrameParts", "Frame", "is_table", "read_frames", "table_kind"]

# What is known of users and items -> how its column may be called; see `USUAL`.
KNOWN = {
    "user": {
        "age": ("age",),
        "gender": ("gender", "sex"),
        "occupation": ("occupation", "job"),
        "zip_code": ("zipcode", "zip", "postcode"),
    },
    "item": {
        "title": ("title", "name"),
        "genres": ("genres", "genre", "categories", "category"),
        "year": ("year", "releaseyear"),
        "text": ("text", "description", "overview", "plot", "summary"),
    },
}
_NUMBERS = ("age", "year")
_DUPLICATES = ("last", "mean", "error")


class ArrowTable(Protocol):
    """A table that Arrow's C stream interface hands over: of polars, pyarrow, DuckDB, ..."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Frame = ArrowTable | Mapping[str, Any]  # pandas' too, which has the interface
Columns = str | Sequence[Any] | Mapping[str, Any]


class FrameParts(NamedTuple):
    """What frames came to: the table, what is known of both sides, rows read, and rows merged away."""

    table: RatingTable
    user_info: pd.DataFrame | None
    item_info: pd.DataFrame | None
    rows: int
    duplicates: int


def is_table(value: object) -> bool:
    """Whether it is a table of pandas, or of a library that hands its tables over."""
    interfaces = ("__arrow_c_stream__", "__dataframe__")
    return not isinstance(value, type) and any(hasattr(value, name) for name in interfaces)


def table_kind(value: object) -> str:
    """What a table is called in messages, such as "a polars DataFrame"."""
    if isinstance(value, Mapping):
        return "a mapping of columns"
    return f"a {type(value).__module__.partition('.')[0].lstrip('_')} {type(value).__name__}"


def read_frames(
    ratings: Frame, users: Frame | None, items: Frame | None, columns: Columns | None, duplicates: str
) -> FrameParts:
    """The checked table of the ratings in a frame; see `igmc.ratings.dataset.Dataset.from_frame`."""
    if duplicates not in _DUPLICATES:
        raise ConfigError("duplicates are not known", got=duplicates, allowed=", ".join(_DUPLICATES))
    frame = _pandas(ratings, "ratings")
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
        None if users is None else _info("user", users, user_ids, names["user"]),
        None if items is None else _info("item", items, item_ids, names["item"]),
        len(frame),
        len(frame) - len(rating),
    )


def _pandas(table: Any, what: str) -> pd.DataFrame:
    """The table as pandas has it; whole numbers stay whole where some are missing."""
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        return table
    allowed = "a DataFrame of pandas, polars or another library with Arrow's C stream interface"
    try:
        if isinstance(table, Mapping):
            return pd.DataFrame(dict(table))
        if hasattr(table, "__arrow_c_stream__"):
            try:
                import pyarrow as pa
            except ImportError as error:
                raise MissingExtraError(
                    f"{what}: {table_kind(table)} is read by way of pyarrow, which is not installed",
                    remedy="pip install 'igmc[parquet]', or give the table as a pandas DataFrame",
                ) from error
            whole = {
                getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")()
                for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
            }
            return pa.table(table).to_pandas(types_mapper=whole.get)
        if hasattr(table, "__dataframe__"):
            return pd.api.interchange.from_dataframe(table)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{what} cannot be read: {error}", got=table_kind(table), allowed=allowed) from error
    raise ConfigError(f"{what} are no table", got=table_kind(table), allowed=allowed)


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
    else:
        given = [word.strip() for word in columns.split(",")] if isinstance(columns, str) else list(columns)
        if len(given) in (3, 4) and len(set(given)) == len(given):
            return dict(zip(names, given, strict=False))
    raise ConfigError(
        "columns do not say which are meant",
        got=columns,
        allowed='{"user": ..., "item": ..., "rating": ..., "timestamp": ...}, or three or four names in order',
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
            f"row {row} of the ratings has no {side}", got=column.iloc[row], remedy="leave out such rows"
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
    rating: NDArray[np.float64] = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    bad = np.flatnonzero(~np.isfinite(rating) | dates)
    if bad.size:
        row = int(bad[0])
        raise DataError(
            f"row {row} of the ratings: the rating is not a finite number",
            got=column.iloc[row],
            remedy="mend it, or leave out such rows",
        )
    return rating


def _times(column: pd.Series[Any]) -> NDArray[np.int64]:
    """Seconds since 1970, -1 where unknown: of dates and times, UTC where they name no zone, or of numbers."""
    import pandas as pd

    if pd.api.types.is_numeric_dtype(column):
        seconds = column.to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(seconds > 0, seconds, -1).astype(np.int64)
    try:
        dates = pd.to_datetime(column, utc=True, format="ISO8601")
    except (TypeError, ValueError, OverflowError) as error:
        raise DataError(
            f"the timestamps are no times: {str(error).splitlines()[0]}",
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


def _info(side: str, given: Frame, ids: IdTable, label: Any) -> pd.DataFrame:
    """What a frame says of each id, in the order of the ids; texts are empty and numbers missing elsewhere."""
    import pandas as pd

    frame = _pandas(given, f"{side}s")
    raw = _id_column(side, frame, label)
    known: dict[str, Any] = {}
    for name, usual in KNOWN[side].items():
        hits = [column for column in frame.columns if plain_name(column) in usual]
        if hits:
            known[name] = frame[hits[0]]
    if not known:
        raise DataError(
            f"the frame of {side}s says nothing of them",
            got=", ".join(map(str, frame.columns)),
            allowed=f"one or more of the columns {', '.join(KNOWN[side])}",
        )
    at = pd.Series(np.arange(len(frame)), index=ids.encode(raw))
    at = at[at.index >= 0]
    if at.index.has_duplicates:
        twice = int(at.index[at.index.duplicated()][0])
        raise DataError(f"the frame of {side}s names one twice", got=ids.ids[twice], allowed="each once")
    rows = at.reindex(range(len(ids)), fill_value=-1).to_numpy()
    cells = {
        name: (_years(column) if name in _NUMBERS else column.map(_text)).take(np.maximum(rows, 0))
        for name, column in known.items()
    }
    info = pd.DataFrame({name: column.reset_index(drop=True) for name, column in cells.items()})
    absent = rows < 0
    for name in info:
        info.loc[absent, name] = pd.NA if name in _NUMBERS else ""
    return info


def _id_column(side: str, frame: pd.DataFrame, label: Any) -> list[Any]:
    names = list(frame.columns)
    hits = [label] if label in names else [n for n in names if plain_name(n) in (*USUAL[side], "id")]
    if len(hits) == 1:
        return frame[hits[0]].tolist()
    if not hits and (frame.index.name is not None or frame.index.dtype == object):
        return frame.index.tolist()
    raise DataError(
        f"the frame of {side}s does not tell which column holds their ids",
        got=", ".join(map(str, names)),
        allowed=f"a column named {label} as in the ratings, or an index of ids",
    )


def _text(cell: Any) -> str:
    """A cell as text; several genres have ``|`` between them."""
    if isinstance(cell, list | tuple | set | np.ndarray):
        return "|".join(map(str, cell))
    return "" if missing(cell) else str(cell)


def _years(column: pd.Series[Any]) -> pd.Series[Any]:
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(column):
        return column.dt.year.astype("Int64")
    return pd.to_numeric(column, errors="coerce").round().astype("Int64")
