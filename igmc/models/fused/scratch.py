"""Each thread's own memory."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.models.fused.memory import HugePages, last_kept
from igmc.models.fused.parameters import Sizes
from igmc.models.fused.runs import Messages


class Scratch(NamedTuple):
    """What one thread writes over again for each subgraph, so that it stays in its cache."""

    to_users: Messages
    to_items: Messages
    states: NDArray[np.float32]  # [max(L - 1, 1), users + items, H]
    sent: NDArray[np.float32]  # [S, H]
    slope: NDArray[np.float32]  # [n, H]
    grad: NDArray[np.float32]  # [2, users + items, H]
    sums: NDArray[np.float32]  # [2, R + 1, H]
    all_rows: NDArray[np.int32]  # 0, 1, 2 ...


class _Room(threading.local):
    """What each thread's `make_scratch` had room for last."""

    sizes: Sizes | None = None
    largest: tuple[int, ...] = ()


_ROOM = _Room()


def make_scratch(sizes: Sizes, *largest: int) -> Scratch:
    """Room for a batch whose largest subgraph has `largest` users, items and edges, this thread's own.

    The same as for the batch before, if that had as much, else as much as either needs: it never shrinks.
    """
    if sizes == _ROOM.sizes:
        largest = tuple(map(max, largest, _ROOM.largest))
    scratch = _new_scratch(sizes, *largest)
    _ROOM.sizes, _ROOM.largest = sizes, largest
    return scratch


@last_kept
def _new_scratch(sizes: Sizes, users: int, items: int, edges: int) -> Scratch:
    levels, labels, width, depth = sizes
    nodes = max(users, items)
    senders = min(edges, levels * nodes)
    pages = HugePages()
    return Scratch(
        _make_messages(pages, nodes, edges, senders, levels, labels // 2),
        _make_messages(pages, nodes, edges, senders, levels, labels // 2),
        states=pages.empty((max(depth, 1), users + items, width)),
        sent=pages.empty((senders, width)),
        slope=pages.empty((nodes, width)),
        grad=pages.empty((2, users + items, width)),
        sums=pages.empty((2, levels + 1, width)),
        all_rows=np.arange(max(senders, nodes), dtype=np.int32),
    )


def _make_messages(
    pages: HugePages, nodes: int, edges: int, senders: int, levels: int, distances: int
) -> Messages:
    return Messages(
        end=pages.empty(nodes, np.int32),
        near=pages.empty(edges + 1, np.int32),
        weight=pages.empty(edges),
        counts=pages.empty(nodes * levels * distances),
        node=pages.empty(senders + 1, np.int32),
        level=pages.empty(senders + 1, np.uint8),
        level_end=pages.empty(levels, np.int32),
        rows=pages.empty(nodes, np.int32),
        row_count=pages.empty(1, np.int32),
    )
