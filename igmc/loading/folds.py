"""Training pairs of the neighbours network: folds of the ratings, and simulated newcomers.

A training pair must not see its own rating, nor a newcomer its hidden ratings. So the ratings are dealt into
folds, and the pairs of one fold are predicted on the graph of the others. Within a fold some users and items
play newcomers: of their ratings in that graph they reveal k, from 1 to 10 with few more often (log-uniform),
and are asked about others. Statistics, neighbours and inputs are all computed on the remaining graph, so no
hidden rating can leak.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from igmc.estimates import FactorEstimates
from igmc.loading.knowledge import Knowledge, estimate
from igmc.ratings import UNKNOWN_TIME, Pairs, SideInformation
from igmc.rng import stream
from igmc.statistics import GraphStatistics, RatingDates

__all__ = ["Fold", "KnownRatings", "Players", "hide", "make_folds"]

Rows = NDArray[np.int64]

MOST_REVEALED = 10  # ratings of a simulated newcomer
MOST_ASKED = 60  # of one newcomer in one fold, so that a few active ones do not dominate training
SHUFFLED = 2**17  # pairs of a fold that are fully shuffled; larger folds are shuffled in stretches
STRETCH = 2**14  # pairs per stretch, roughly


@dataclass(frozen=True, eq=False)
class KnownRatings:
    """The ratings that training may learn from.

    Attributes:
        user, item: int32 [n]; rating: float32 [n].
        n_users, n_items: sizes of the graph.
        span: highest less lowest rating of the scale.
        time: int64 [n], when they were given, in seconds since 1970, -1 where unknown; None if never known.
        side: features of users and items, for estimates; None if there are none.
        target: float32 [n], what training learns to predict; NaN for a rating that is in the graphs but
            never asked. `rating` itself if None.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    rating: NDArray[np.float32]
    n_users: int
    n_items: int
    span: float
    time: NDArray[np.int64] | None = None
    side: SideInformation | None = None
    target: NDArray[np.float32] | None = None

    def __len__(self) -> int:
        return len(self.user)

    def statistics(self, rows: Rows | NDArray[np.bool_] | slice = slice(None)) -> GraphStatistics:
        """Those of the graph of some of the ratings."""
        return GraphStatistics.of_ratings(
            self.user[rows],
            self.item[rows],
            self.rating[rows],
            n_users=self.n_users,
            n_items=self.n_items,
            span=self.span,
        )

    def estimate(
        self,
        names: Sequence[str],
        *,
        seed: int,
        rows: Rows | NDArray[np.bool_] | slice = slice(None),
        threads: int = 1,
    ) -> tuple[FactorEstimates, ...]:
        """The estimates of these names, fitted to some of the ratings.

        Raises:
            DataError: if there are none.
        """
        return estimate(
            names,
            self.user[rows],
            self.item[rows],
            self.rating[rows],
            n_users=self.n_users,
            n_items=self.n_items,
            seed=seed,
            threads=threads,
            side=self.side,
        )

    def dates(
        self,
        statistics: GraphStatistics,
        kind: str | None,
        rows: Rows | NDArray[np.bool_] | slice = slice(None),
    ) -> RatingDates | None:
        """The dates of some of the ratings, of which the statistics are; None if `kind` is.

        Args:
            kind: "past" or "both"; see `igmc.statistics.dates`.
        """
        if kind is None:
            return None
        time = np.full(len(self), UNKNOWN_TIME) if self.time is None else self.time
        columns = self.user[rows], self.item[rows], self.rating[rows], time[rows]
        return RatingDates.of_ratings(statistics, *columns, past=kind == "past")

    def knowledge(
        self, estimates: Sequence[str] = (), *, seed: int, dates: str | None = None, threads: int = 1
    ) -> Knowledge:
        """The knowledge from all ratings."""
        statistics = self.statistics()
        made = self.estimate(estimates, seed=seed, threads=threads)
        return Knowledge(statistics, made, self.dates(statistics, dates))

    def asking(self, pairs: Pairs) -> Self:
        """The same ratings, but training asks only about these pairs.

        Args:
            pairs: among the known ones; their ratings are to be answered, those that are known are shown.
        """
        key = self.user.astype(np.int64) * self.n_items + self.item
        order = np.argsort(key)
        asked = pairs.user.astype(np.int64) * self.n_items + pairs.item
        target = np.full(len(self), np.nan, np.float32)
        target[order[np.searchsorted(key, asked, sorter=order)]] = pairs.rating
        return dataclasses.replace(self, target=target)


class Players(NamedTuple):
    """Who plays, or may play, a newcomer: bool [n_users] and bool [n_items]."""

    users: NDArray[np.bool_]
    items: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Fold:
    """Some pairs, and the ratings that they are asked on.

    Attributes:
        shown: bool [n], the ratings of the graph.
        asked: int64 [P], the pairs, in the order of training; none of them is shown. Where they are many,
            all pairs of a user come within one stretch of some 16,000, and inputs are read a stretch or more
            at a time: then what the user shares with all others is found once.
        newcomers: the nodes that play newcomers.
    """

    shown: NDArray[np.bool_]
    asked: Rows
    newcomers: Players


def make_folds(
    known: KnownRatings,
    *,
    folds: int,
    pairs: int,
    newcomers: float,
    seed: int,
    epoch: int,
    players: Sequence[Players] = (),
    silent: float = 0.0,
) -> Iterator[Fold]:
    """The folds of one epoch, a function of the ratings, the seed and the epoch alone.

    Where there are more ratings than `pairs`, an epoch is that many: as many folds as it takes, and of the
    last one the ratings of some users, all of theirs, since what is computed for a user serves all pairs.

    Args:
        known: the ratings.
        folds: parts that the ratings are dealt into, 2 to 256.
        pairs: ratings asked in an epoch, at most, besides those of newcomers.
        newcomers: share of the users, and of the items, that play newcomers in each fold.
        seed, epoch: of the draws.
        players: for each fold the only nodes that may play newcomers; all nodes if empty.
        silent: fraction of newcomers who reveal nothing.
    """
    rng = stream(seed, "folds", epoch)
    part = rng.permutation((np.arange(len(known)) % min(folds, max(len(known), 1))).astype(np.uint8))
    left = pairs
    for fold in range(min(folds, len(known))):
        if left <= 0:
            return
        mine = np.flatnonzero(part == fold)
        if len(mine) > left:
            mine = mine[_some_users(known.user[mine], known.n_users, left, rng)]
        left -= len(mine)
        shown = np.ones(len(known), np.bool_)
        shown[mine] = False
        asked = [mine]
        plays = []
        for side, (nodes, size) in enumerate(((known.user, known.n_users), (known.item, known.n_items))):
            plays.append(_some_play(size, newcomers, players[fold][side] if players else None, rng))
            asked.append(hide(nodes, plays[-1], shown, rng, silent=silent))
        # A rating that one newcomer asks about must not be shown to another, and is asked once.
        pairs_asked = rng.permutation(np.unique(np.concatenate(asked)))
        if len(pairs_asked) > SHUFFLED:
            pairs_asked = pairs_asked[_in_stretches(known.user[pairs_asked], known.n_users, rng)]
        yield Fold(shown, pairs_asked, Players(*plays))


def _in_stretches(user: NDArray[np.int32], n_users: int, rng: np.random.Generator) -> Rows:
    """An order in which the pairs of a user come in one stretch; within each, they stay as they were."""
    stretch = rng.integers(0, len(user) // STRETCH, n_users)
    return np.argsort(stretch[user], kind="stable")


def _some_users(user: NDArray[np.int32], n_users: int, most: int, rng: np.random.Generator) -> Rows:
    """Positions of all ratings of users drawn until `most` are reached."""
    order = rng.permutation(n_users)
    count = np.bincount(user, minlength=n_users)[order]
    chosen = np.zeros(n_users, np.bool_)
    chosen[order[: int(np.searchsorted(np.cumsum(count), most)) + 1]] = True
    return np.flatnonzero(chosen[user])


def _some_play(
    size: int, share: float, may: NDArray[np.bool_] | None, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """A share of all nodes, bool [size], drawn among those that may."""
    drawn = rng.random(size)
    if may is None:
        return drawn < share
    return may & (drawn < share * size / max(int(np.count_nonzero(may)), 1))


def hide(
    nodes: NDArray[np.int32],
    plays: NDArray[np.bool_],
    shown: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    silent: float = 0.0,
) -> Rows:
    """Let some nodes reveal a few of their shown ratings; returns those that are asked of the hidden ones.

    Args:
        nodes: int32 [n], of the ratings.
        plays: bool [n_nodes], the nodes that reveal only a few.
        shown: bool [n], changed in place.
        rng: of the draws.
        silent: fraction of these nodes that reveal nothing.
    """
    size = len(plays)
    rows = np.flatnonzero(shown & plays[nodes])
    if not len(rows):
        return rows
    reveals = np.floor((MOST_REVEALED + 1) ** rng.random(size)).astype(np.int64)
    if silent:
        reveals[rng.random(size) < silent] = 0
    rows = rows[np.lexsort((rng.random(len(rows)), nodes[rows]))]
    # The place of each rating among those of its node, in random order.
    first = np.flatnonzero(np.diff(nodes[rows], prepend=-1))
    place = np.arange(len(rows)) - np.repeat(first, np.diff(np.append(first, len(rows))))
    hidden = place - reveals[nodes[rows]]
    shown[rows[hidden >= 0]] = False
    most = np.where(reveals == 0, len(rows), MOST_ASKED)
    return rows[(hidden >= 0) & (hidden < most[nodes[rows]])]
