"""Ids on their way to and from a client: numbers that JavaScript cannot hold exactly travel as texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from igmc.inference import from_text
from igmc.ratings import IdTable, RawId
from igmc.ratings.readers import natural_ids

__all__ = [
    "EXACT",
    "LARGEST",
    "LONGEST",
    "kind_of",
    "received",
    "received_all",
    "sendable",
    "sent",
    "typed",
]

EXACT = 2**53 - 1  # JavaScript keeps no larger whole number exactly
LARGEST = 2**63 - 1  # as databases do
LONGEST = 256  # characters of a text


def sendable(raw: RawId) -> bool:
    """Whether an answer can hold an id: a whole number of 64 bits, or a text of `LONGEST` characters."""
    if isinstance(raw, str):
        return len(raw) <= LONGEST
    return isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) <= LARGEST


def sent(raw: RawId | None) -> Any:
    """A sendable id for an answer: numbers beyond `EXACT` as texts."""
    return str(raw) if isinstance(raw, int) and abs(raw) > EXACT else raw


def received(table: IdTable, raw: RawId) -> RawId:
    """The id that a client means.

    A text is the number that it writes if that is beyond `EXACT`, ids of this side are numbers, and none of
    them is this very text.
    """
    if not isinstance(raw, str) or not (table.ids and isinstance(table.ids[0], int)):
        return raw  # the numbers come first in a table
    digits = raw.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(raw) <= LONGEST):
        return raw
    number = int(raw)
    if abs(number) <= EXACT or str(number) != raw or table.encode([raw])[0] >= 0:
        return raw
    return number


def received_all(table: IdTable, raw_ids: Iterable[RawId]) -> list[RawId]:
    """`received`, of each."""
    return [received(table, raw) for raw in raw_ids]


def kind_of(table: IdTable) -> type | None:
    """The type of all ids; None if they differ, or there are none."""
    kinds = {type(raw) for raw in table.ids}
    return kinds.pop() if len(kinds) == 1 else None


def typed(table: IdTable, kind: type | None, text: str) -> RawId:
    """The id that a text in an address or a header means; see `igmc.inference.from_text`.

    Args:
        table: the known ids of this side.
        kind: their type, by `kind_of`.
        text: as it was sent.
    """
    if kind is str:
        return text
    found: RawId = natural_ids([text])[0] if kind is int else from_text(table, [text])[0]
    return found
