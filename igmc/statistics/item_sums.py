"""What items share with each other, found when first asked and kept while there is room."""

from __future__ import annotations

import threading
from collections import OrderedDict

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import kernel
from igmc.statistics.graph_statistics import GraphStatistics
from igmc.statistics.shared import NOBODY, share
from igmc.statistics.tally import SUMS
from igmc.threads import pool

__all__ = ["ItemSums"]

Floats = NDArray[np.float32]


class ItemSums:
    """Sums over the raters that two items share, a row for each item that was asked; any thread may ask.

    Args:
        statistics: of the graph.
        memory: bytes of rows kept at most; those that were asked last stay. At least one row is kept.
    """

    def __init__(self, statistics: GraphStatistics, memory: int) -> None:
        self.statistics = statistics
        self._size = len(statistics.items.ptr) - 1
        self._most = max(1, memory // (4 * SUMS * max(self._size, 1)))
        self._rows: OrderedDict[int, Floats] = OrderedDict()
        self._lock = threading.Lock()

    def row(self, item: int) -> Floats:
        """What an item shares with every other, float32 [n_items, 8]; see `igmc.statistics.shared`."""
        with self._lock:
            found = self._rows.get(item)
            if found is not None:
                self._rows.move_to_end(item)
                return found
        made = np.empty((self._size, SUMS), np.float32)  # two threads may both make it: to the same bits
        nothing = np.empty(0, np.float32)
        items, users = self.statistics.items, self.statistics.users
        share(items, users, np.int32(item), NOBODY, np.float32(0), made, nothing)
        with self._lock:
            self._rows[item] = made
            while len(self._rows) > self._most:
                self._rows.popitem(last=False)
        return made

    def warm(self, items: NDArray[np.int32], threads: int) -> None:
        """Find the rows of some items side by side, as many as are kept, before they are asked one by one."""
        if threads > 1 and len(items) > 1:
            list(pool("neighbours", threads).map(self.row, items[: self._most].tolist()))

    def table(self, near: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """What P items share with n others, float32 [P, n, 8]; A and Q_u are those of the P items."""
        table = np.empty((len(item), len(near), SUMS), np.float32)
        for place, other in enumerate(near.tolist()):
            _gather(self.row(other), item, place, table)
        return table


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
