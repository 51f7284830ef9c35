"""What items share with each other, found when first asked and kept while there is room.

A rating that arrives moves what its user's items share, and nothing else: those rows are made from the rows
of the graph below by taking out what the user gave to them before and adding what the user gives now.
"""

from __future__ import annotations

import copy
import itertools
import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.statistics.graph_statistics import GraphStatistics
from igmc.statistics.shared import NOBODY, find, share
from igmc.statistics.tally import SUMS, add_row
from igmc.threads import pool

__all__ = ["ItemSums"]

# Raters of an item with new ratings up to which its own row is read, where its residuals are as new as its
# bias; of more raters, one more moves the bias by little, and the rows of the user's items do.
FEW = 64
LIGHT = 64 << 20  # bytes of rows of views that are found at little cost

Floats = NDArray[np.float32]

_numbers = itertools.count(1)  # of versions of rows


class ItemSums:
    """Sums over the raters that two items share, a row for each item that was asked; any thread may ask.

    Args:
        statistics: of a graph that nothing lies over; see `over` for others.
        memory: bytes of rows kept at most, besides 64 MiB of rows that take little time to find; those that
            were asked last stay. At least one row is kept.
    """

    def __init__(self, statistics: GraphStatistics, memory: int) -> None:
        size = len(statistics.items.ptr) - 1
        self.statistics = self._graph = statistics
        self._kept, self._light = (_Rows(room // (4 * SUMS * max(size, 1))) for room in (memory, LIGHT))
        self._version = np.zeros(size, np.int64)  # of each item's row; that of the graph below is 0

    def over(
        self, statistics: GraphStatistics, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> ItemSums:
        """The sums of the same graph, or view, with other rows of some users and items laid over it.

        Takes time that goes by these rows; both keep the rows that they have in common once.

        Args:
            statistics: of the view that comes out.
            users, items: int32, whose rows differ from those here; of each rating that was taken out or
                changed, its item too.
        """
        found = copy.copy(self)
        found.statistics = statistics
        laid = statistics.items.patch.nodes
        size = max(len(self._version), int(laid[-1]) + 1 if len(laid) else 0)
        found._version = np.zeros(size, np.int64)
        found._version[: len(self._version)] = self._version
        number = next(_numbers)
        found._version[items] = number
        for user in users.tolist():
            found._version[statistics.users.row(user)[0]] = number
        return found

    def row(self, item: int) -> Floats:
        """What an item shares with every other, float32 [n, 8]; see `igmc.statistics.shared`.

        Items beyond the end of the row share nothing with it.
        """
        version = int(self._version[item]) if item < len(self._version) else 0
        if not version:
            return self._below(item)
        for kept in (self._light, self._kept):
            found = kept.get(item, version)
            if found is not None:
                return found
        made = np.zeros((len(self._version), SUMS), np.float32)
        if item < len(self._graph.items.ptr) - 1:
            made[: len(self._graph.items.ptr) - 1] = self._below(item)
        items, users = self.statistics.items, self.statistics.users
        dear = _lay_over(items, users, np.int32(item), made) > len(made)  # dearer than to copy the row below
        (self._kept if dear else self._light).put(item, version, made)
        return made

    def unknown(self, items: NDArray[np.int32]) -> int:
        """How many rows of some items are to be found first; none of a view, where a walk finds others.

        There a walk reads the residuals of the item that is asked, and a row those of the other one; in rows
        that no new rating touches, they may be older.
        """
        return 0 if self.statistics is not self._graph else len(self._kept.missing(items))

    def warm(self, items: NDArray[np.int32], threads: int, room: int | None = None) -> None:
        """Find the rows of some items side by side, before they are asked one by one.

        Args:
            items: int32 [n]; the first ones are found, as many as are kept, as the graph below has them.
            threads: to work with.
            room: bytes that their rows may take.
        """
        most = self._kept.most
        if room is not None:
            most = min(most, room // (4 * SUMS * max(len(self._version), 1)))
        there = items[:most][items[:most] < len(self._graph.items.ptr) - 1]
        missing = self._kept.missing(there)
        if len(missing) > 1 and threads > 1:
            list(pool("neighbours", threads).map(self._below, missing))
        else:
            for item in missing:
                self._below(item)

    def table(self, near: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """What P items share with n others, float32 [P, n, 8]; A and Q_u are those of the P items."""
        table = np.empty((len(item), len(near), SUMS), np.float32)
        for place, other in enumerate(near.tolist()):
            _gather(self.row(other), item, place, table)
        for p in self._few(item):
            _gather_own(self.row(int(item[p])), near, table[p])
        return table

    def _few(self, item: NDArray[np.int32]) -> NDArray[np.int64]:
        """The places of those with new ratings that have few raters."""
        patch = self.statistics.items.patch
        if not len(patch.nodes):
            return np.empty(0, np.int64)
        at = np.minimum(np.searchsorted(patch.nodes, item), len(patch.nodes) - 1)
        return np.flatnonzero((patch.nodes[at] == item) & (np.diff(patch.ptr)[at] <= FEW))

    def _below(self, item: int) -> Floats:
        """The row of an item of the graph below."""
        found = self._kept.get(item, 0)
        if found is not None:
            return found
        items, users = self._graph.items, self._graph.users
        made = np.empty((len(items.ptr) - 1, SUMS), np.float32)  # two threads may make it: to the same bits
        share(items, users, np.int32(item), NOBODY, np.float32(0), made, np.empty(0, np.float32))
        self._kept.put(item, 0, made)
        return made


class _Rows:
    """Rows that are kept: of each item that of the graph below, and the last one made of any view of it."""

    def __init__(self, most: int) -> None:
        self.most = max(1, most)
        self._rows: OrderedDict[tuple[int, bool], tuple[int, Floats]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, item: int, version: int) -> Floats | None:
        key = item, version > 0
        with self._lock:
            number, row = self._rows.get(key, (-1, None))
            if number != version:
                return None
            self._rows.move_to_end(key)
            return row

    def missing(self, items: NDArray[np.int32]) -> list[int]:
        """Those whose rows of the graph below are not kept."""
        with self._lock:
            return [item for item in items.tolist() if (item, False) not in self._rows]

    def put(self, item: int, version: int, row: Floats) -> None:
        with self._lock:
            self._rows[item, version > 0] = version, row
            while len(self._rows) > self.most:
                self._rows.popitem(last=False)


@kernel
def _gather(row, item, place, table):
    """Turn what the other item shares with each of ours into what ours shares with it."""
    for p in range(len(item)):
        to = table[p, place]
        if item[p] >= len(row):
            to[:] = 0
            continue
        of = row[item[p]]
        to[0], to[1], to[2], to[3], to[4], to[5] = of[0], of[2], of[1], of[3], of[5], of[4]


@kernel
def _gather_own(row, near, table):
    """What our item shares with each of the others, from its own row."""
    for place in range(len(near)):
        if near[place] >= len(row):
            table[place] = 0
        else:
            table[place] = row[near[place]]


@kernel
def _lay_over(items, users, item, sums):
    """Turn what an item shares in the graph below into what it shares in the view; returns the ratings read.

    Args:
        items, users: `SideRows` of the view.
        sums: float32 [n, 8], of the graph below, 0 beyond it.
    """
    first, last, shift = np.int64(0), np.int64(0), np.float32(0)
    at = find(items.patch.nodes, item)
    if item < len(items.ptr) - 1:
        first, last = items.ptr[item], items.ptr[item + 1]
        if at >= 0:
            shift = items.facts[item, 0] - items.patch.facts[at, 0]  # by which all its residuals moved
            _shift(sums, shift)
    visits = _users_part(items.near, items.residual, first, last, users, shift, True, sums)
    if at >= 0:
        first, last = items.patch.ptr[at], items.patch.ptr[at + 1]
        near, residual = items.patch.near, items.patch.residual
        return visits + _users_part(near, residual, first, last, users, np.float32(0), False, sums)
    return visits + _users_part(items.near, items.residual, first, last, users, shift, False, sums)


@inner
def _shift(sums, by):
    """Move the residuals of the item itself, the x of each x w."""
    for row in sums:
        row[4] += by * (np.float32(2) * row[1] + by * row[0])
        row[3] += by * row[2]
        row[1] += by * row[0]


@inner
def _users_part(near, residual, first, last, users, shift, before, sums):
    """Add what an item's raters with a row of the patch give to its sums, or take out what they gave."""
    nodes, ptr = users.patch.nodes, users.patch.ptr
    k, visits = 0, 0
    for q in range(first, last):
        while k < len(nodes) and nodes[k] < near[q]:
            k += 1
        if k == len(nodes):
            break
        if nodes[k] != near[q]:
            continue
        x = residual[q] + shift
        if not before:
            visits += ptr[k + 1] - ptr[k]
            add_row(sums, users.patch.near, users.patch.residual, ptr[k], ptr[k + 1], len(sums), x)
        elif near[q] < len(users.ptr) - 1:
            for at in range(users.ptr[near[q]], users.ptr[near[q] + 1]):
                visits += 1
                _untally(sums[users.near[at]], x, users.residual[at])
    return visits


@inner
def _untally(row, x, w):
    row[0] -= np.float32(1)
    if row[0] == 0:  # what rounding leaves of the other sums would be divided by next to nothing
        row[:] = 0
        return
    row[1] -= x
    row[2] -= w
    row[3] -= x * w
    row[4] -= x * x
    row[5] -= w * w
