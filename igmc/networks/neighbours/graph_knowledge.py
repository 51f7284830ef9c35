"""Statistics, estimates and dates of the graphs that the neighbours network predicts on, with a cache."""

from __future__ import annotations

import dataclasses
import threading
import weakref
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.graph import BipartiteGraph, RatingTimes, Rows, ServingGraph
from igmc.loading import Knowledge, KnownRatings
from igmc.networks.neighbours.estimates import GraphEstimates, laid_over
from igmc.ratings import RatingScale, SideInformation
from igmc.statistics import (
    DAMPING,
    GraphStatistics,
    InputNorms,
    ItemSums,
    NeighbourRows,
    with_patches,
    with_user,
)

__all__ = ["GraphKnowledge", "checked_nodes", "known_ratings"]

KEPT = 2  # graphs whose knowledge is kept; that of a view is kept as long as the view
LITTLE = 4  # a request for so many times fewer items than it would have to find rows walks from its items
WARM = 512 << 20  # bytes of sums that are found before the first request
_NOBODY = np.empty(0, np.int32)


def known_ratings(
    graph: BipartiteGraph,
    scale: RatingScale,
    times: RatingTimes | None = None,
    side: SideInformation | None = None,
) -> KnownRatings:
    """The ratings of a graph, by user, with their times and side features where these are known."""
    found = _ratings(Rows.of(graph)[0], graph.n_items, scale.values, times)
    return found if side is None else dataclasses.replace(found, side=side)


def _ratings(
    rows: Rows, n_items: int, values: NDArray[np.float64], times: RatingTimes | None
) -> KnownRatings:
    user = np.repeat(np.arange(len(rows.ptr) - 1, dtype=np.int32), np.diff(rows.ptr))
    return KnownRatings(
        user=user,
        item=rows.neighbours,
        rating=values[rows.levels].astype(np.float32),
        n_users=len(rows.ptr) - 1,
        n_items=n_items,
        span=float(values[-1] - values[0]) or 1.0,
        time=None if times is None else times.look_up(user, rows.neighbours),
    )


class _Base(NamedTuple):
    """A graph without patches, what is known of it, and what its items share."""

    rows: Rows
    knowledge: Knowledge
    shared: ItemSums


class GraphKnowledge:
    """What is known of graphs and views of them, made when first asked; any number of threads may ask.

    Args:
        values: float [L], the rating of each level of the graphs, ascending.
        estimates: that are read, and where those of some graph may be kept.
        dates: "past" or "both", where dates are read; None where they are not.
        times: when the ratings of the graphs were given, as far as that is known; ratings that came later
            are as new as the newest of these.
        threads: to work with.
        memory: bytes that the shared sums of items may take; see `ItemSums`.
    """

    def __init__(
        self,
        values: NDArray[np.float64],
        estimates: GraphEstimates,
        dates: str | None,
        times: RatingTimes | None,
        *,
        threads: int,
        memory: int,
    ) -> None:
        self.values, self.estimates, self.dates, self.times = values, estimates, dates, times
        self.threads, self.memory = threads, memory
        self._bases: OrderedDict[int, _Base] = OrderedDict()
        self._views: weakref.WeakKeyDictionary[ServingGraph, Knowledge] = weakref.WeakKeyDictionary()
        self._lock = threading.Lock()

    def with_side(self, side: SideInformation) -> GraphKnowledge:
        """The same with the features of later users or items, after those of the graphs below."""
        estimates = dataclasses.replace(self.estimates, side=side)
        how = {"threads": self.threads, "memory": self.memory}
        return GraphKnowledge(self.values, estimates, self.dates, self.times, **how)

    @property
    def sees_own(self) -> bool:
        """Whether what is known of a pair, as it stands, knows of its own rating."""
        return bool(self.estimates.names) or self.dates is not None

    def of(self, graph: ServingGraph) -> Knowledge:
        """What is known of a view; kept with it, as making it again takes its patches' time."""
        base = self._base(graph).knowledge
        if not graph.is_patched:
            return base
        with self._lock:
            found = self._views.get(graph)
        if found is None:
            found = self._laid_over(base, graph, graph.by_user.patch.nodes, graph.by_item.patch.nodes)
        return found

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """Make what is known of a view from what is known of another; see `AnyScorer.follow`."""
        self._laid_over(self.of(known), graph, users, items)

    def _laid_over(
        self, below: Knowledge, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> Knowledge:
        """What is known of a view whose rows of these users and items are not those of what is below."""
        statistics = with_patches(below.statistics, graph, self.values, (users, items))
        below = dataclasses.replace(below, statistics=statistics)
        found = laid_over(below, graph, self.values, self.times, (users, items))
        with self._lock:
            self._views[graph] = found
        return found

    def warm(self, graph: ServingGraph) -> None:
        """Find what the items with the most ratings share, as many as fit into 512 MiB."""
        shared, degrees = self._base(graph).shared, np.diff(graph.by_item.ptr)
        shared.warm(np.argsort(-degrees).astype(np.int32), self.threads, WARM)
        if graph.n_users and graph.n_items:  # as if a rating had arrived: the first one waits for no compiler
            one = np.zeros(1, np.int32)
            shared.table(one, one, self.of(graph.changed([0], [0], [-1])).statistics)

    def rated(
        self, graph: ServingGraph, user: NDArray[np.int32], item: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Which of the pairs' ratings are known, where that matters; see `sees_own`."""
        found = np.zeros(len(user), np.bool_)
        if self.sees_own:
            for one in np.unique(user):
                mine = np.flatnonzero(user == one)
                found[mine] = np.isin(item[mine], graph.by_user.row(int(one))[0])
        return found

    def with_user(self, known: ServingGraph, graph: ServingGraph, user: int) -> Knowledge:
        """What is known, with a user's ratings laid over it."""
        found = self.of(known)
        rated, levels = graph.by_user.row(user)
        own = with_user(found.statistics, user, rated, self.values[levels])
        mine = np.full(len(rated), user, np.int32), rated, self.values[levels]
        found = dataclasses.replace(found, statistics=own)
        at = self._times(*mine[:2])
        return found.with_ratings(*mine, at, users=np.array([user], np.int32), items=_NOBODY)

    def rated_by(
        self, user: int, known: ServingGraph, graph: ServingGraph, items: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Which items a user has rated in a view, or in what is known."""
        return np.isin(items, np.concatenate([view.by_user.row(user)[0] for view in (graph, known)]))

    def read_user(
        self,
        own: Knowledge,
        known: ServingGraph,
        user: int,
        items: NDArray[np.int32],
        time: NDArray[np.int64] | None,
        *,
        cap: int,
        norms: InputNorms,
        walked: bool,
    ) -> NeighbourRows:
        """The inputs of one user and some items: by the sums that items share, or by a walk from each item.

        Args:
            own: of `with_user`; known: what lies below it.
            user, items, time: as in `NeighbourScorer.answers`.
            cap, norms: as in `igmc.statistics.read_neighbours`.
            walked: must be true if an item is rated, so that its rating is left out.
        """
        shared = self._base(known).shared
        # Where nothing lies over the graph, both ways lead to the same bits: the shorter one is taken.
        if not known.is_patched:
            walked |= LITTLE * len(items) < len(shared.missing(own.statistics.users.row(user)[0]))
        if walked:
            users = np.full(len(items), user, np.int32)
            return own.read(users, items, time, cap=cap, norms=norms, threads=self.threads)
        return own.read_for_user(shared, user, items, time, cap=cap, norms=norms, threads=self.threads)

    def without(
        self, knowledge: Knowledge, known: ServingGraph, graph: ServingGraph, user: int, item: int
    ) -> Knowledge:
        """What is known, except for what estimates and dates make of one rating of its user and of its item.

        Args:
            knowledge: with the rating.
            known, graph: as in `NeighbourScorer.score_user`; the rating is in `graph`.
            user, item: the rating's.
        """
        rated, levels = graph.by_user.row(user)
        raters, their = graph.by_item.row(item)
        kept, others = rated != item, raters != user
        users = np.concatenate([np.full(np.count_nonzero(kept), user, np.int32), raters[others]])
        items = np.concatenate([rated[kept], np.full(np.count_nonzero(others), item, np.int32)])
        return knowledge.with_ratings(
            users,
            items,
            self.values[np.concatenate([levels[kept], their[others]])],
            self._times(users, items),
            users=np.array([user], np.int32),
            items=np.array([item], np.int32),
            shifts=self._own_parts(knowledge.statistics, known, graph, user, item),
        )

    def _own_parts(
        self, statistics: GraphStatistics, known: ServingGraph, graph: ServingGraph, user: int, item: int
    ) -> tuple[float, float]:
        r"""What one rating adds to the biases of its user and of its item, in deviations.

        Without it a bias of n ratings is lower by :math:`e / (n - 1 + \lambda)`, e being its residual. The
        user's bias is made of what the user has rated now, the item's of what is known.
        """
        pair, parts = (np.array([user], np.int32), np.array([item], np.int32)), []
        for rows, node, other in ((graph.by_user, user, item), (known.by_item, item, user)):
            near, levels = rows.row(node)
            own = self.values[levels[near == other]]
            e = float(statistics.residuals(*pair, own)[0]) if len(own) else 0.0
            parts.append(e / (len(near) - 1 + DAMPING))
        return parts[0], parts[1]

    def _times(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> NDArray[np.int64] | None:
        return None if self.times is None else self.times.look_up(user, item)

    def _base(self, graph: ServingGraph) -> _Base:
        """What is known of the graph below a view, made when it is first asked."""
        key = id(graph.by_user.ptr)
        with self._lock:
            found = self._bases.get(key)
            if found is None:
                known = _ratings(graph.by_user, len(graph.by_item.ptr) - 1, self.values, self.times)
                statistics = known.statistics()
                dates = known.dates(statistics, self.dates)
                knowledge = Knowledge(statistics, self.estimates.of(known, self.threads), dates)
                found = _Base(graph.by_user, knowledge, ItemSums(statistics, self.memory))
                self._bases[key] = found
                while len(self._bases) > KEPT:
                    self._bases.popitem(last=False)
            self._bases.move_to_end(key)
        return found


def checked_nodes(side: str, index: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    """Dense indices of users or items of a graph.

    Raises:
        DataError: if one is out of range.
    """
    found = np.asarray(index, np.int32)
    if len(found) and (found.min() < 0 or found.max() >= size):
        bad = found[(found < 0) | (found >= size)][0]
        raise DataError(f"no such {side} in the graph", got=int(bad), allowed=f"0..{size - 1}")
    return found
