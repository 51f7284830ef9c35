"""Ratings from a database: a URL as SQLAlchemy writes it, with the query in it; read in chunks."""

from __future__ import annotations

import logging
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers.columns import are_positions, choose
from igmc.ratings.readers.values import TypedRows

if TYPE_CHECKING:
    import sqlalchemy

__all__ = ["is_sql_url", "read_sql", "source_name"]

logger = logging.getLogger(__name__)

_CHUNK = 50_000  # rows that are held as Python values at a time
_EXAMPLE = "sqlite:///shop.db?query=SELECT user_id, item_id, rating FROM ratings"


def is_sql_url(text: str) -> bool:
    """Whether a data set is named by the URL of a database.

    >>> is_sql_url("sqlite:///shop.db?query=SELECT 1"), is_sql_url("data/ratings.csv")
    (True, False)
    """
    scheme, found, _ = text.partition("://")
    return bool(found) and scheme.replace("+", "").replace("_", "").isalnum() and scheme[:1].isalpha()


def source_name(text: str) -> str:
    """What a path or a URL is called, for people and for folders; without user and password.

    >>> source_name("postgresql://me:secret@host/shop?query=SELECT 1"), source_name("data/ratings.csv")
    ('shop', 'ratings.csv')
    """
    if not is_sql_url(text):
        return Path(text).name
    path = text.partition("://")[2].partition("?")[0]
    return Path(path).name.split(".")[0] or "database"


def read_sql(text: str, columns: tuple[str, ...] | None, *, implicit: bool = False) -> RawRatings:
    """The ratings that a query gives.

    Args:
        text: the URL; its ``query`` is the SQL, which may be percent-encoded.
        columns: see `parse_columns`; names of columns of the result.
        implicit: whether there may be no ratings.

    Raises:
        MissingExtraError: without SQLAlchemy, or without the driver of the database.
        ConfigError: on a URL without a query.
        DataError: on what the database says, and on a row that makes no sense.
    """
    try:
        import sqlalchemy
    except ImportError as error:
        raise MissingExtraError("a database needs SQLAlchemy", extra="sql") from error
    url, query = _parsed(text)
    shown = url.render_as_string(hide_password=True)
    if url.password:
        logger.warning("the settings of a run keep the URL with its password; ~/.pgpass or the like does not")
    try:
        engine = sqlalchemy.create_engine(url)
    except ImportError as error:
        raise MissingExtraError(
            f"{shown}: the driver of this database is not installed ({error})",
            remedy="install it; the extra igmc[sql] has that of PostgreSQL",
        ) from error
    try:
        # Without parameters, so that no colon or per cent sign in the query is taken for one.
        options = {"stream_results": True, "no_parameters": True, "max_row_buffer": _CHUNK}
        with engine.connect().execution_options(**options) as connection:
            return _gathered(connection.exec_driver_sql(query), shown, columns, implicit)
    except sqlalchemy.exc.SQLAlchemyError as error:
        said = str(getattr(error, "orig", None) or error).strip().partition("\n")[0]
        raise DataError(f"{shown}: {said}", got=query, remedy="check the URL and the query") from error
    finally:
        engine.dispose()


def _parsed(text: str) -> tuple[sqlalchemy.URL, str]:
    import sqlalchemy

    # Not by SQLAlchemy: a query is full of signs that a URL would have encoded.
    address, _, tail = text.partition("?")
    parts = tail.split("query=", 1)
    query = parts[1].strip() if len(parts) == 2 else ""
    if not any(map(str.isspace, query)):
        query = urllib.parse.unquote_plus(query)
    try:
        url = sqlalchemy.make_url(address + ("?" + parts[0].rstrip("&?") if parts[0].strip("&?") else ""))
    except sqlalchemy.exc.ArgumentError as error:
        raise ConfigError("the URL of the database is malformed", allowed=_EXAMPLE) from error
    if not query:
        raise ConfigError("the URL of a database needs a query", allowed=_EXAMPLE)
    file = url.database
    is_file = url.get_backend_name() == "sqlite" and file and not file.startswith("file:")
    if is_file and not Path(str(file)).is_file():  # SQLite would make an empty one
        raise DataError(
            f"there is no file {file}", remedy="check the path: sqlite:///relative or sqlite:////absolute"
        )
    return url, query


def _gathered(
    result: sqlalchemy.CursorResult[tuple[object, ...]],
    shown: str,
    columns: tuple[str, ...] | None,
    implicit: bool,
) -> RawRatings:
    if are_positions(columns):
        raise ConfigError("the columns of a query have names", got=",".join(columns or ()))
    if not result.returns_rows:
        raise ConfigError("the query gives no rows", allowed=_EXAMPLE)
    names = list(result.keys())
    places = choose(f"the query on {shown}", names, columns, implicit=implicit)
    rated = places[2] is not None
    rows = TypedRows(lambda k: f"{shown}, row {k + 1}", timed=len(places) == 4, rated=rated)
    for chunk in result.partitions(_CHUNK):
        for row in chunk:
            rows.add(*(1 if k is None else row[k] for k in places))
    return rows.finished()
