"""The kernels' arguments: a batch, the weights, and each thread's own memory."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
    """Room for the largest subgraph of a batch."""
    labels, width = weights.root.shape
    levels, depth = len(weights.first) // labels, len(weights.biases)
    users, items, edges = (
        np.diff(ptr).max(initial=0) for ptr in (graphs.user_ptr, graphs.item_ptr, graphs.edge_ptr)
    )
    nodes = max(users, items)
    senders = min(edges, levels * nodes)
    return Scratch(
        _make_messages(nodes, edges, senders, levels, labels // 2),
        _make_messages(nodes, edges, senders, levels, labels // 2),
        _rows(max(depth, 1), users + items, width),
        _rows(senders, width),
        _rows(nodes, width),
        _rows(2, users + items, width),
        _rows(2, levels + 1, width),
        np.arange(max(senders, nodes), dtype=np.int32),
    )


def _make_messages(nodes: int, edges: int, senders: int, levels: int, distances: int) -> Messages:
    def room(size: int, dtype: type = np.int32) -> NDArray[Any]:
        return np.empty(size, dtype)

    return Messages(
        end=room(nodes),
        near=room(edges + 1),
        weight=room(edges, np.float32),
        counts=room(nodes * levels * distances, np.float32),
        node=room(senders + 1),
        level=room(senders + 1, np.uint8),
        level_end=room(levels),
        rows=room(nodes),
        row_count=room(1),
    )


def _rows(*shape: int) -> NDArray[np.float32]:
    """Empty float32 array that begins where a cache line does, so that no vector lies in two."""
    size = math.prod(shape)
    buffer = np.empty(size + 16, np.float32)
    first = -buffer.ctypes.data % 64 // 4
    return buffer[first : first + size].reshape(shape)
