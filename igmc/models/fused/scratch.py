"""The kernels' arguments: a batch, the weights, and each thread's own memory."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.models.fused.arena import ARENA
from igmc.models.fused.runs import Messages


class Graphs(NamedTuple):
    """A batch as NumPy arrays, as the kernels take it."""

    user_ptr: NDArray[np.int64]
    item_ptr: NDArray[np.int64]
    edge_ptr: NDArray[np.int64]
    user_label: NDArray[np.uint8]
    item_label: NDArray[np.uint8]
    degree: NDArray[np.int32]
    edge_item: NDArray[np.int32]
    edge_level: NDArray[np.uint8]


class Weights(NamedTuple):
    """Parameters of all layers as arrays."""

    first: NDArray[np.float32]  # [R * labels, H]
    root: NDArray[np.float32]  # [labels, H]
    bias: NDArray[np.float32]  # [1, H]
    stacked: NDArray[np.float32]  # [L - 1, (R + 1) * H, H], relations and root
    biases: NDArray[np.float32]  # [L - 1, H]


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


def make_scratch(graphs: Graphs, weights: Weights) -> Scratch:
    """Room for the largest subgraph of a batch, in this thread's arena."""
    labels, width = weights.root.shape
    levels, depth = len(weights.first) // labels, len(weights.biases)
    users, items, edges = (
        int(np.diff(ptr).max(initial=0)) for ptr in (graphs.user_ptr, graphs.item_ptr, graphs.edge_ptr)
    )
    nodes = max(users, items)
    senders = min(edges, levels * nodes)
    ARENA.reset()
    scratch = Scratch(
        _make_messages(nodes, edges, senders, levels, labels // 2),
        _make_messages(nodes, edges, senders, levels, labels // 2),
        states=ARENA.empty((max(depth, 1), users + items, width)),
        sent=ARENA.empty((senders, width)),
        slope=ARENA.empty((nodes, width)),
        grad=ARENA.empty((2, users + items, width)),
        sums=ARENA.empty((2, levels + 1, width)),
        all_rows=ARENA.empty(max(senders, nodes), np.int32),
    )
    scratch.all_rows[:] = np.arange(len(scratch.all_rows))
    return scratch


def _make_messages(nodes: int, edges: int, senders: int, levels: int, distances: int) -> Messages:
    return Messages(
        end=ARENA.empty(nodes, np.int32),
        near=ARENA.empty(edges + 1, np.int32),
        weight=ARENA.empty(edges),
        counts=ARENA.empty(nodes * levels * distances),
        node=ARENA.empty(senders + 1, np.int32),
        level=ARENA.empty(senders + 1, np.uint8),
        level_end=ARENA.empty(levels, np.int32),
        rows=ARENA.empty(nodes, np.int32),
        row_count=ARENA.empty(1, np.int32),
    )
