"""The rating graph: users on one side, items on the other, an edge with a level for each rating."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.ratings import check_range
from igmc.short_repr import short_repr

__all__ = ["BipartiteGraph", "checked_ratings", "level_dtype"]


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
        """Build the graph of n ratings.

        Args:
            user, item: int [n], dense indices in 0..n_users-1 and 0..n_items-1; no pair twice.
            level: int [n], 0..n_levels-1; n_levels is at most 65,536.

        Raises:
            DataError: on an index or level out of range, or a pair that stands twice.
        """
        users, items, levels = checked_ratings(
            user, item, level, n_users=n_users, n_items=n_items, n_levels=n_levels
        )
        # Whole ratings are sorted as single numbers: far quicker, and with less memory, than by three keys.
        user_items, user_levels = _sorted_rows(users, levels, items, n_levels, n_items)
        item_users, item_levels = _sorted_rows(items, levels, users, n_levels, n_users)
        return cls(
            n_levels=n_levels,
            user_ptr=_pointers(users, n_users),
            user_items=user_items,
            user_levels=user_levels,
            item_ptr=_pointers(items, n_items),
            item_users=item_users,
            item_levels=item_levels,
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
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The three columns of n ratings, int64 [n], if they make a graph; see `BipartiteGraph.from_ratings`.

    Raises:
        DataError: on an index or level out of range, or a pair that stands twice.
    """
    users, items, levels = (np.asarray(a, dtype=np.int64) for a in (user, item, level))
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
    pairs = np.sort(users * n_items + items)
    twice = pairs[1:][pairs[1:] == pairs[:-1]]
    if len(twice):
        u, i = divmod(int(twice[0]), n_items)
        raise DataError(f"user {u} rates item {i} twice", remedy="merge duplicates before building the graph")
    return users, items, levels


def level_dtype(n_levels: int) -> type[np.unsignedinteger]:
    """The type in which levels are kept."""
    return np.uint8 if n_levels <= 256 else np.uint16


def _pointers(rows: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.bincount(rows, minlength=size))])


def _sorted_rows(
    rows: NDArray[np.int64],
    levels: NDArray[np.int64],
    others: NDArray[np.int64],
    n_levels: int,
    n_others: int,
) -> tuple[NDArray[np.int32], NDArray[np.unsignedinteger]]:
    """Neighbour and level of each rating, ordered by (row, level, neighbour)."""
    keys = rows * n_levels
    keys += levels
    keys *= n_others
    keys += others
    keys.sort()
    neighbours = (keys % n_others).astype(np.int32)
    keys //= n_others
    keys %= n_levels
    return neighbours, keys.astype(level_dtype(n_levels))
