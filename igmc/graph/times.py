"""When ratings were given, looked up by their pairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from igmc.ratings import UNKNOWN_TIME
from igmc.short_repr import short_repr

__all__ = ["RatingTimes"]


@dataclass(frozen=True, eq=False)
class RatingTimes:
    """The times of T ratings, beside the graphs that these are in. Make one with `of`.

    Attributes:
        keys: int64 [T], ascending, user * 2^32 + item; time: int64 [T], seconds since 1970 (UTC).
    """

    __repr__ = short_repr

    keys: NDArray[np.int64]
    time: NDArray[np.int64]

    @classmethod
    def of(cls, user: NDArray[np.int32], item: NDArray[np.int32], time: NDArray[np.int64]) -> Self | None:
        """The times of n ratings; None if none of them is known.

        Args:
            user, item: int32 [n], dense indices; no pair twice.
            time: int64 [n], `UNKNOWN_TIME` where it is not known.
        """
        known = np.flatnonzero(time != UNKNOWN_TIME)
        if not len(known):
            return None
        keys = _keys(user[known], item[known])
        order = np.argsort(keys)
        return cls(keys[order], time[known][order])

    def look_up(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64]:
        """The times of n pairs, int64 [n]; `UNKNOWN_TIME` where there is no such rating, or no time of it."""
        keys = _keys(user, item)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[at] == keys, self.time[at], UNKNOWN_TIME)


def _keys(user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64]:
    return (user.astype(np.int64) << 32) + item
