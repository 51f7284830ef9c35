"""What is known of a graph, and what the neighbours network reads of it: statistics, and estimates.

Neighbours say who agrees with whom; a factorization says what all ratings together make of a pair. Where a
network reads estimates, the first of them takes the place of the biases as the base of its answers, and the
pair has further inputs: for each estimate how far it is off, and how sure it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.estimates import FactorEstimates
from igmc.statistics import (
    PAIR_WIDTH,
    GraphStatistics,
    InputNorms,
    ItemSums,
    NeighbourRows,
    clip_inputs,
    read_for_user,
    read_neighbours,
)

__all__ = ["ESTIMATORS", "Knowledge", "estimate", "features", "of_statistics", "pair_width", "with_estimates"]

ESTIMATORS: dict[str, dict[str, Any]] = {
    "svdpp": {"factors": 16, "implicit": True},
    "mf": {"factors": 8, "implicit": False},
}

Floats = NDArray[np.float32]


def pair_width(estimates: Sequence[str]) -> int:
    """The number of inputs of a pair for a network that reads these estimates."""
    return PAIR_WIDTH + (2 * len(estimates) + 1 if estimates else 0)


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
) -> tuple[FactorEstimates, ...]:
    """The estimates of these names, fitted to n ratings; equal arguments give equal ones.

    Args:
        names: keys of `ESTIMATORS`.
        user, item: int32 [n]; rating: float [n].
        n_users, n_items: sizes of the graph.
        seed: of the draws; threads: at most.
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
    """

    statistics: GraphStatistics
    estimates: tuple[FactorEstimates, ...] = ()

    @property
    def deviation(self) -> float:
        """The unit of what networks answer, in ratings."""
        return self.statistics.deviation

    def read(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        cap: int,
        norms: InputNorms,
        threads: int | None = None,
    ) -> NeighbourRows:
        """The inputs of P pairs; see `igmc.statistics.read_neighbours`.

        Where there are estimates, the ratings of the pairs must not be among those that they were fitted to.
        """
        own = of_statistics(norms)
        rows = read_neighbours(self.statistics, user, item, cap=cap, norms=own, threads=threads)
        return with_estimates(rows, self.statistics, features(self.estimates, user, item), norms)

    def read_in_pieces(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        cap: int,
        norms: InputNorms,
        threads: int | None = None,
        size: int,
    ) -> Iterator[tuple[int, NeighbourRows]]:
        """The inputs of P pairs in order, `size` at a time, each with the number of the first."""
        for low in range(0, len(user), size):
            piece = slice(low, low + size)
            yield low, self.read(user[piece], item[piece], cap=cap, norms=norms, threads=threads)

    def read_for_user(
        self,
        shared: ItemSums,
        user: int,
        item: NDArray[np.int32],
        *,
        cap: int,
        norms: InputNorms,
        threads: int = 1,
    ) -> NeighbourRows:
        """The inputs of one user and P items not rated by them; see `igmc.statistics.read_for_user`."""
        own = of_statistics(norms)
        rows = read_for_user(self.statistics, shared, user, item, cap=cap, norms=own, threads=threads)
        found = features(self.estimates, np.full(len(item), user, np.int32), item)
        return with_estimates(rows, self.statistics, found, norms)

    def with_ratings(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        *,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
    ) -> Self:
        """The same with estimates that know other ratings of some users and items; the statistics stay.

        Args:
            user, item, rating: all that these users and items have rated, or were rated, now.
            users, items: int32, who they are.
        """
        folded = [one.fold_in(user, item, rating, users=users, items=items) for one in self.estimates]
        return dataclasses.replace(self, estimates=tuple(folded))


def features(
    estimates: Sequence[FactorEstimates], user: NDArray[np.int32], item: NDArray[np.int32]
) -> Floats:
    """Mean and deviation of E estimates of P pairs, float32 [P, E, 2], in ratings."""
    found = np.empty((len(user), len(estimates), 2), np.float32)
    for place, one in enumerate(estimates):
        found[:, place, 0], found[:, place, 1] = one.features(user, item)
    return found


def with_estimates(
    rows: NeighbourRows, statistics: GraphStatistics, estimated: Floats, norms: InputNorms
) -> NeighbourRows:
    """The inputs of P pairs with those of their estimates, the first of which becomes their base.

    Args:
        rows: as the statistics make them, by the norms of `of_statistics`.
        statistics: of the graph.
        estimated: see `features`; where there are no estimates, the rows stay as they are.
        norms: of all inputs.
    """
    if not estimated.shape[1]:
        return rows
    base, spread = estimated[:, 0].T
    columns = [base - rows.base, spread, base - np.float32(statistics.mean)]
    for mean, spread in estimated[:, 1:].transpose(1, 2, 0):
        columns += [mean - base, spread]
    raw = (np.stack(columns, axis=1) / np.float32(statistics.deviation)).astype(np.float32)
    inputs = clip_inputs(raw, norms.pair[:, PAIR_WIDTH:])
    return dataclasses.replace(
        rows, base=np.ascontiguousarray(base), pair=np.concatenate([rows.pair, inputs], axis=1)
    )


def of_statistics(norms: InputNorms) -> InputNorms:
    """The norms of the inputs that the statistics make."""
    return norms._replace(pair=np.ascontiguousarray(norms.pair[:, :PAIR_WIDTH]))
