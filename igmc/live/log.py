"""The log of ratings: acknowledged entries, each in its place, in SQLite or PostgreSQL.

It is the only source of truth; all state of servers follows from it. Transactions assign places one
after the other, so a reader that has read up to a place has missed nothing before it. Compaction removes
entries that later ones have superseded, and moves none: the log is its own snapshot.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from igmc.errors import ConfigError
from igmc.live.database import Database, open_database
from igmc.live.entries import Change, Draft, Entry, KeyReusedError, Receipt, id_text, text_id

__all__ = ["RatingLog"]

FORMAT = 1
KEPT = 7 * 86_400  # seconds for which idempotency keys are kept, at least
_COLUMNS = "position, kind, user_id, item_id, rating, time, about"
_TABLES = (
    "CREATE TABLE IF NOT EXISTS igmc_head (position {integer} NOT NULL, format {integer} NOT NULL, "
    "scale TEXT)",
    "CREATE TABLE IF NOT EXISTS igmc_log (position {integer} PRIMARY KEY, kind TEXT NOT NULL, user_id TEXT, "
    "item_id TEXT, rating {real}, time {integer}, about TEXT)",
    "CREATE INDEX IF NOT EXISTS igmc_log_pair ON igmc_log (user_id, item_id)",
    "CREATE TABLE IF NOT EXISTS igmc_keys (key TEXT PRIMARY KEY, digest TEXT NOT NULL, user_id TEXT, "
    "position {integer} NOT NULL, entries {integer} NOT NULL, time {integer} NOT NULL)",
)
_VOID = (
    "DELETE FROM igmc_log WHERE position NOT IN ("
    "SELECT max(position) FROM igmc_log WHERE kind IN ('rate', 'delete') GROUP BY user_id, item_id "
    "UNION ALL SELECT max(position) FROM igmc_log WHERE kind = 'erase' GROUP BY user_id "
    "UNION ALL SELECT max(position) FROM igmc_log WHERE kind = 'item' GROUP BY item_id)"
)


class RatingLog:
    """A connection to a log; for one thread at a time. It connects when it is used, and again after an error.

    Args:
        store: see `igmc.live.database.open_database`.

    Raises:
        ConfigError, MissingExtraError: as `open_database`.
        DatabaseAwayError: by any method, when the database cannot be reached.
    """

    def __init__(self, store: str) -> None:
        self.database: Database = open_database(store)
        self._connection: Any = None

    def __enter__(self) -> RatingLog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection."""
        found, self._connection = self._connection, None
        if found is not None:
            with suppress(*self.database.errors):
                found.close()

    def bind(self, scale: Sequence[float]) -> None:
        """Store the scale of the ratings, or check that it is the stored one.

        Raises:
            ConfigError: if it is another one.
        """
        values = json.dumps([float(value) for value in scale])
        with self._connected() as connection, self.database.transaction(connection) as cursor:
            known = cursor.execute("SELECT scale FROM igmc_head").fetchone()[0]
            if known is None:
                self._run(cursor, "UPDATE igmc_head SET scale = ?", values)
            elif json.loads(known) != json.loads(values):
                raise ConfigError(
                    f"the store {self.database.name} holds ratings on a different scale from the run",
                    got=values,
                    allowed=known,
                    remedy="serve a run on that scale, or use another store",
                )

    def append(self, changes: Sequence[Change]) -> list[Receipt | KeyReusedError]:
        """Store some changes, in order, in one transaction; they are stored when this returns.

        Returns:
            for each change its receipt, or the error of its key, which alone is not stored then.
        """
        with self._connected() as connection, self.database.transaction(connection) as cursor:
            position = cursor.execute("SELECT position FROM igmc_head").fetchone()[0]
            answers: list[Receipt | KeyReusedError] = []
            for change in changes:
                answer = self._repeated(cursor, change)
                if answer is None:
                    answer = Receipt(position + len(change.drafts), len(change.drafts))
                    self._store(cursor, change, position, answer)
                    position = answer.position
                answers.append(answer)
            self._run(cursor, "UPDATE igmc_head SET position = ?", position)
        return answers

    def position(self) -> int:
        """Of the last entry that was ever stored; 0 if there is none."""
        with self._connected() as connection:
            return int(connection.execute("SELECT position FROM igmc_head").fetchone()[0])

    def read(self, after: int, limit: int = 10_000) -> list[Entry]:
        """The first entries behind a place, in order."""
        text = f"SELECT {_COLUMNS} FROM igmc_log WHERE position > ? ORDER BY position LIMIT ?"
        with self._connected() as connection:
            rows = connection.execute(self.database.sql(text), (after, limit)).fetchall()
        return [
            Entry(
                position,
                kind,
                None if user is None else text_id(user),
                None if item is None else text_id(item),
                rating,
                time,
                about,
            )
            for position, kind, user, item, rating, time, about in rows
        ]

    def scrub(self) -> None:
        """Rewrite the files, so that no erased data remain in them; takes seconds for millions of entries."""
        with self._connected() as connection:
            self.database.scrub(connection)

    def compact(self) -> int:
        """Remove superseded entries and old idempotency keys; returns the number of entries removed."""
        with self._connected() as connection:
            with self.database.transaction(connection) as cursor:
                cursor.execute(_VOID)
                void = int(cursor.rowcount)
                self._run(cursor, "DELETE FROM igmc_keys WHERE time < ?", int(time.time()) - KEPT)
            self.database.scrub(connection)
        return void

    def _repeated(self, cursor: Any, change: Change) -> Receipt | KeyReusedError | None:
        """The answer to a change whose key is known; None if it is not."""
        if change.key is None:
            return None
        text = "SELECT digest, position, entries FROM igmc_keys WHERE key = ?"
        found = self._run(cursor, text, _hashed(change.key)).fetchone()
        if found is None:
            return None
        digest, position, entries = found
        if digest not in ("", change.digest):  # "" once a user in it was erased
            return KeyReusedError(
                "this idempotency key was used for a different request",
                allowed="the same key only for the same request",
                remedy="send a new random key, such as a UUID",
            )
        return Receipt(position, entries, repeated=True)

    def _store(self, cursor: Any, change: Change, position: int, receipt: Receipt) -> None:
        for draft in change.drafts:
            if draft.kind == "erase":
                self._erase(cursor, draft)
        rows = [(position + k, *_columns(draft)) for k, draft in enumerate(change.drafts, start=1)]
        text = f"INSERT INTO igmc_log ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)"
        cursor.executemany(self.database.sql(text), rows)
        if change.key is not None:
            users = {draft.user for draft in change.drafts}
            user = users.pop() if len(users) == 1 else None
            key = _hashed(change.key), change.digest, None if user is None else id_text(user)
            now = int(time.time())
            text = "INSERT INTO igmc_keys VALUES (?, ?, ?, ?, ?, ?)"
            self._run(cursor, text, *key, receipt.position, receipt.entries, now)

    def _erase(self, cursor: Any, draft: Draft) -> None:
        """Remove all stored data of a user; the entry that says so follows."""
        user = id_text(draft.user)
        self._run(cursor, "DELETE FROM igmc_log WHERE user_id = ?", user)
        # A key stays, so that its request is not done again; the digest would tell whether a guess is right.
        text = "UPDATE igmc_keys SET digest = '', user_id = NULL WHERE user_id = ? OR user_id IS NULL"
        self._run(cursor, text, user)

    def _run(self, cursor: Any, text: str, *values: Any) -> Any:
        return cursor.execute(self.database.sql(text), values)

    @contextmanager
    def _connected(self) -> Iterator[Any]:
        """The connection, with tables; after an error of the database there is none any more."""
        try:
            with self.database.told():
                if self._connection is None:
                    self._connection = self.database.connect()
                    self._make_tables()
                yield self._connection
        except ConfigError:
            raise
        except BaseException:
            self.close()
            raise

    def _make_tables(self) -> None:
        """The tables, if they are not there, and whether they are those of this version."""
        if not self.database.has_tables(self._connection):
            types = {"integer": self.database.integer, "real": self.database.real}
            with self.database.transaction(self._connection) as cursor:
                for text in _TABLES:
                    cursor.execute(text.format(**types))
                if cursor.execute("SELECT count(*) FROM igmc_head").fetchone()[0] == 0:
                    self._run(cursor, "INSERT INTO igmc_head VALUES (0, ?, NULL)", FORMAT)
        found = self._connection.execute("SELECT format FROM igmc_head").fetchone()[0]
        if found != FORMAT:
            raise ConfigError(
                f"the store {self.database.name} was written by another version of igmc",
                got=f"format {found}",
                allowed=f"format {FORMAT}",
            )


def _columns(draft: Draft) -> tuple[Any, ...]:
    return (
        draft.kind,
        None if draft.user is None else id_text(draft.user),
        None if draft.item is None else id_text(draft.item),
        *draft[3:],
    )


def _hashed(key: str) -> str:
    """A key is text chosen by the client, and may name people."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
