"""Raw ids, as written by the user, and their dense indices."""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings.checks import check_lengths, check_range

__all__ = ["IdTable", "ObjectIds", "RawId", "id_list", "id_pairs", "ids_of", "missing"]

RawId = Hashable  # int or str, except for ids that came in a DataFrame: see `ObjectIds`
_MAX_IDS = 2**31 - 1  # dense indices are int32


@dataclass(frozen=True)
class IdTable:
    """The ids of users or of items: position k holds the raw id of dense index k.

    Integers and strings are distinct: ``1``, ``"1"`` and ``"01"`` are three ids.

    Attributes:
        ids: the raw ids, each an int or a str, none twice.

    Raises:
        DataError: on an id of another type, or one that occurs twice.

    >>> table, codes = IdTable.build(["b", 7, "07", 7])
    >>> table.ids, codes.tolist()
    ((7, '07', 'b'), [2, 0, 1, 0])
    """

    ids: tuple[RawId, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(self._plain(raw) for raw in self.ids))
        if len(self.ids) > _MAX_IDS:
            raise DataError("too many ids", got=len(self.ids), allowed=f"at most {_MAX_IDS}")
        if len(self._index) != len(self.ids):
            seen: set[RawId] = set()
            twice = next(raw for raw in self.ids if raw in seen or seen.add(raw))  # type: ignore[func-returns-value]
            raise DataError("an id occurs twice in an id table", got=twice, allowed="each id once")

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        some = [*map(repr, self.ids[:3]), *(["..."] if len(self) > 3 else [])]
        return f"{type(self).__name__}({len(self):,} ids: {', '.join(some)})"

    @classmethod
    def build(cls, raw: Iterable[RawId]) -> tuple[IdTable, NDArray[np.int32]]:
        """Make the table of the distinct ids of n values, ascending with numbers first, and their indices.

        Returns:
            the table, and int32 [n] such that ``table.ids[codes[k]] == raw[k]``.
        """
        if isinstance(raw, np.ndarray) and raw.dtype.kind in "iu":
            unique, codes = np.unique(raw, return_inverse=True)
            return cls(tuple(unique.tolist())), codes.astype(np.int32)
        first_seen: dict[RawId, int] = {}
        codes = np.fromiter(
            (first_seen.setdefault(cls._plain(value), len(first_seen)) for value in raw), dtype=np.int64
        )
        return cls.from_categories(codes, list(first_seen))

    @classmethod
    def from_categories(
        cls, codes: ArrayLike, categories: Iterable[RawId]
    ) -> tuple[IdTable, NDArray[np.int32]]:
        """As `build`, for values given as ``categories[codes[k]]``.

        Args:
            codes: int [n], positions in `categories`.
            categories: distinct raw ids; those that no code names are left out.
        """
        positions, names = np.asarray(codes), list(categories)
        used = np.zeros(len(names), dtype=bool)
        used[positions] = True
        kept = cls._in_order(np.flatnonzero(used).tolist(), names)
        rank = np.full(len(names), -1, dtype=np.int32)
        rank[kept] = np.arange(len(kept), dtype=np.int32)
        return cls(tuple(names[k] for k in kept)), rank[positions]

    def encode(self, raw_ids: Iterable[RawId], missing: int = -1) -> NDArray[np.int32]:
        """The dense indices, int32 [n], of n raw ids; `missing` for an id that is not in the table."""
        if isinstance(raw_ids, np.ndarray) and raw_ids.dtype.kind in "iu":
            # A column of numbers has few distinct ones: look those up, and spread the answers.
            unique, inverse = np.unique(raw_ids, return_inverse=True)
            return self.encode(unique.tolist(), missing)[inverse]
        index = self._index
        return np.fromiter((index.get(self._plain(raw), missing) for raw in raw_ids), dtype=np.int32)

    def decode(self, indices: ArrayLike) -> list[RawId]:
        """The raw ids of dense indices, int [n].

        Raises:
            DataError: on an index out of range.
        """
        dense = np.asarray(indices, dtype=np.int64)
        check_range(dense, len(self), "a dense index is out of range")
        return [self.ids[k] for k in dense.tolist()]

    def digest(self) -> str:
        """SHA-256 of the ids and their order, 64 hex digits."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The ids as a JSON array of numbers and strings, in ASCII."""
        return json.dumps(self.ids, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> IdTable:
        """The inverse of `to_json`."""
        found = json.loads(text)
        if all(isinstance(raw, int | str) and not isinstance(raw, bool) for raw in found):
            return IdTable(tuple(found))
        return ObjectIds(tuple(_read(raw) for raw in found))

    @cached_property
    def _index(self) -> dict[RawId, int]:
        return {raw: k for k, raw in enumerate(self.ids)}

    @staticmethod
    def _plain(raw: object) -> RawId:
        if type(raw) is int or type(raw) is str:
            return raw
        if isinstance(raw, np.integer):
            return int(raw)
        if isinstance(raw, str):
            return str(raw)
        # A float would equal an int as a key (1.0 == 1), and so would a bool: refuse both.
        raise DataError("an id is neither an integer nor a string", got=raw, allowed="int or str")

    @staticmethod
    def _in_order(kept: list[int], names: list[Any]) -> list[int]:
        return sorted(kept, key=lambda k: (isinstance(names[k], str), names[k]))


class ObjectIds(IdTable):
    """An `IdTable` whose ids may be of any hashable type: dates, UUIDs, tuples, floats, ...

    Ids are equal when Python says so, so that 1 finds 1.0; what is missing is not an id. Ids of one kind that
    can be sorted are in ascending order, others in the order in which they were first met.

    >>> ids, codes = ObjectIds.build([("a", 2), ("a", 1), ("a", 2)])
    >>> ids.ids, codes.tolist()
    ((('a', 1), ('a', 2)), [1, 0, 1])
    """

    def to_json(self) -> str:
        """The ids as a JSON array, in ASCII: numbers and strings as they are, others as ``{kind: text}``.

        Raises:
            DataError: on an id that has no such form.
        """
        return json.dumps([_tagged(raw) for raw in self.ids], separators=(",", ":"))

    @staticmethod
    def _plain(raw: object) -> RawId:
        if isinstance(raw, np.generic) and not isinstance(raw, np.datetime64 | np.timedelta64):
            raw = raw.item()
        if missing(raw):
            raise DataError("an id is missing", got=raw, remedy="drop the rows without one")
        try:
            hash(raw)
        except TypeError:
            raise DataError(
                "an id is not hashable", got=raw, allowed="hashable values, such as tuples"
            ) from None
        return raw

    @staticmethod
    def _in_order(kept: list[int], names: list[Any]) -> list[int]:
        try:
            return sorted(kept, key=lambda k: names[k])
        except TypeError:
            return kept


def ids_of(codes: ArrayLike, categories: list[Any]) -> tuple[IdTable, NDArray[np.int32]]:
    """The table of the ids that codes name, and the dense index of each; see `IdTable.from_categories`.

    Ids that are whole numbers and texts alone are an `IdTable`, others `ObjectIds`.
    """
    plain = all(isinstance(raw, int | str) and not isinstance(raw, bool) for raw in categories)
    return (IdTable if plain else ObjectIds).from_categories(codes, categories)


def id_list(given: RawId | Iterable[RawId]) -> list[RawId]:
    """One id or several, as a list; a tuple is several.

    Raises:
        ConfigError: on a table or a mapping, in which the ids are ambiguous.

    >>> id_list("ann"), id_list(("ann", "bo")), id_list(7)
    (['ann'], ['ann', 'bo'], [7])
    """
    if isinstance(given, Mapping) or hasattr(given, "columns"):
        raise ConfigError("these are not ids", got=given, allowed="an id, or a list or column of ids")
    single = isinstance(given, str | bytes) or not isinstance(given, Iterable)
    return [given] if single else list(given)  # type: ignore[arg-type, list-item]


def id_pairs(
    users: RawId | Iterable[RawId], items: RawId | Iterable[RawId]
) -> tuple[list[RawId], list[RawId]]:
    """P users and P items, as lists; a single id of one side goes with all of the other.

    Raises:
        DataError: if they differ in number.

    >>> id_pairs("ann", [1, 2])
    (['ann', 'ann'], [1, 2])
    """
    sides = id_list(users), id_list(items)
    for k, given in enumerate((users, items)):
        if isinstance(given, str | bytes) or not isinstance(given, Iterable):
            sides[k][:] = sides[k] * len(sides[1 - k])
    check_lengths(users=sides[0], items=sides[1])
    return sides


def missing(raw: object) -> bool:
    """Whether a value is missing: None, NaN, NaT or NA."""
    if raw is None:
        return True
    try:
        return bool(raw != raw)
    except (TypeError, ValueError):  # pandas.NA will not say
        return type(raw).__name__ == "NAType"


def _timestamp(text: str) -> Any:
    import pandas as pd

    return pd.Timestamp(text)


# kind of id -> how it is written, and read again
_FORMS: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "float": (repr, float),
    "bool": (bool, bool),
    "bytes": (bytes.hex, bytes.fromhex),
    "tuple": (lambda raw: [_tagged(part) for part in raw], lambda parts: tuple(map(_read, parts))),
    "frozenset": (
        lambda raw: sorted((_tagged(part) for part in raw), key=json.dumps),
        lambda parts: frozenset(map(_read, parts)),
    ),
    "Decimal": (str, Decimal),
    "UUID": (str, UUID),
    "date": (lambda raw: raw.isoformat(), datetime.date.fromisoformat),
    "datetime": (lambda raw: raw.isoformat(), datetime.datetime.fromisoformat),
    "Timestamp": (lambda raw: raw.isoformat(), _timestamp),
}


def _tagged(raw: Any) -> Any:
    """An id as JSON has it; what is neither number nor string, as an object of its kind and its text."""
    if type(raw) in (int, str):
        return raw
    kind = type(raw).__name__
    if kind not in _FORMS:
        raise DataError(
            f"an id of type {kind} cannot be stored in a file",
            got=raw,
            allowed=f"int, str, {', '.join(_FORMS)}",
            remedy="use strings or numbers as ids",
        )
    return {kind: _FORMS[kind][0](raw)}


def _read(raw: Any) -> Any:
    if not isinstance(raw, dict):
        return raw
    ((kind, value),) = raw.items()
    return _FORMS[kind][1](value)
