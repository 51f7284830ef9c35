"""Conversion of raw ids to dense indices: typed ids, new ids, and misspelt ids."""

from __future__ import annotations

import difflib
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings import IdTable, ObjectIds, RawId
from igmc.ratings.readers import natural_ids

__all__ = ["ExtendedIds", "check_known", "from_text", "near_ids", "unknown_ids"]

_MANY = 20_000
_LONGEST = 60  # to compare a longer one with many takes long


def from_text(table: IdTable, texts: Sequence[str]) -> list[RawId]:
    """Convert typed ids to the types of the table, in which integers and strings are different ids.

    A text that is unknown both as a string and as a number becomes a number if the table holds only numbers.
    Ids of other kinds, such as dates, are typed as Python prints them.

    >>> from_text(IdTable((1, 20)), ["20", "3", "x", "01"])
    [20, 3, 'x', '01']
    >>> from_text(IdTable((1, "20")), ["20", "1", "3"])
    ['20', 1, '3']
    """
    if isinstance(table, ObjectIds):
        printed = {str(raw): raw for raw in table.ids}
        return [printed.get(text, text) for text in texts]
    numbers = [natural_ids([text])[0] for text in texts]
    as_text, as_number = table.encode(texts), table.encode(numbers)
    only_numbers = all(isinstance(raw, int) for raw in table.ids)
    return [
        text if found >= 0 or not (other >= 0 or only_numbers) else number
        for text, number, found, other in zip(texts, numbers, as_text, as_number, strict=True)
    ]


def unknown_ids(table: IdTable, raw_ids: Iterable[RawId]) -> list[RawId]:
    """The ids that are not in the table, each once, numbers first, in ascending order."""
    given = list(raw_ids)
    unknown = [raw for raw, index in zip(given, table.encode(given), strict=True) if index < 0]
    return list(type(table).build(unknown)[0].ids)


@dataclass(frozen=True, eq=False)
class ExtendedIds:
    """The ids of a table, and others that came later, whose dense indices follow on. Make one with `of`.

    Its memory is proportional to the number of new ids, not to the size of the table.

    Attributes:
        table: the known ids.
        new: the others -> their dense indices, from ``len(table)`` on.
    """

    table: IdTable
    new: Mapping[RawId, int]

    @classmethod
    def of(cls, table: IdTable, raw_ids: Iterable[RawId]) -> ExtendedIds:
        """A table, extended by those of the ids that are not in it.

        Raises:
            DataError: on an id that is neither a whole number nor a text.
        """
        return cls(table, {raw: len(table) + k for k, raw in enumerate(unknown_ids(table, raw_ids))})

    def __len__(self) -> int:
        return len(self.table) + len(self.new)

    def encode(self, raw_ids: Iterable[RawId]) -> NDArray[np.int32]:
        """The dense indices, int32 [n], of n raw ids; -1 for an id that is neither known nor new.

        Raises:
            DataError: on an id that is neither a whole number nor a text.
        """
        given = list(raw_ids)
        index = self.table.encode(given)
        for at in np.flatnonzero(index < 0).tolist() if self.new else ():
            index[at] = self.new.get(given[at], -1)
        return index

    def merged(self) -> IdTable:
        """All the ids as one table; the known one itself if none is new."""
        return type(self.table)((*self.table.ids, *self.new)) if self.new else self.table


def near_ids(table: IdTable, raw: RawId) -> str:
    """Suggest similar ids for an unknown one, for messages.

    >>> near_ids(IdTable((1, 2, 30)), "2")
    'did you mean 2 (a number)? ids are 1..30'
    >>> near_ids(IdTable(("anna", "bert")), "ana")
    "did you mean 'anna'? ids are such as 'anna'"
    """
    if not len(table):
        return "there are none"
    if isinstance(table, ObjectIds):
        return f"ids are such as {table.ids[0]!r}"
    text = str(raw)
    other: RawId = text if isinstance(raw, int) else natural_ids([text])[0]
    found: list[str] = []
    if other != raw and table.encode([other])[0] >= 0:
        found = [f"{other!r} ({'a number' if isinstance(other, int) else 'a text'})"]
    elif not isinstance(raw, int) and len(text) <= _LONGEST:
        # To compare with all of a million would take long; what is near begins alike.
        start = text[:2].casefold()
        some = table.ids if len(table) <= _MANY else (r for r in table.ids if str(r)[:2].casefold() == start)
        spelled = {str(one).casefold(): one for one in itertools.islice(some, _MANY)}
        # One number is as near to u9999 as another, so of numbered ids only the same number is meant.
        asked = _parts(text.casefold())
        same = [word for word in spelled if _parts(word) == asked]
        near = difflib.get_close_matches(text.casefold(), spelled, n=3)
        near = same or [word for word in near if _parts(word)[0] != asked[0]]
        found = [repr(spelled[word]) for word in near[:3]]
    numbers = isinstance(table.ids[0], int) and isinstance(table.ids[-1], int)
    ids = f"ids are {table.ids[0]}..{table.ids[-1]}" if numbers else f"ids are such as {table.ids[0]!r}"
    return f"did you mean {' or '.join(found)}? {ids}" if found else ids


def _parts(text: str) -> tuple[str, list[int]]:
    """What is not a digit, and the numbers: 'f001' and 'f1' have the same."""
    return re.sub(r"[0-9]+", "0", text), [int(number) for number in re.findall(r"[0-9]+", text)]


def check_known(items: IdTable, rated: Iterable[RawId]) -> None:
    """Raise unless all rated items are in the table.

    Raises:
        DataError: naming the first that is not.
    """
    for unknown in unknown_ids(items, rated):
        raise DataError(
            "the run does not know a rated item",
            got=unknown,
            remedy=f"{near_ids(items, unknown)}; or omit this rating",
        )
