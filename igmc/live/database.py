"""The differences between the two databases that can hold a log of ratings."""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from igmc.errors import ConfigError, MissingExtraError
from igmc.live.entries import DatabaseAwayError

__all__ = ["Database", "open_database"]

BUSY = 5.0  # seconds that a process waits while another writes
SCHEMES = ("postgresql://", "postgres://", "postgresql+psycopg://")


class Database(ABC):
    """How to reach a database; connections are for one thread at a time.

    Attributes:
        name: for people, without a password.
        integer, real: the names of its types of 64 bits.
        errors: what it raises when it cannot be reached or is temporarily unable to work.
    """

    name: str
    integer: str
    real: str
    errors: tuple[type[Exception], ...]

    @abstractmethod
    def connect(self) -> Any:
        """A new connection, in which each statement is its own transaction until `transaction` says more.

        Raises:
            one of `errors`.
        """

    @abstractmethod
    @contextmanager
    def transaction(self, connection: Any) -> Iterator[Any]:
        """A transaction of some statements, exclusive among writers; yields a cursor."""

    @abstractmethod
    def has_tables(self, connection: Any) -> bool:
        """Whether the tables of a log are there; asking takes no lock."""

    @abstractmethod
    def scrub(self, connection: Any) -> None:
        """Rewrite the files of the tables, so that no deleted data remain in them."""

    @abstractmethod
    def sql(self, text: str) -> str:
        """A statement as the database takes it, from one with ``?`` for its parameters."""

    @contextmanager
    def told(self) -> Iterator[None]:
        """Turns its own errors into `DatabaseAwayError`."""
        try:
            yield
        except self.errors as error:
            raise DatabaseAwayError(
                f"the database {self.name} does not answer: {str(error).strip()}",
                remedy="check that it is running, that its disk has free space, and that no process keeps "
                "it locked",
            ) from error


class _Sqlite(Database):
    """One file, in the mode in which readers and a writer do not wait for each other (WAL)."""

    integer, real = "INTEGER", "REAL"
    errors = (sqlite3.OperationalError,)

    def __init__(self, path: Path) -> None:
        self.path, self.name = path, path.name

    def connect(self) -> sqlite3.Connection:
        found = sqlite3.connect(self.path, timeout=BUSY, isolation_level=None, check_same_thread=False)
        try:
            found.execute("PRAGMA journal_mode = WAL")
            # A commit reaches the disk, not only the cache of the system.
            found.execute("PRAGMA synchronous = FULL")
            found.execute("PRAGMA secure_delete = ON")
        except BaseException:
            found.close()
            raise
        return found

    @contextmanager
    def transaction(self, connection: Any) -> Iterator[Any]:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection.cursor()
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def has_tables(self, connection: Any) -> bool:
        found = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'igmc_keys'").fetchone()
        return bool(found[0])

    def scrub(self, connection: Any) -> None:
        connection.execute("VACUUM")
        # The old pages are in the file until the log of pages has been written back, which readers put off.
        until = time.monotonic() + BUSY
        while connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
            if time.monotonic() > until:
                raise sqlite3.OperationalError("a reader still uses old pages")
            time.sleep(0.01)

    def sql(self, text: str) -> str:
        return text


class _Postgres(Database):
    """PostgreSQL, through psycopg."""

    integer, real = "BIGINT", "DOUBLE PRECISION"

    def __init__(self, url: str) -> None:
        try:
            import psycopg
        except ModuleNotFoundError as error:
            raise MissingExtraError("a store in PostgreSQL needs psycopg", extra="sql") from error
        self._psycopg = psycopg
        self.errors = (psycopg.OperationalError, psycopg.InterfaceError)
        self.url = "postgresql://" + url.partition("://")[2]
        try:
            parts = psycopg.conninfo.conninfo_to_dict(self.url)
        except psycopg.ProgrammingError as error:
            raise ConfigError(
                "the URL of the store is invalid", allowed="such as postgresql://user@host/database"
            ) from error
        self.name = f"{parts.get('dbname') or 'postgres'} at {parts.get('host') or 'localhost'}"

    def connect(self) -> Any:
        timeouts = "-c synchronous_commit=on -c lock_timeout=5s -c client_min_messages=warning"
        return self._psycopg.connect(
            self.url, autocommit=True, connect_timeout=3, options=timeouts, application_name="igmc"
        )

    @contextmanager
    def transaction(self, connection: Any) -> Iterator[Any]:
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(7221069)")  # one writer at a time, as in SQLite
            yield cursor

    def has_tables(self, connection: Any) -> bool:
        return connection.execute("SELECT to_regclass('igmc_keys')").fetchone()[0] is not None

    def scrub(self, connection: Any) -> None:
        for table in ("igmc_log", "igmc_keys"):
            connection.execute(f"VACUUM FULL {table}")

    def sql(self, text: str) -> str:
        return text.replace("?", "%s")


def open_database(store: str) -> Database:
    """The database of a store; nothing is connected yet.

    Args:
        store: the path of a SQLite file, which is made if it is not there, or the URL of a PostgreSQL
            database, such as ``postgresql://user@host/database``.

    Raises:
        ConfigError: on another URL, or a path in a folder that is not there.
        MissingExtraError: if psycopg is needed and missing.
    """
    if store.startswith(SCHEMES):
        return _Postgres(store)
    if "://" in store:
        raise ConfigError(
            "a store is a file or a PostgreSQL database",
            got=store.partition("://")[0] + "://...",
            allowed="a path such as ratings.db, or postgresql://user@host/database",
        )
    path = Path(store)
    if not path.parent.is_dir() or path.is_dir():
        raise ConfigError(
            "the store cannot be at this path",
            got=store,
            allowed="a file in a folder that exists",
            remedy="create the folder, or choose another file",
        )
    return _Sqlite(path)
