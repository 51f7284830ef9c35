"""The rating graph: users on one side, items on the other, an edge with a level for each rating."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.ratings import check_range
from igmc.short_repr import short_repr

__all__ = ["BipartiteGraph", "checked_ratings", "level_dtype"]

PART = 2**20  # ratings whose numbers are worked out at once


@dataclass(frozen=True, eq=False)
class BipartiteGraph:
    """Ratings as compressed rows from both sides.

    Rows are ordered by (level, neighbour). Build one with `from_ratings`.

    Attributes:
        n_levels: number of relation types L.
        user_ptr: int64 [n_users + 1]; user_items: int32 [n_ratings]; user_levels: uint8 [n_ratings],
            or uint16 of more than 256 levels.
        item_ptr: int64 [n_items + 1]; item_users: int32 [n_ratings]; item_levels: likewise.
    """

    __repr__ = short_repr

    n_levels: int
    user_ptr: NDArray[np.int64]
    user_items: NDArray[np.int32]
    user_levels: NDArray[np.unsignedinteger]
    item_ptr: NDArray[np.int64]
    item_users: NDArray[np.int32]
    item_levels: NDArray[np.unsignedinteger]

    @property
    def n_users(self) -> int:
        return len(self.user_ptr) - 1

    @property
    def n_items(self) -> int:
        return len(self.item_ptr) - 1

    @property
    def n_ratings(self) -> int:
        return len(self.user_items)

    @classmethod
    def from_ratings(
        cls, user: ArrayLike, item: ArrayLike, level: ArrayLike, *, n_users: int, n_items: int, n_levels: int
    ) -> BipartiteGraph:
        """Build the graph of n ratings, in at most 24 bytes a rating beside those given, its own 10 included.

        Each user and item takes some 24 bytes more while it is built.

        Args:
            user, item: int [n], dense indices in 0..n_users-1 and 0..n_items-1; no pair twice.
            level: int [n], 0..n_levels-1; n_levels is at most 65,536.

        Raises:
            DataError: on an index or level out of range, or a pair that stands twice.
        """
        users, items, levels = checked_ratings(
            user, item, level, n_users=n_users, n_items=n_items, n_levels=n_levels
        )
        return cls(
            n_levels,
            *_sorted_rows(users, levels, items, n_users, n_levels, n_items),
            *_sorted_rows(items, levels, users, n_items, n_levels, n_users),
        )

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """The six arrays by name; with `n_levels` they are the whole graph."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name != "n_levels"}

    def digest(self) -> str:
        """64 hex digits (SHA-256) that change with any rating, size or level."""
        sha = hashlib.sha256(f"{self.n_users},{self.n_items},{self.n_levels}".encode())
        for array in (self.user_ptr, self.user_items, self.user_levels):
            sha.update(np.ascontiguousarray(array).data)
        return sha.hexdigest()


def checked_ratings(
    user: ArrayLike, item: ArrayLike, level: ArrayLike, *, n_users: int, n_items: int, n_levels: int
) -> tuple[NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]:
    """The three columns of n ratings, int [n], if they make a graph; see `BipartiteGraph.from_ratings`.

    Raises:
        DataError: on an index or level out of range, or a pair that stands twice.
    """
    users, items, levels = map(_whole_numbers, (user, item, level))
    bounds = (("user", users, n_users), ("item", items, n_items), ("level", levels, n_levels))
    for name, array, size in bounds:
        if array.shape != users.shape or array.ndim != 1:
            raise DataError(f"the {name} array of a graph has the wrong shape", got=array.shape)
        check_range(array, size, f"a {name} of the graph is out of range")
    if not 1 <= n_levels <= 2**16:
        raise DataError(
            "the number of levels of a graph is out of range",
            got=n_levels,
            allowed="1..65536",
            remedy="group them with --levels",
        )
    if n_users * n_items * n_levels >= 2**63:
        raise DataError(
            "the graph is too large", got=(n_users, n_items, n_levels), allowed="a product below 2**63"
        )
    pairs = _sorted_keys((users, 1), (items, n_items))
    for part in _parts(len(pairs) - 1):
        later = pairs[part.start + 1 : part.stop + 1]
        twice = later[later == pairs[part]]
        if len(twice):
            u, i = divmod(int(twice[0]), n_items)
            raise DataError(
                f"user {u} rates item {i} twice", remedy="merge duplicates before building the graph"
            )
    return users, items, levels


def level_dtype(n_levels: int) -> type[np.unsignedinteger]:
    """The type in which levels are kept."""
    return np.uint8 if n_levels <= 256 else np.uint16


def _whole_numbers(values: ArrayLike) -> NDArray[np.integer]:
    """The values as they are, if they are of a type of whole numbers, else as int64."""
    found = np.asarray(values)
    kept = found.dtype.kind in "iu" and found.dtype != np.uint64  # which NumPy does not count
    return found if kept else np.asarray(values, dtype=np.int64)


def _parts(size: int) -> Iterator[slice]:
    """What is worked on at once of so many numbers, so that whatever is made on the way stays small."""
    for low in range(0, size, PART):
        yield slice(low, min(low + PART, size))


def _sorted_keys(*columns: tuple[NDArray[np.integer], int]) -> NDArray[np.int64]:
    """One number for each rating, int64 [n], ascending: each column is a digit, of which there are so many.

    Whole ratings are sorted as single numbers: far quicker, and with less memory, than by several keys.
    """
    keys = np.empty(len(columns[0][0]), np.int64)
    for part in _parts(len(keys)):
        keys[part] = columns[0][0][part]
        for digits, base in columns[1:]:
            keys[part] *= base
            keys[part] += digits[part].astype(np.int64)
    keys.sort()
    return keys


def _sorted_rows(
    rows: NDArray[np.integer],
    levels: NDArray[np.integer],
    others: NDArray[np.integer],
    n_rows: int,
    n_levels: int,
    n_others: int,
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.unsignedinteger]]:
    """Where rows begin and end, and neighbour and level of each rating, ordered by (row, level, neighbour).

    Of the ratings it takes eight bytes each beside those of its answer.
    """
    ptr = np.zeros(n_rows + 1, np.int64)
    for low in range(0, len(rows), max(PART, n_rows)):  # as each part makes as many counts as there are rows
        ptr[1:] += np.bincount(rows[low : low + max(PART, n_rows)], minlength=n_rows)
    np.cumsum(ptr, out=ptr)
    keys = _sorted_keys((rows, 1), (levels, n_levels), (others, n_others))
    neighbours, own = np.empty(len(keys), np.int32), np.empty(len(keys), level_dtype(n_levels))
    for part in _parts(len(keys)):
        left, neighbours[part] = np.divmod(keys[part], n_others)
        own[part] = left % n_levels
    return ptr, neighbours, own
