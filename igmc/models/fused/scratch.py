"""What the kernels are given: the work to share, and each thread's own memory."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.loading import Structure
from igmc.models.fused.memory import HugePages, last_kept
from igmc.models.fused.messages import Dropout, Messages
from igmc.models.fused.parameters import Sizes, Weights


class Work(NamedTuple):
    """What there is to do with a batch; all threads share it."""

    graphs: Structure[NDArray[Any]]  # of the batch
    weights: Weights
    norm: int  # as in `igmc.models.fused.messages`
    dropout: Dropout
    chunks: NDArray[np.int64]  # [C + 1], chunk c holds the subgraphs chunks[c]..chunks[c + 1]-1


class Scratch(NamedTuple):
    """What one thread writes over again for each subgraph, so that it stays in its cache."""

    to_users: Messages
    to_items: Messages
    states: NDArray[np.float32]  # [max(L - 1, 1), users + items, H]
    d_states: NDArray[np.float32]  # [2, users + items, H], of the layer at hand and of the one before
    m: NDArray[np.float32]  # [S, H], messages or their gradients
    d_z: NDArray[np.float32]  # [n, H]
    sums: NDArray[np.float32]  # [R + 1, H]
    d_sums: NDArray[np.float32]  # [R + 1, H]
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
        m=pages.empty((senders, width)),
        d_z=pages.empty((nodes, width)),
        d_states=pages.empty((2, users + items, width)),
        sums=pages.empty((levels + 1, width)),
        d_sums=pages.empty((levels + 1, width)),
        all_rows=np.arange(max(senders, nodes), dtype=np.int32),
    )


def _make_messages(
    pages: HugePages, nodes: int, edges: int, senders: int, levels: int, distances: int
) -> Messages:
    return Messages(
        end=pages.empty(nodes, np.int32),
        sender=pages.empty(edges + 1, np.int32),
        c=pages.empty(edges),
        counts=pages.empty(nodes * levels * distances),
        node=pages.empty(senders + 1, np.int32),
        level=pages.empty(senders + 1, np.uint8),
        level_end=pages.empty(levels, np.int32),
        needed=pages.empty(nodes, np.int32),
        needed_count=pages.empty(1, np.int32),
    )
