"""Support dropout: training on targets that keep only a few of their ratings, to imitate newcomers.

In training nearly all users have dozens of ratings, so a network that sums over them has never seen a user
with one or two. Support dropout hides most of a target's ratings in the subgraphs of some training pairs, as
in DropoutNet (Volkovs, Yu & Poutanen, NeurIPS 2017).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from igmc.config import TrainConfig
from igmc.rng import fold, pair_key

__all__ = ["SupportDropout"]

Limits = NDArray[np.int64]

_BEFORE_HOPS = np.uint64(0)  # the key under which the kernel draws 0 and 1 for the ratings themselves
_WHETHER, _HOW_MANY = {"user": 2, "item": 3}, {"user": 4, "item": 5}  # draws under the same key


@dataclass(frozen=True)
class SupportDropout:
    """The number of ratings that the target of each training subgraph keeps.

    With probability `share` a target keeps k of them, else all. k is ``floor((most + 1) ** u)`` for u uniform
    in 0..1, so that P(k) = log((k + 1) / k) / log(most + 1): with `most` 10, one rating in 29 % of the cases
    and ten in 4 %.

    Attributes:
        share: 0..1.
        side: "user", "item" or "both"; with "both" each side is drawn on its own.
        most: the greatest k, at least 1.
    """

    share: float
    side: str = "user"
    most: int = 10

    @classmethod
    def of(cls, config: TrainConfig) -> Self | None:
        """The support dropout of a configuration; None without any."""
        if not config.support_dropout:
            return None
        return cls(config.support_dropout, config.support_dropout_side, config.support_dropout_max)

    def limits(
        self, user: NDArray[np.int32], item: NDArray[np.int32], *, seed: int, epoch: int
    ) -> tuple[Limits, Limits]:
        """The number of ratings that the users and the items of P pairs keep, int64 [P] each; -1 for all.

        A pair's limits depend on (seed, epoch, user, item) alone.

        Args:
            user, item: int [P], dense indices.
            seed, epoch: those of the extraction.
        """
        with np.errstate(over="ignore"):  # the hash wraps around by design
            words = (np.uint64(seed), np.uint64(epoch), user.astype(np.uint64), item.astype(np.uint64))
            key = fold(pair_key(*words), _BEFORE_HOPS)
            return self._limits(key, "user"), self._limits(key, "item")

    def _limits(self, key: NDArray[np.uint64], side: str) -> Limits:
        if self.side not in (side, "both"):
            return np.full(len(key), -1)
        limit = np.floor((self.most + 1) ** _uniform(key, _HOW_MANY[side])).astype(np.int64)
        return np.where(_uniform(key, _WHETHER[side]) < self.share, np.minimum(limit, self.most), -1)


def _uniform(key: NDArray[np.uint64], draw: int) -> NDArray[np.float64]:
    """A number in 0..1, without 1, for each key."""
    bits: NDArray[np.uint64] = fold(key, np.uint64(draw)) >> np.uint64(11)
    uniform: NDArray[np.float64] = bits * np.float64(2.0**-53)
    return uniform
