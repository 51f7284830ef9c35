"""Conversion of the tables of other libraries to pandas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from igmc.errors import ConfigError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ArrowTable", "Frame", "as_pandas", "is_table", "table_kind"]


class ArrowTable(Protocol):
    """A table with Arrow's C stream interface, such as those of polars, pyarrow and DuckDB."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Frame = ArrowTable | Mapping[str, Any]  # pandas' too, which has the interface


def is_table(value: object) -> bool:
    """Whether it is a pandas table, or one with Arrow's C stream interface."""
    interfaces = ("__arrow_c_stream__", "__dataframe__")
    return not isinstance(value, type) and any(hasattr(value, name) for name in interfaces)


def table_kind(value: object) -> str:
    """What a table is called in messages, such as "a polars DataFrame"."""
    if isinstance(value, Mapping):
        return "a mapping of columns"
    return f"a {type(value).__module__.partition('.')[0].lstrip('_')} {type(value).__name__}"


def as_pandas(table: Any, what: str) -> pd.DataFrame:
    """The table as a pandas DataFrame; integer columns with missing values stay integers."""
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
                    f"{what}: {table_kind(table)} needs pyarrow, which is not installed",
                    extra="parquet",
                    remedy="or give the table as a pandas DataFrame",
                ) from error
            whole = {
                getattr(pa, name.lower())(): getattr(pd, f"{name}Dtype")()
                for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt16", "UInt32", "UInt64")
            }
            frame: pd.DataFrame = pa.table(table).to_pandas(types_mapper=whole.get)
            return frame
        if hasattr(table, "__dataframe__"):
            return pd.api.interchange.from_dataframe(table)
    except (TypeError, ValueError) as error:
        raise ConfigError(
            f"{what} cannot be read: {error}", got=table_kind(table), allowed=allowed
        ) from error
    raise ConfigError(f"{what} are not a table", got="None" if table is None else table, allowed=allowed)
