"""The inputs of the neighbours network from a graph: statistics, estimates and dates.

Neighbours say who agrees with whom; a factorization says what all ratings together make of a pair. Where a
network reads estimates, the first of them takes the place of the biases as the base of its answers, and the
pair has further inputs: for each estimate how far it is off, and how sure it is. Where it reads dates, a pair
is asked at a time, and has inputs of what was rated near it; see `igmc.statistics.dates`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.estimates import FactorEstimates
from igmc.ratings import UNKNOWN_TIME, SideInformation
from igmc.statistics import (
    DATE_WIDTH,
    PAIR_WIDTH,
    GraphStatistics,
    InputNorms,
    ItemSums,
    NeighbourRows,
    RatingDates,
    clip_inputs,
    read_for_user,
    read_neighbours,
)
from igmc.threads import cores

__all__ = ["ESTIMATORS", "Knowledge", "estimate", "features", "of_statistics", "pair_width", "with_more"]

ESTIMATORS: dict[str, dict[str, Any]] = {
    "svdpp": {"factors": 16, "implicit": True},
    "mf": {"factors": 8, "implicit": False},
}

Floats = NDArray[np.float32]


def pair_width(estimates: Sequence[str], dates: str | None = None) -> int:
    """The number of inputs of a pair for a network that reads these estimates, and dates or none."""
    of_estimates = 2 * len(estimates) + 1 if estimates else 0
    return PAIR_WIDTH + of_estimates + (0 if dates is None else DATE_WIDTH)


def estimate(
    names: Sequence[str],
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    rating: ArrayLike,
    *,
    n_users: int,
    n_items: int,
    seed: int,
    threads: int = 1,
    side: SideInformation | None = None,
) -> tuple[FactorEstimates, ...]:
    """The estimates of these names, fitted to n ratings; equal arguments give equal ones.

    Args:
        names: keys of `ESTIMATORS`.
        user, item: int32 [n]; rating: float [n].
        n_users, n_items: sizes of the graph.
        seed: of the draws; threads: at most.
        side: features of users and items, if any.
    """
    return tuple(
        FactorEstimates.fit(
            user,
            item,
            rating,
            n_users=n_users,
            n_items=n_items,
            seed=seed,
            threads=threads,
            side=side,
            **ESTIMATORS[name],
        )
        for name in names
    )


@dataclass(frozen=True, eq=False)
class Knowledge:
    """What is known of a graph; it never changes.

    Attributes:
        statistics: of its ratings.
        estimates: fitted to its ratings; none for a network that reads none.
        dates: of its ratings; None for a network that reads none.
    """

    statistics: GraphStatistics
    estimates: tuple[FactorEstimates, ...] = ()
    dates: RatingDates | None = None

    @property
    def deviation(self) -> float:
        """The unit of what networks answer, in ratings."""
        return self.statistics.deviation

    def read(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None = None,
        *,
        cap: int,
        norms: InputNorms,
        threads: int | None = None,
    ) -> NeighbourRows:
        """The inputs of P pairs; see `igmc.statistics.read_neighbours`.

        Where there are estimates or dates, the ratings of the pairs must not be among those that these were
        made of.

        Args:
            time: int64 [P], when the pairs are asked, in seconds since 1970; just after the newest rating if
                None.
        """
        own = of_statistics(norms)
        rows = read_neighbours(self.statistics, user, item, cap=cap, norms=own, threads=threads)
        dated = self.dated(user, item, time, threads=threads or cores())
        return with_more(rows, self.statistics, features(self.estimates, user, item), dated, norms)

    def dated(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None,
        *,
        threads: int,
    ) -> Floats:
        """The date inputs of P pairs, float32 [P, D]; D is 0 where none are read."""
        if self.dates is None:
            return np.empty((len(user), 0), np.float32)
        if time is None:
            newest = self.dates.newest
            time = np.full(len(user), newest if newest == UNKNOWN_TIME else newest + 1)
        return self.dates.read(user, item, time, threads=threads)

    def read_in_pieces(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None = None,
        *,
        cap: int,
        norms: InputNorms,
        threads: int | None = None,
        size: int,
    ) -> Iterator[tuple[int, NeighbourRows]]:
        """The inputs of P pairs in order, `size` at a time, each with the number of the first."""
        for low in range(0, len(user), size):
            piece = slice(low, low + size)
            at = None if time is None else time[piece]
            yield low, self.read(user[piece], item[piece], at, cap=cap, norms=norms, threads=threads)

    def read_for_user(
        self,
        shared: ItemSums,
        user: int,
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None = None,
        *,
        cap: int,
        norms: InputNorms,
        threads: int = 1,
    ) -> NeighbourRows:
        """The inputs of one user and P items not rated by them; see `igmc.statistics.read_for_user`."""
        own = of_statistics(norms)
        rows = read_for_user(self.statistics, shared, user, item, cap=cap, norms=own, threads=threads)
        users = np.full(len(item), user, np.int32)
        dated = self.dated(users, item, time, threads=threads)
        return with_more(rows, self.statistics, features(self.estimates, users, item), dated, norms)

    def with_ratings(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        time: NDArray[np.int64] | None = None,
        *,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        shifts: tuple[float, float] = (0.0, 0.0),
    ) -> Self:
        """The same with estimates and dates of other ratings of some users and items; the statistics stay.

        Args:
            user, item, rating: all that these users and items have rated, or were rated, now.
            time: int64, when, in seconds since 1970; those without a time are as new as the newest known.
            users, items: int32, ascending, who they are.
            shifts: see `RatingDates.with_ratings`.
        """
        folded = [one.fold_in(user, item, rating, users=users, items=items) for one in self.estimates]
        dates = self.dates
        if dates is not None:
            given = np.full(len(user), UNKNOWN_TIME) if time is None else time
            times = np.where(given == UNKNOWN_TIME, dates.newest, given)
            columns = user, item, rating, times
            dates = dates.with_ratings(self.statistics, *columns, users=users, items=items, shifts=shifts)
        return dataclasses.replace(self, estimates=tuple(folded), dates=dates)


def features(
    estimates: Sequence[FactorEstimates], user: NDArray[np.int32], item: NDArray[np.int32]
) -> Floats:
    """Mean and deviation of E estimates of P pairs, float32 [P, E, 2], in ratings."""
    found = np.empty((len(user), len(estimates), 2), np.float32)
    for place, one in enumerate(estimates):
        found[:, place, 0], found[:, place, 1] = one.features(user, item)
    return found


def with_more(
    rows: NeighbourRows, statistics: GraphStatistics, estimated: Floats, dated: Floats, norms: InputNorms
) -> NeighbourRows:
    """The inputs of P pairs with those of their estimates, the first of which becomes their base, and dates.

    Args:
        rows: as the statistics make them, by the norms of `of_statistics`.
        statistics: of the graph.
        estimated: see `features`; without estimates the base stays.
        dated: float32 [P, D], see `RatingDates.read`; D is 0 without dates.
        norms: of all inputs.
    """
    base, more = rows.base, [dated]
    if estimated.shape[1]:
        base, spread = estimated[:, 0].T
        columns = [base - rows.base, spread, base - np.float32(statistics.mean)]
        for mean, spread in estimated[:, 1:].transpose(1, 2, 0):
            columns += [mean - base, spread]
        raw = (np.stack(columns, axis=1) / np.float32(statistics.deviation)).astype(np.float32)
        more = [raw, dated]
    inputs = clip_inputs(np.concatenate(more, axis=1), norms.pair[:, PAIR_WIDTH:])
    return dataclasses.replace(
        rows, base=np.ascontiguousarray(base), pair=np.concatenate([rows.pair, inputs], axis=1)
    )


def of_statistics(norms: InputNorms) -> InputNorms:
    """The norms of the inputs that the statistics make."""
    return norms._replace(pair=np.ascontiguousarray(norms.pair[:, :PAIR_WIDTH]))
