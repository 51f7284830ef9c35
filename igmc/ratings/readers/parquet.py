"""Ratings from Parquet, whose columns have types: ids stay what they are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings.raw_ratings import RawRatings, Vocabulary, shortest, trimmed_note
from igmc.ratings.readers.columns import are_positions, choose
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.table import UNKNOWN_TIME
from igmc.ratings.times import ALLOWED, MAX_TIME, date_seconds, to_seconds

__all__ = ["read_parquet"]


def read_parquet(
    source: RatingFile | Path, columns: tuple[str, ...] | None, *, implicit: bool = False
) -> RawRatings:
    """The ratings in a Parquet file, or in a folder of such files as Spark writes it.

    Ids are whole numbers, also as floats, or texts; the rating is a number; the timestamp is a number, see
    `igmc.ratings.times.to_seconds`, or has a date type. With `implicit` there may be no rating.

    Raises:
        MissingExtraError: without pyarrow.
        DataError: if a column is missing, or has another type, or an empty value.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError(f"{source} is Parquet, which needs pyarrow", extra="parquet") from error
    try:
        names, read = _opened(source)
        if columns is not None and not set(columns) <= {*names, ""} and are_positions(columns):
            raise ConfigError("Parquet columns have names", got=",".join(columns), allowed=", ".join(names))
        places = choose(str(source), names, columns, implicit=implicit)
        table = read([names[k] for k in places if k is not None])
    except pa.ArrowException as error:
        raise DataError(
            f"{source} is not a Parquet file, or damaged ({error})", remedy="write or fetch it again"
        ) from error
    if table.num_rows == 0:
        raise DataError(f"{source} holds no ratings", allowed="at least one rating", remedy="check the file")

    def where(row: int) -> str:
        return f"{source}, row {row + 1}"

    def column(k: int) -> _Column:
        return _Column(str(source), names[k], table.column(names[k]))

    user, item = column(places[0]), column(places[1])
    rating = None if places[2] is None else column(places[2])
    times = [column(k) for k in places[3:]]
    user_codes, users = user.ids()
    item_codes, items = item.ids()
    stamps, notes = times[0].seconds(where) if times else (None, ())
    notes = (*trimmed_note(users, items), *notes)
    return RawRatings(
        list(users.codes),
        list(items.codes),
        user_codes,
        item_codes,
        np.ones(len(user_codes)) if rating is None else rating.numbers(),
        stamps,
        where,
        notes=notes,
        rated=rating is not None,
    )


def _opened(source: RatingFile | Path) -> tuple[list[str], Callable[[list[str]], Any]]:
    """The names of the columns, and what reads some of them into one table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if isinstance(source, Path):
        import pyarrow.dataset

        # Files such as _SUCCESS are left out; folders such as year=2004 are columns.
        files = pyarrow.dataset.dataset(
            source, format="parquet", partitioning="hive", exclude_invalid_files=True
        )
        return list(files.schema.names), lambda names: files.to_table(columns=names)
    with source.open() as stream:
        parquet = pq.ParquetFile(pa.BufferReader(stream.read()))
    return list(parquet.schema_arrow.names), lambda names: parquet.read(columns=names)


class _Column:
    def __init__(self, source: str, name: str, data: Any) -> None:
        import pyarrow as pa

        self.source, self.name, self.types = source, name, pa.types
        self.data = data.combine_chunks()

    def ids(self) -> tuple[NDArray[np.int64], Vocabulary]:
        """The code of each cell, int64 [n], and the ids."""
        kind = self.data.type
        if self.types.is_dictionary(kind):
            kind = kind.value_type
            self.data = self.data.cast(kind)
        types, vocabulary = self.types, Vocabulary()
        fits = (
            types.is_integer,
            types.is_floating,
            types.is_string,
            types.is_large_string,
            types.is_string_view,
        )
        if not any(fit(kind) for fit in fits):
            self._refuse("whole numbers or texts")
        self._require(self.data.is_valid(), "is empty", "an id")
        coded = self.data.dictionary_encode()
        if hasattr(coded, "combine_chunks"):  # a column of several gigabytes stays chunked
            coded = coded.combine_chunks()
        codes = coded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        found = coded.dictionary.to_pylist()
        good = [
            bool(raw.strip()) if isinstance(raw, str) else raw == raw // 1 and abs(raw) < 2**63
            for raw in found
        ]
        is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind)
        what = "is empty" if is_text else "is not a whole number"
        self._require(np.array(good, bool)[codes], what, "an id: a whole number or a text")
        counts = np.bincount(codes, minlength=len(found)).tolist()
        if types.is_floating(kind):
            found, vocabulary.floats = [int(raw) for raw in found], len(codes)
        distinct = [vocabulary.add(raw, count) for raw, count in zip(found, counts, strict=True)]
        return np.array(distinct, np.int64)[codes], vocabulary

    def numbers(self) -> NDArray[np.float64]:
        kind = self.data.type
        types = self.types
        fits = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
        if not any(fit(kind) for fit in fits):
            self._refuse("numbers")
        values = self.data.cast("float64").to_numpy(zero_copy_only=False)
        if types.is_float32(kind) or types.is_float16(kind):
            values = shortest(values, np.float32 if types.is_float32(kind) else np.float16)
        self._require(np.isfinite(values), "is not a finite number", "a finite number such as 4 or 3.5")
        return np.asarray(values, dtype=np.float64)

    def seconds(self, where: Callable[[int], str]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Times in whole seconds, int64 [n], and what was guessed."""
        import pyarrow as pa

        data = self.data
        if self.types.is_date(data.type):
            data = data.cast(pa.timestamp("s"))
        has_unit = self.types.is_timestamp(data.type)
        if has_unit:
            data = data.cast(pa.timestamp("s", tz=data.type.tz), safe=False).cast("int64")
        elif self.types.is_string(data.type) or self.types.is_large_string(data.type):
            data = pa.array(
                [self._date(row, text) for row, text in enumerate(data.to_pylist())], pa.float64()
            )
        elif not (self.types.is_integer(data.type) or self.types.is_floating(data.type)):
            self._refuse("seconds since 1970, or a date type")
        values = data.cast("float64").to_numpy(zero_copy_only=False)
        fits = ~(np.abs(values) >= MAX_TIME)  # also true where the value is missing
        self._require(fits, "is too large", ALLOWED)
        if has_unit:
            return np.where(np.isnan(values), UNKNOWN_TIME, values).astype(np.int64), ()
        return to_seconds(values, where)

    def _date(self, row: int, text: str | None) -> float | None:
        if text is None or not text.strip():
            return None
        try:
            return date_seconds(text)
        except ValueError:
            raise DataError(
                f"{self.source}, row {row + 1}: the {self.name} is not an ISO date", got=text, allowed=ALLOWED
            ) from None

    def _refuse(self, allowed: str) -> None:
        raise DataError(
            f"{self.source}: the column {self.name} has the wrong type",
            got=str(self.data.type),
            allowed=allowed,
            remedy="convert the column, or choose another with --columns",
        )

    def _require(self, good: Any, what: str, allowed: str) -> None:
        bad = np.flatnonzero(~np.asarray(good, dtype=bool))
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"{self.source}, row {row + 1}: the {self.name} {what}",
                got=str(self.data[row].as_py()),
                allowed=allowed,
                remedy="fix or remove this row",
            )
