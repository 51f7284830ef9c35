"""What items share with each other, found when first asked and kept while there is room.

Ratings that arrive are laid over these sums as they are read: what a user with new ratings gave before is
taken out, and what the user gives now is added. That takes time that goes by the ratings of such users.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.simd import rows_at
from igmc.statistics.graph_statistics import GraphStatistics
from igmc.statistics.shared import NOBODY, find, row_bounds, share
from igmc.statistics.tally import SUMS
from igmc.threads import pool

__all__ = ["ItemSums"]

# Raters of an item with new ratings up to which its own row is walked, where its residuals are as new as its
# bias; of more raters, one more moves the bias by little, and the rows of the user's items do.
FEW = 64
AT_ONCE = 64 << 20  # bytes of rows that a table is made from at once, whether they are kept or not

Floats = NDArray[np.float32]


class _Row(NamedTuple):
    """What an item shares with every other, and where that lies in memory, which NumPy takes long to say."""

    sums: Floats
    address: int


class ItemSums:
    """Sums over the raters that two items share, a row for each item that was asked; any thread may ask.

    Args:
        statistics: of a graph that nothing lies over.
        memory: bytes of rows kept at most; those that were asked last stay. At least one row is kept.
    """

    def __init__(self, statistics: GraphStatistics, memory: int) -> None:
        self.statistics = statistics
        self._size = len(statistics.items.ptr) - 1
        self._most = max(1, memory // (4 * SUMS * max(self._size, 1)))
        self._at_once = max(1, AT_ONCE // (4 * SUMS * max(self._size, 1)))
        self._rows: OrderedDict[int, _Row] = OrderedDict()
        self._lock = threading.Lock()

    def row(self, item: int) -> Floats:
        """What an item shares with every other, float32 [n_items, 8]; see `igmc.statistics.shared`."""
        return self._found([item])[0].sums

    def _found(self, items: list[int]) -> list[_Row]:
        with self._lock:
            found = [self._rows.get(item) for item in items]
            for item, row in zip(items, found, strict=True):
                if row is not None:
                    self._rows.move_to_end(item)
        return [row or self._made(item) for item, row in zip(items, found, strict=True)]

    def _made(self, item: int) -> _Row:
        made = np.empty((self._size, SUMS), np.float32)  # two threads may both make it: to the same bits
        nothing = np.empty(0, np.float32)
        items, users = self.statistics.items, self.statistics.users
        share(items, users, np.int32(item), NOBODY, np.float32(0), made, nothing)
        row = _Row(made, made.ctypes.data)
        with self._lock:
            self._rows[item] = row
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return row

    def missing(self, items: NDArray[np.int32]) -> list[int]:
        """Those of some items of the graph whose rows are still to be found."""
        with self._lock:
            return [item for item in items.tolist() if item < self._size and item not in self._rows]

    def warm(self, items: NDArray[np.int32], threads: int, room: int | None = None) -> None:
        """Find the rows of some items side by side, before they are asked one by one.

        Args:
            items: int32 [n]; the first ones are found, as many as are kept.
            threads: to work with.
            room: bytes that their rows may take.
        """
        most = self._most if room is None else min(self._most, room // (4 * SUMS * max(self._size, 1)))
        missing = self.missing(items[:most])
        if threads > 1 and len(missing) > 1:
            list(pool("neighbours", threads).map(self.row, missing))
        else:
            for item in missing:
                self.row(item)

    def table(self, near: NDArray[np.int32], item: NDArray[np.int32], laid: GraphStatistics) -> Floats:
        """What P items share with n others, float32 [P, n, 8]; A and Q_u are those of the P items.

        Args:
            near: int32 [n], ascending; item: int32 [P].
            laid: of the same graph, or of it with other rows of some users and items laid over it.
        """
        items, users = laid.items, laid.users
        if len(items.patch.nodes) and len(asked := np.unique(item)) < len(item):
            return self.table(near, asked, laid)[np.searchsorted(asked, item)]
        table = np.empty((len(item), len(near), SUMS), np.float32)
        shifts = self.statistics.items.biases(near) - items.biases(near)
        for low in range(0, len(near), self._at_once):
            some = near[low : low + self._at_once]
            there = np.flatnonzero(some < self._size)
            rows = self._found(some[there].tolist())
            # All in one call: each call gives the interpreter away, and on a busy server waits for it again.
            addresses = np.zeros(len(some), np.int64)
            addresses[there] = [row.address for row in rows]
            _gather(addresses, self._size, item, low, shifts, table)
        if len(items.patch.nodes):
            _lay_over(items, users, near, item, shifts, FEW, table)
        return table


@kernel
def _gather(addresses, size, item, low, shifts, table):
    """Turn what other items share with each of ours into what ours share with them, from place `low` on.

    Args:
        addresses: int64 [n], of the other items' rows, [size, 8]; 0 for an item without one.
        shifts: by which all residuals of each other item have moved since.
    """
    for k in range(len(addresses)):
        row = rows_at(addresses[k], size if addresses[k] else 0, SUMS)
        place, shift = low + k, shifts[low + k]
        for p in range(len(item)):
            to = table[p, place]
            if item[p] >= len(row):
                to[:] = 0
                continue
            of = row[item[p]]
            to[0], to[1], to[2], to[3], to[4], to[5] = of[0], of[2], of[1], of[3], of[5], of[4]
            if shift:
                to[5] += shift * (np.float32(2) * to[2] + shift * to[0])
                to[3] += shift * to[1]
                to[2] += shift * to[0]


@kernel
def _lay_over(items, users, near, item, shifts, most, table):
    """Bring a table from the graph below up to the ratings that lie over it.

    Args:
        most: raters of an item with new ratings up to which its own row is walked.
    """
    size = 1 + max(np.max(near), np.max(item)) if len(near) and len(item) else 0
    asked = np.full(size, -1, np.int64)  # where each item stands among those that are asked
    few = np.zeros(len(item), np.bool_)
    for p in range(len(item)):
        at = find(items.patch.nodes, item[p])
        few[p] = at >= 0 and items.patch.ptr[at + 1] - items.patch.ptr[at] <= most
        asked[item[p]] = p
    for place in range(len(near)):
        j, shift = near[place], shifts[place]
        if j < len(items.ptr) - 1:
            first, last = items.ptr[j], items.ptr[j + 1]
            _users_part(items.near, items.residual, first, last, users, shift, True, asked, place, table)
        patched, first, last = row_bounds(items, j)
        raters = items.patch.near if patched else items.near
        residual = items.patch.residual if patched else items.residual
        moved = np.float32(0) if patched else shift
        _users_part(raters, residual, first, last, users, moved, False, asked, place, table)
    asked[:] = -1
    for place in range(len(near)):
        asked[near[place]] = place
    for p in range(len(item)):
        if few[p]:
            _walk(items, users, item[p], asked, table[p])


@inner
def _users_part(near, residual, first, last, users, shift, before, asked, place, table):
    """What raters of an item whose rows are laid over give to its sums: take it out, or add what it is now.

    Args:
        near, residual, first, last: the raters.
        shift: of their residuals.
        before: whether the users' rows below count, and are to be taken out.
        asked: the p of each item of table[p, place], or -1.
    """
    nodes, k = users.patch.nodes, 0
    for q in range(first, last):
        while k < len(nodes) and nodes[k] < near[q]:
            k += 1
        if k == len(nodes):
            return
        if nodes[k] != near[q]:
            continue
        x = residual[q] + shift
        if not before:
            for at in range(users.patch.ptr[k], users.patch.ptr[k + 1]):
                node = users.patch.near[at]
                if node < len(asked) and asked[node] >= 0:
                    _add(table[asked[node], place], users.patch.residual[at], x, np.float32(1))
        elif near[q] < len(users.ptr) - 1:
            for at in range(users.ptr[near[q]], users.ptr[near[q] + 1]):
                node = users.near[at]
                if node < len(asked) and asked[node] >= 0:
                    _add(table[asked[node], place], users.residual[at], x, np.float32(-1))


@inner
def _walk(items, users, item, places, sums):
    """Set sums[places[j]] to what an item shares with each j, by a walk over the rows as they are."""
    sums[:] = 0
    patched, first, last = row_bounds(items, item)
    raters = items.patch.near if patched else items.near
    residual = items.patch.residual if patched else items.residual
    for q in range(first, last):
        laid, at, end = row_bounds(users, raters[q])
        near, other = (users.patch.near, users.patch.residual) if laid else (users.near, users.residual)
        for k in range(at, end):
            if near[k] < len(places) and places[near[k]] >= 0:
                _add(sums[places[near[k]]], residual[q], other[k], np.float32(1))


@inner
def _add(to, x, w, count):
    """Add a common rater of residuals x and w to the sums of two items, or take one out."""
    to[0] += count
    if to[0] == 0:  # what rounding leaves of the other sums would be divided by next to nothing
        to[:] = 0
        return
    to[1] += count * x
    to[2] += count * w
    to[3] += count * x * w
    to[4] += count * x * x
    to[5] += count * w * w
