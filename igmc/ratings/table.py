"""Ratings as columns: the checked table of all ratings, and pairs to predict."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from igmc.errors import DataError
from igmc.ratings.checks import check_lengths, check_range
from igmc.ratings.ids import IdTable
from igmc.short_repr import short_repr

__all__ = ["UNKNOWN_TIME", "Pairs", "RatingTable", "pair_keys"]

UNKNOWN_TIME = -1  # in an array of timestamps; others below 0 are times before 1970


@dataclass(frozen=True, eq=False)
class RatingTable:
    """n ratings of distinct (user, item) pairs; the arrays are read-only.

    Attributes:
        users, items: the raw ids behind the dense indices; some may have no rating.
        user, item: int32 [n], dense indices.
        rating: float64 [n], finite.
        timestamp: int64 [n], seconds since 1970 (UTC), negative before it, -1 where unknown; None if
            there are none at all.

    Raises:
        DataError: on arrays of unequal length, an index out of range, a rating that is not finite, or a pair
            that occurs twice.
    """

    __repr__ = short_repr

    users: IdTable
    items: IdTable
    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float64]
    timestamp: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        columns: tuple[tuple[str, DTypeLike], ...] = (
            ("user", np.int32),
            ("item", np.int32),
            ("rating", np.float64),
            ("timestamp", np.int64),
        )
        for name, dtype in columns:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _column(f"table column {name}", getattr(self, name), dtype))
        _check_columns(self, [name for name, _ in columns], len(self.users), len(self.items))
        _check_finite(self.rating)
        keys = np.sort(pair_keys(self.user, self.item, len(self.items)))
        twice = keys[1:][keys[1:] == keys[:-1]]
        if twice.size:
            user, item = divmod(int(twice[0]), len(self.items))
            raise DataError(
                f"user {self.users.ids[user]!r} rates item {self.items.ids[item]!r} twice",
                allowed="each (user, item) pair once",
                remedy="merge duplicates first",
            )

    def __len__(self) -> int:
        return len(self.user)

    def digest(self) -> str:
        """SHA-256 of ids, ratings, timestamps and their order, 64 hex digits."""
        return self._digest

    @cached_property
    def _digest(self) -> str:
        sha = hashlib.sha256(f"{self.users.digest()}{self.items.digest()}{len(self)}".encode())
        for array in (self.user, self.item, self.rating, self.timestamp):
            sha.update(b"absent" if array is None else array.data)
        return sha.hexdigest()


@dataclass(frozen=True, eq=False)
class Pairs:
    """P pairs to predict, with their true ratings; the arrays are read-only.

    Attributes:
        user, item: int32 [P], dense indices, at least 0.
        rating: float32 [P], the true ratings, finite.
        time: int64 [P], when they were given, in seconds since 1970 (UTC), -1 where unknown; None if there
            are none at all.

    Raises:
        DataError: on arrays of unequal length, a negative index, or a rating that is not finite.
    """

    __repr__ = short_repr

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    time: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        columns: tuple[tuple[str, DTypeLike], ...] = (
            ("user", np.int32),
            ("item", np.int32),
            ("rating", np.float32),
            ("time", np.int64),
        )
        for name, dtype in columns:
            if getattr(self, name) is not None:
                object.__setattr__(self, name, _column(f"pairs column {name}", getattr(self, name), dtype))
        _check_columns(self, [name for name, _ in columns], 2**31, 2**31)
        _check_finite(self.rating)

    def __len__(self) -> int:
        return len(self.user)


def pair_keys(user: NDArray[np.int32], item: NDArray[np.int32], n_items: int) -> NDArray[np.int64]:
    """One int64 per pair, ``user * n_items + item``, that is equal exactly when the pair is."""
    return user.astype(np.int64) * n_items + item


def _column(what: str, values: ArrayLike, dtype: DTypeLike) -> NDArray[Any]:
    given = np.asarray(values)
    if given.ndim != 1:
        raise DataError(f"{what} is not one-dimensional", got=given.shape)
    # Checked before the conversion: 2**32 would become index 0, and 1.5 index 1.
    if np.dtype(dtype).kind == "i" and given.size:
        if given.dtype.kind not in "iu":
            raise DataError(f"{what} does not hold whole numbers", got=str(given.dtype))
        limit = np.iinfo(np.dtype(dtype))
        if given.min() < limit.min or given.max() > limit.max:
            raise DataError(f"{what} does not fit {np.dtype(dtype)}", got=int(given.max()))
    array = np.ascontiguousarray(given, dtype=dtype).view()
    array.flags.writeable = False
    return array


def _check_columns(owner: RatingTable | Pairs, names: list[str], n_users: int, n_items: int) -> None:
    check_lengths(**{name: getattr(owner, name) for name in names if getattr(owner, name) is not None})
    check_range(owner.user, n_users, "a user index is out of range")
    check_range(owner.item, n_items, "an item index is out of range")


def _check_finite(rating: NDArray[Any]) -> None:
    bad = np.flatnonzero(~np.isfinite(rating))
    if bad.size:
        raise DataError(
            f"the rating in row {bad[0]} is not a finite number", got=float(rating[bad[0]]), allowed="finite"
        )
