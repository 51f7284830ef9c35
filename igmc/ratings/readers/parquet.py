"""Ratings from Parquet, whose columns have types: ids stay what they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings.readers.columns import choose
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.raw_ratings import RawRatings
from igmc.ratings.table import UNKNOWN_TIME

__all__ = ["read_parquet"]


def read_parquet(file: RatingFile, columns: tuple[str, ...] | None) -> RawRatings:
    """The ratings in a Parquet file.

    Ids are whole numbers or texts; the rating is a number; the timestamp is in seconds, or has a date type.

    Raises:
        MissingExtraError: without pyarrow.
        DataError: if a column is missing, or has another type, or an empty value.
    """
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(
            f"{file} is a Parquet file, which needs pyarrow", remedy="pip install 'igmc[parquet]'"
        ) from error
    with file.open() as stream:
        content = pa.BufferReader(stream.read())
    try:
        parquet = pq.ParquetFile(content)
        names = list(parquet.schema_arrow.names)
        if columns is not None and not set(columns) <= set(names) and all(c.isdigit() for c in columns):
            raise ConfigError("Parquet columns have names", got=",".join(columns), allowed=", ".join(names))
        places = choose(str(file), names, columns)
        table = parquet.read(columns=[names[k] for k in places])
    except pa.ArrowException as error:
        raise DataError(
            f"{file} is no Parquet file, or damaged ({error})", remedy="write or fetch it again"
        ) from error
    if table.num_rows == 0:
        raise DataError(f"{file} holds no ratings", allowed="at least one rating", remedy="check the file")
    user, item, rating, *times = (_Column(file, names[k], table.column(names[k])) for k in places)
    user_codes, users = user.ids()
    item_codes, items = item.ids()
    stamps = times[0].seconds() if times else None
    return RawRatings(
        users, items, user_codes, item_codes, rating.numbers(), stamps, lambda row: f"{file}, row {row + 1}"
    )


class _Column:
    def __init__(self, file: RatingFile, name: str, data: Any) -> None:
        import pyarrow as pa

        self.file, self.name, self.types = file, name, pa.types
        self.data = data.combine_chunks()

    def ids(self) -> tuple[NDArray[np.int64], list[int | str]]:
        kind = self.data.type
        if self.types.is_dictionary(kind):
            kind = kind.value_type
            self.data = self.data.cast(kind)
        types = self.types
        if not (types.is_integer(kind) or types.is_string(kind) or types.is_large_string(kind)):
            self._refuse("whole numbers or texts")
        self._require(self.data.is_valid(), "is empty", "an id")
        coded = self.data.dictionary_encode()
        if hasattr(coded, "combine_chunks"):  # a column of several gigabytes stays chunked
            coded = coded.combine_chunks()
        return coded.indices.to_numpy(zero_copy_only=False).astype(np.int64), coded.dictionary.to_pylist()

    def numbers(self) -> NDArray[np.float64]:
        kind = self.data.type
        types = self.types
        fits = (types.is_integer, types.is_floating, types.is_decimal, types.is_boolean)
        if not any(fit(kind) for fit in fits):
            self._refuse("numbers")
        values = self.data.cast("float64").to_numpy(zero_copy_only=False)
        self._require(np.isfinite(values), "is not a finite number", "a finite number such as 4 or 3.5")
        return np.asarray(values, dtype=np.float64)

    def seconds(self) -> NDArray[np.int64]:
        import pyarrow as pa

        data = self.data
        if self.types.is_date(data.type):
            data = data.cast(pa.timestamp("s"))
        if self.types.is_timestamp(data.type):
            data = data.cast(pa.timestamp("s", tz=data.type.tz), safe=False).cast("int64")
        elif not (self.types.is_integer(data.type) or self.types.is_floating(data.type)):
            self._refuse("seconds since 1970, or a date type")
        values = data.cast("float64").to_numpy(zero_copy_only=False)
        fits = ~(np.abs(values) > 2.0**53)  # also true where the value is missing
        self._require(fits, "is too large", "seconds since 1970")
        return np.where(np.isnan(values), UNKNOWN_TIME, values).astype(np.int64)

    def _refuse(self, allowed: str) -> None:
        raise DataError(
            f"{self.file}: the column {self.name} has the wrong type",
            got=str(self.data.type),
            allowed=allowed,
            remedy="convert the column, or choose another with --columns",
        )

    def _require(self, good: Any, what: str, allowed: str) -> None:
        bad = np.flatnonzero(~np.asarray(good, dtype=bool))
        if bad.size:
            row = int(bad[0])
            raise DataError(
                f"{self.file}, row {row + 1}: the {self.name} {what}",
                got=str(self.data[row].as_py()),
                allowed=allowed,
                remedy="mend or remove this row",
            )
