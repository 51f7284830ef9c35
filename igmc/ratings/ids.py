"""Raw ids, as the user wrote them, and the dense indices that stand for them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.ratings.checks import check_range

__all__ = ["IdTable"]

RawId = int | str
_MAX_IDS = 2**31 - 1  # dense indices are int32


@dataclass(frozen=True)
class IdTable:
    """The ids of one side: position k holds the raw id of dense index k.

    Whole numbers and texts are told apart: ``1``, ``"1"`` and ``"01"`` are three ids.

    Attributes:
        ids: the raw ids, each an int or a str, none twice.

    Raises:
        DataError: on an id of another type, or one that stands twice.

    >>> table, codes = IdTable.build(["b", 7, "07", 7])
    >>> table.ids, codes.tolist()
    ((7, '07', 'b'), [2, 0, 1, 0])
    """

    ids: tuple[RawId, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", tuple(_plain(raw) for raw in self.ids))
        if len(self.ids) > _MAX_IDS:
            raise DataError("too many ids", got=len(self.ids), allowed=f"at most {_MAX_IDS}")
        if len(self._index) != len(self.ids):
            seen: set[RawId] = set()
            twice = next(raw for raw in self.ids if raw in seen or seen.add(raw))  # type: ignore[func-returns-value]
            raise DataError("an id stands twice in an id table", got=twice, allowed="each id once")

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def build(cls, raw: Iterable[RawId]) -> tuple[IdTable, NDArray[np.int32]]:
        """The table of the distinct ids of n values, in ascending order (numbers first), and their indices.

        Returns:
            the table, and int32 [n] such that ``table.ids[codes[k]] == raw[k]``.
        """
        if isinstance(raw, np.ndarray) and raw.dtype.kind in "iu":
            unique, codes = np.unique(raw, return_inverse=True)
            return cls(tuple(unique.tolist())), codes.astype(np.int32)
        first_seen: dict[RawId, int] = {}
        codes = np.fromiter(
            (first_seen.setdefault(_plain(value), len(first_seen)) for value in raw), dtype=np.int64
        )
        return cls.from_categories(codes, list(first_seen))

    @classmethod
    def from_categories(
        cls, codes: ArrayLike, categories: Iterable[RawId]
    ) -> tuple[IdTable, NDArray[np.int32]]:
        """As `build`, for values that are ``categories[codes[k]]`` already.

        Args:
            codes: int [n], positions in `categories`.
            categories: distinct raw ids; those that no code names are left out.
        """
        positions, names = np.asarray(codes), list(categories)
        used = np.zeros(len(names), dtype=bool)
        used[positions] = True
        kept = sorted(np.flatnonzero(used).tolist(), key=lambda k: (isinstance(names[k], str), names[k]))
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
        return np.fromiter((index.get(_plain(raw), missing) for raw in raw_ids), dtype=np.int32)

    def decode(self, indices: ArrayLike) -> list[RawId]:
        """The raw ids of dense indices, int [n].

        Raises:
            DataError: on an index out of range.
        """
        dense = np.asarray(indices, dtype=np.int64)
        check_range(dense, len(self), "a dense index is out of range")
        return [self.ids[k] for k in dense.tolist()]

    def digest(self) -> str:
        """64 hex digits (SHA-256) that are equal exactly when the ids and their order are."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    def to_json(self) -> str:
        """The ids as a JSON array of numbers and strings, in ASCII."""
        return json.dumps(self.ids, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> IdTable:
        """The inverse of `to_json`."""
        return cls(tuple(json.loads(text)))

    @cached_property
    def _index(self) -> dict[RawId, int]:
        return {raw: k for k, raw in enumerate(self.ids)}


def _plain(raw: object) -> RawId:
    if type(raw) is int or type(raw) is str:
        return raw
    if isinstance(raw, np.integer):
        return int(raw)
    if isinstance(raw, str):
        return str(raw)
    # A float would equal an int as a key (1.0 == 1), and so would a bool: refuse both.
    raise DataError("an id is neither a whole number nor a text", got=raw, allowed="int or str")
