"""What comes from outside: ids as text or not seen before, and ratings and indices that may be no such."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.ratings import IdTable, RatingScale, RawId
from igmc.ratings.readers import natural_ids

__all__ = [
    "check_lengths",
    "dense_indices",
    "encode_ratings",
    "from_text",
    "grown",
    "near_ids",
    "unknown_ids",
]

_MANY = 20_000
_LONGEST = 60  # to compare a longer one with many takes long


def from_text(table: IdTable, texts: Sequence[str]) -> list[RawId]:
    """Ids that were typed, as the table writes them: whole numbers and texts are different ids there.

    A text that the table knows neither as a text nor as a number is taken for a number if it is one and the
    table holds nothing else.

    >>> from_text(IdTable((1, 20)), ["20", "3", "x", "01"])
    [20, 3, 'x', '01']
    >>> from_text(IdTable((1, "20")), ["20", "1", "3"])
    ['20', 1, '3']
    """
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
    return list(IdTable.build(unknown)[0].ids)


def encode_ratings(
    scale: RatingScale, ratings: Iterable[object], *, where: Callable[[int], str] | None = None
) -> NDArray[np.uint8]:
    """The levels, uint8 [n], of n ratings; on a scale of groups, each rating in range belongs to one.

    Args:
        scale: which ratings there are.
        ratings: what was given.
        where: names the place of the k-th in messages, such as "ratings.csv, line 7".

    Raises:
        DataError: on a rating that is no finite number, or not on the scale.
    """
    given: list[Any] = list(ratings)

    def wrong(at: int, what: str) -> DataError:
        place = f"{where(at)}: " if where is not None else ""
        return DataError(f"{place}a rating is not {what}", got=given[at], allowed=_allowed(scale))

    for at, rating in enumerate(given):
        if isinstance(rating, bool | np.bool_) or not isinstance(rating, int | float | np.number):
            raise wrong(at, "a number")
    # An int may be too large for a float, and such a one is on no scale.
    numbers = np.array([np.inf if isinstance(r, int) and abs(r) > 2**64 else r for r in given], np.float64)
    if scale.grouped:
        fits = (numbers >= scale.low) & (numbers <= scale.high)
    else:
        fits = np.isin(numbers, scale.values)
    if not fits.all():
        raise wrong(int(np.argmin(fits)), "on the scale")
    return scale.encode(numbers)


def dense_indices(side: str, values: ArrayLike, size: int) -> NDArray[np.int32]:
    """Dense indices, int32 [n], that were given as any integers.

    Raises:
        DataError: if they are no whole numbers, or not in 0..size-1.
    """
    index = np.atleast_1d(np.asarray(values))
    if index.size and index.dtype.kind not in "iu":
        raise DataError(f"{side} indices are not whole numbers", got=index.dtype.name)
    if index.size and (index.min() < 0 or index.max() >= size):
        bad = index[(index < 0) | (index >= size)][0]
        raise DataError(f"a {side} index is out of range", got=int(bad), allowed=f"0..{size - 1}")
    return index.astype(np.int32)


def check_lengths(**columns: Any) -> None:
    """Raise unless all columns are of one length.

    Raises:
        DataError: naming them.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError("the columns differ in length", got=lengths, allowed="one length")


def grown(table: IdTable, raw_ids: list[RawId]) -> IdTable:
    """The table itself, or, where some ids are new, one that holds them after its own."""
    new = unknown_ids(table, raw_ids)
    return IdTable((*table.ids, *new)) if new else table


def _allowed(scale: RatingScale) -> str:
    if scale.grouped:
        return f"{scale.low:g}..{scale.high:g}"
    return ", ".join(f"{value:g}" for value in scale.values)


def near_ids(table: IdTable, raw: RawId) -> str:
    """Which ids of a table look like one that is not there, for a message.

    >>> near_ids(IdTable((1, 2, 30)), "2")
    'did you mean 2 (a number)? ids are 1..30'
    >>> near_ids(IdTable(("anna", "bert")), "ana")
    "did you mean 'anna'? ids are such as 'anna'"
    """
    if not len(table):
        return "there are none"
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
        near = difflib.get_close_matches(text.casefold(), spelled, n=3)
        found = [repr(spelled[word]) for word in near]
    numbers = isinstance(table.ids[0], int) and isinstance(table.ids[-1], int)
    ids = f"ids are {table.ids[0]}..{table.ids[-1]}" if numbers else f"ids are such as {table.ids[0]!r}"
    return f"did you mean {' or '.join(found)}? {ids}" if found else ids
