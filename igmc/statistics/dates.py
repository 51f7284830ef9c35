r"""What the times of ratings say about a pair that is asked at a given time.

People rate in sessions, and a mood, or a way to use the scale, lasts for one. With the residuals e of
`igmc.statistics.graph_statistics` and a span \tau of time, the user's residual near a time t is

.. math:: \frac{\sum_j w_j e_{uj}}{\sum_j w_j + \lambda}, \quad w_j = e^{-|t - t_{uj}| / \tau},

and that of the item likewise, over longer spans (its drift). A question about the past reads only
ratings before t, as a service that answers at t has to. The pair's own rating must not be among those known.
Time kernels of this kind: Koren, "Collaborative filtering with temporal dynamics", KDD 2009.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.compiled import inner, kernel
from igmc.graph import RowSplice
from igmc.ratings import UNKNOWN_TIME
from igmc.statistics.graph_statistics import GraphStatistics, dealt
from igmc.threads import pool

__all__ = ["DATE_WIDTH", "RatingDates"]

DAY = 86_400.0  # seconds
USER_SPANS = np.array([300.0, 3_600.0, DAY, 20 * DAY])
ITEM_SPANS = np.array([20 * DAY, 200 * DAY])
USER_DAMPING, ITEM_DAMPING = 3.0, 10.0  # ratings
NEAREST = 256  # ratings of a node that are read, before and after the time, to bound the cost of hubs
FARTHEST = 8.0  # spans, beyond which a rating weighs nothing
DATE_WIDTH = 2 * (len(USER_SPANS) + len(ITEM_SPANS)) + 5  # see `RatingDates.read`
PIECE = 4096  # pairs that a thread takes at a time


class _TimedRows(NamedTuple):
    """The ratings of one side that have a time, those of a node by time, and rows that count instead.

    Attributes:
        ptr: int64 [n + 1]; time: int64 [T], seconds since 1970; residual: float32 [T].
        nodes: int32 [K], ascending, whose rows are replaced by those of patch_ptr, patch_time and
            patch_residual.
    """

    ptr: NDArray[np.int64]
    time: NDArray[np.int64]
    residual: NDArray[np.float32]
    nodes: NDArray[np.int32]
    patch_ptr: NDArray[np.int64]
    patch_time: NDArray[np.int64]
    patch_residual: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RatingDates:
    """The times of the ratings of a graph. Make one with `of_ratings`; it never changes.

    Attributes:
        users, items: the timed ratings of both sides.
        newest: the time of the newest rating, in seconds since 1970; `UNKNOWN_TIME` if none has a time.
        past: read only ratings before the time asked about.
    """

    users: _TimedRows
    items: _TimedRows
    newest: int
    past: bool

    @classmethod
    def of_ratings(
        cls,
        statistics: GraphStatistics,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        time: NDArray[np.int64],
        *,
        past: bool,
    ) -> Self:
        """The dates of n ratings.

        Args:
            statistics: of the graph of these ratings.
            user, item: int32 [n], dense indices; rating: float [n].
            time: int64 [n], seconds since 1970, `UNKNOWN_TIME` where it is not known.
            past: see the attribute.
        """
        user, item, residual, time = _timed(statistics, user, item, rating, time)
        sides = []
        for node, side in ((user, statistics.users), (item, statistics.items)):
            ptr, times, residuals = dealt(node, time, residual, len(side.facts))
            sides.append(_TimedRows(ptr, times, residuals, *_NO_PATCH))
        return cls(sides[0], sides[1], int(time[-1]) if len(time) else UNKNOWN_TIME, past)

    def with_ratings(
        self,
        statistics: GraphStatistics,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        time: NDArray[np.int64],
        *,
        users: NDArray[np.int32],
        items: NDArray[np.int32],
        shifts: tuple[float, float] = (0.0, 0.0),
    ) -> Self:
        """The same with other ratings of some users and items.

        Args:
            statistics: of the graph with these ratings.
            user, item, rating, time: as in `of_ratings`: all current ratings of these users and items.
            users, items: int32, ascending: their indices.
            shifts: what the residuals of these users, and of these items, gain, such as where a bias
                must not depend on some rating.
        """
        user, item, residual, time = _timed(statistics, user, item, rating, time)
        of_users, of_items = (residual + np.float32(shift) for shift in shifts)
        return replace(
            self,
            users=_patched(self.users, users, user, of_users, time),
            items=_patched(self.items, items, item, of_items, time),
        )

    def read(
        self,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64],
        *,
        threads: int = 1,
    ) -> NDArray[np.float32]:
        """The date inputs of P pairs, not normalized; all 0 where a time is `UNKNOWN_TIME`.

        Args:
            user, item: int32 [P], dense indices; those beyond the graph have no ratings.
            time: int64 [P], when each is asked, in seconds since 1970.
            threads: at most.

        Returns:
            float32 [P, `DATE_WIDTH`]: 1; for each span of the user and then of the item the residual near
            the time and log1p of the weights; log1p of the user's earlier ratings, and the share of them
            among those of the user that are read; log1p of the days since the user's, and since the item's,
            first rating.
        """
        found, dated = np.zeros((len(user), DATE_WIDTH), np.float32), time != UNKNOWN_TIME

        def fill(piece: slice) -> None:
            pairs = user[piece], item[piece], time[piece], dated[piece]
            _read(self.users, self.items, *pairs, self.past, found[piece])

        if threads == 1 or len(user) <= PIECE:
            fill(slice(None))
        else:
            pieces = [slice(low, low + PIECE) for low in range(0, len(user), PIECE)]
            list(pool("neighbours", threads).map(fill, pieces))
        return found


def _timed(
    statistics: GraphStatistics,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    rating: ArrayLike,
    time: NDArray[np.int64],
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float32], NDArray[np.int64]]:
    """User, item, residual and time of the ratings whose time is known, by time."""
    known = np.flatnonzero(time != UNKNOWN_TIME)
    known = known[np.argsort(time[known], kind="stable")]
    user, item, time = user[known], item[known], time[known]
    return user, item, statistics.residuals(user, item, np.asarray(rating)[known]), time


def _patched(
    side: _TimedRows,
    nodes: NDArray[np.int32],
    node: NDArray[np.int32],
    residual: NDArray[np.float32],
    time: NDArray[np.int64],
) -> _TimedRows:
    """The rows of a side with replacements for some nodes, added to those it already has."""
    mine = np.isin(node, nodes)
    at = np.searchsorted(nodes, node[mine]).astype(np.int32)
    ptr, times, residuals = dealt(at, time[mine], residual[mine], len(nodes))
    rows = RowSplice(side.nodes, nodes, side.patch_ptr, ptr)
    return side._replace(
        nodes=rows.nodes,
        patch_ptr=rows.ptr,
        patch_time=rows.values(side.patch_time, times),
        patch_residual=rows.values(side.patch_residual, residuals),
    )


@kernel
def _read(users, items, user, item, time, dated, past, out):
    """Fill the inputs of those of P pairs that are `dated`; see `RatingDates.read`."""
    for p in range(len(user)):
        if not dated[p]:
            continue
        row, t = out[p], time[p]
        row[0] = 1.0
        times, residuals = _row(users, user[p])
        before = _near(times, residuals, t, past, USER_SPANS, USER_DAMPING, row[1:])
        at = 1 + 2 * len(USER_SPANS)
        row[at] = np.log1p(before)
        row[at + 1] = before / max(before if past else len(times), 1)
        row[at + 2] = np.log1p((t - times[0]) / DAY) if before > 0 else 0.0
        at += 3
        times, residuals = _row(items, item[p])
        before = _near(times, residuals, t, past, ITEM_SPANS, ITEM_DAMPING, row[at:])
        at += 2 * len(ITEM_SPANS)
        row[at] = np.log1p((t - times[0]) / DAY) if before > 0 else 0.0


@inner
def _row(side, node):
    """The times and residuals of a node, as views; empty for one that is not there."""
    at = np.searchsorted(side.nodes, node)
    if at < len(side.nodes) and side.nodes[at] == node:
        low, high = side.patch_ptr[at], side.patch_ptr[at + 1]
        return side.patch_time[low:high], side.patch_residual[low:high]
    if node >= len(side.ptr) - 1:
        return side.time[:0], side.residual[:0]
    return side.time[side.ptr[node] : side.ptr[node + 1]], side.residual[side.ptr[node] : side.ptr[node + 1]]


@inner
def _near(times, residuals, t, past, spans, damping, out):
    """Residual near t and log1p of the weights, for each span; returns how many ratings are before t."""
    before = np.searchsorted(times, t)  # ratings in the same second are not before it
    low = max(before - NEAREST, 0)
    high = before if past else min(before + NEAREST, len(times))
    for s in range(len(spans)):
        total, weights, far = 0.0, 0.0, FARTHEST * spans[s]
        for k in range(before - 1, low - 1, -1):
            if t - times[k] > far:
                break
            weight = np.exp((times[k] - t) / spans[s])
            total += weight * residuals[k]
            weights += weight
        for k in range(before, high):
            if times[k] - t > far:
                break
            weight = np.exp((t - times[k]) / spans[s])
            total += weight * residuals[k]
            weights += weight
        out[2 * s] = total / (weights + damping)
        out[2 * s + 1] = np.log1p(weights)
    return before


_NO_PATCH = np.empty(0, np.int32), np.zeros(1, np.int64), np.empty(0, np.int64), np.empty(0, np.float32)
