"""The content of the log of ratings: entries in order, and the changes that add them."""

from __future__ import annotations

import json
from typing import NamedTuple

from igmc.errors import DataError, IgmcError
from igmc.ratings import RawId

__all__ = ["Change", "DatabaseAwayError", "Draft", "Entry", "KeyReusedError", "Receipt", "id_text", "text_id"]


class DatabaseAwayError(IgmcError):
    """The database cannot be reached, or does not answer in time; nothing may be known of the last write."""


class KeyReusedError(DataError):
    """An idempotency key came again with another body."""


class Draft(NamedTuple):
    """An entry before it has a place in the log.

    Attributes:
        kind: "rate", "delete" (of one rating), "erase" (of all that is known of a user) or "item".
        user, item: raw ids, as far as the kind has them.
        rating: of "rate".
        time: of "rate", in seconds since 1970 (UTC).
        about: of "item": JSON with title, genres and year.
    """

    kind: str
    user: RawId | None = None
    item: RawId | None = None
    rating: float | None = None
    time: int | None = None
    about: str | None = None


class Entry(NamedTuple):
    """The entry at one place of the log; see `Draft`."""

    position: int
    kind: str
    user: RawId | None
    item: RawId | None
    rating: float | None
    time: int | None
    about: str | None


class Change(NamedTuple):
    """What one request writes, atomically.

    Attributes:
        drafts: in order.
        key: the idempotency key of the request; None without one.
        digest: of what was requested; the same key with another one is refused.
    """

    drafts: tuple[Draft, ...]
    key: str | None = None
    digest: str = ""


class Receipt(NamedTuple):
    """Confirmation that a change is stored durably.

    Attributes:
        position: of its last entry.
        entries: number of its entries.
        repeated: whether it was stored already, by an earlier request with the same key.
    """

    position: int
    entries: int
    repeated: bool = False


def id_text(raw: RawId) -> str:
    """An id as the database has it: whole numbers and texts stay apart.

    >>> id_text(7), id_text("7")
    ('7', '"7"')
    """
    return json.dumps(raw)


def text_id(text: str) -> RawId:
    """The inverse of `id_text`."""
    return json.loads(text) if text[:1] == '"' else int(text)
