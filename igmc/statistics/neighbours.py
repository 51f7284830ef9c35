"""The most informative neighbours of (user, item) pairs, each with closed-form statistics.

A pair (u, i) has two sets of neighbours: the raters v of i, and the items j of u. Under a cap, those
are kept that agree or disagree most with the target, by |P| / (N + 20). The pair's own rating, if known,
never counts: it is left out of both sets and of every sum, and its effect on biases and residuals is removed.
"""

from __future__ import annotations

import itertools
from concurrent.futures import wait
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.statistics.graph_statistics import GraphStatistics
from igmc.statistics.inputs import PAIR_WIDTH, ROW_WIDTH, InputNorms, NeighbourRows, SideNeighbours
from igmc.statistics.item_sums import ItemSums
from igmc.statistics.neighbour_kernels import Side, group_work, read_pairs, sizes, write_side, write_table
from igmc.threads import cores, pool

__all__ = ["read_for_user", "read_neighbours"]

PIECE = 256  # items of a request whose sums are gathered at once
BESIDE = 100  # items of a request from which on its two sides are read side by side: fewer gain nothing

Floats = NDArray[np.float32]


def read_neighbours(
    statistics: GraphStatistics,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    *,
    cap: int,
    norms: InputNorms,
    threads: int | None = None,
) -> NeighbourRows:
    """The inputs of P pairs, whether their ratings are in the graph or not.

    Pairs of one user, and of one item, that the graph does not have share the walk that finds their sums, so
    many at once cost less than one after the other. The inputs of a pair do not depend on the others.

    Args:
        statistics: of the graph.
        user, item: int32 [P], dense indices.
        cap: neighbours of each side at most.
        norms: of the inputs.
        threads: to work with; as many as cores if None.
    """
    pairs = _pairs(statistics, user, item, norms)
    raters = _read_side(pairs.raters, cap, norms.users, threads)
    rated = _read_side(pairs.rated, cap, norms.items, threads)
    return NeighbourRows(pairs.base, pairs.inputs, raters, rated)


def read_for_user(
    statistics: GraphStatistics,
    shared: ItemSums,
    user: int,
    item: NDArray[np.int32],
    *,
    cap: int,
    norms: InputNorms,
    threads: int = 1,
) -> NeighbourRows:
    """The inputs of one user and P items that the user has not rated; as `read_neighbours`, for requests.

    What the user's items share with all others is computed once for all requests and kept, so the time is
    proportional to the user's ratings and the items requested.

    Args:
        statistics: of the graph, with any new ratings and the row of the user laid over it.
        shared: of the items of the graph.
        user: dense index.
        item: int32 [P].
        cap, norms: as in `read_neighbours`.
        threads: to work with.
    """
    near, users = statistics.users.row(user)[0], np.full(len(item), user, np.int32)
    pairs = _pairs(statistics, users, item, norms)
    found = _room(sizes(pairs.rated, cap))
    # Large requests only: a few pairs are read before another thread has woken up.
    beside = pool("requests", threads) if threads > 1 and len(item) >= BESIDE else None
    raters = beside.submit(_read_side, pairs.raters, cap, norms.users, 1) if beside else None
    shared.warm(near, threads)
    for low in range(0, len(item), PIECE):
        high = min(low + PIECE, len(item))
        table = shared.table(near, item[low:high], statistics)
        write_table(pairs.rated, low, high, table, norms.items, found)
    read = raters.result() if raters else _read_side(pairs.raters, cap, norms.users, 1)
    return NeighbourRows(pairs.base, pairs.inputs, read, found)


class _Pairs(NamedTuple):
    """P pairs, and the nodes whose neighbours they read."""

    base: Floats
    inputs: Floats
    raters: Side
    rated: Side


def _pairs(
    statistics: GraphStatistics, user: NDArray[np.int32], item: NDArray[np.int32], norms: InputNorms
) -> _Pairs:
    users, items = statistics.users, statistics.items
    # Arrays for reading only are of another type, for which all kernels would be compiled once more.
    user, item = (np.require(nodes, np.int32, ["C", "W"]) for nodes in (user, item))
    inputs = np.empty((len(user), PAIR_WIDTH), np.float32)
    base = np.empty(len(user), np.float32)
    shift = np.empty((2, len(user)), np.float32)  # by which the user's, and the item's, residuals move
    known = np.empty(len(user), np.bool_)
    read_pairs(users, items, user, item, norms.pair, inputs, base, shift, known)
    return _Pairs(
        (statistics.mean + statistics.deviation * base).astype(np.float32),
        inputs,
        Side(users, items, user, item, known, shift[0], shift[1]),
        Side(items, users, item, user, known, shift[1], shift[0]),
    )


def _room(ptr: NDArray[np.int64]) -> SideNeighbours:
    rows = int(ptr[-1])
    return SideNeighbours(
        ptr,
        np.empty(rows, np.int32),
        np.empty(rows, np.float32),
        np.empty((rows, ROW_WIDTH), np.float32),
    )


def _read_side(side: Side, cap: int, norm: Floats, threads: int | None) -> SideNeighbours:
    found = _room(sizes(side, cap))
    order = np.argsort(side.target, kind="stable")
    starts = np.flatnonzero(np.diff(side.target[order], prepend=-1))  # of the groups of one target
    groups = np.append(starts, len(order))
    count = 1 if threads == 1 else min(len(starts), 4 * (threads or cores()))
    if count <= 1:  # on this thread: waking another one takes longer than a few pairs do
        write_side(side, order, groups, 0, len(starts), norm, found)
        return found
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(group_work(side, order, groups))])
    bounds = np.searchsorted(total, total[-1] * np.arange(count + 1) / count)
    workers = pool("neighbours", threads or cores())
    jobs = [
        workers.submit(write_side, side, order, groups, low, high, norm, found)
        for low, high in itertools.pairwise(bounds.tolist())
    ]
    wait(jobs)
    for job in jobs:
        job.result()
    return found
