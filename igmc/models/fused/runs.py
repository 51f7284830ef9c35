"""One subgraph's kept edges grouped by (node, level), from both sides."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from igmc.rng import fold

_jit = njit(nogil=True, cache=True, error_model="numpy")


class Side(NamedTuple):
    """The users or the items of one subgraph, n nodes, with their kept edges grouped by (node, level).

    Edge dropout may differ between the two directions, so each side has its own edges.
    """

    run: NDArray[np.int32]  # [n * R], where the neighbours of (node, level) end in `near`
    near: NDArray[np.int32]  # [E], positions on the other side
    inner: NDArray[np.int32]  # [n * R * hops], neighbours of (node, level) at each distance below `hops`
    label: NDArray[np.uint8]  # [n]
    row: int  # the first node's row among the states; the others follow
    other_row: int  # that of the other side
    other_label: int  # label of the other side's target: 1 if that is the item, 0 if the user


@_jit
def keep_edges(n_edges, first_edge, key, threshold, both):
    """Which edges stay for messages to the user, and to the item, uint8 [E] each; all if `threshold` is 0.

    The same draws as `igmc.models.dropout.edge_masks`: dropped are the edges whose 32-bit draw is below
    `threshold`, the high half of a hash for the user, the low half for the item, or the high half for both.
    """
    to_user, to_item = np.ones(n_edges, np.uint8), np.ones(n_edges, np.uint8)
    if threshold > 0:
        limit = np.uint64(threshold)
        for e in range(n_edges):
            draw = fold(key, np.uint64(first_edge + e))
            high = draw >> np.uint64(32)
            to_user[e] = high >= limit
            to_item[e] = (high if both else draw & np.uint64(0xFFFFFFFF)) >= limit
    return to_user, to_item


@_jit
def build_runs(levels, hops, degree, edge_item, edge_level, to_user, to_item, user, item):
    """Group one subgraph's kept edges by (node, level) from both sides, into two `Side`s.

    Edges that are dropped on the item side are sorted behind all others.
    """
    slots = np.empty(len(edge_item), np.int32)
    starts = np.zeros(len(item.label) * levels + 1, np.int32)
    user.inner[:] = 0
    item.inner[:] = 0
    e, end = 0, 0
    for u in range(len(degree)):
        level, row_end, distance = 0, e + degree[u], user.label[u] >> 1
        while e < row_end:
            at, rating = edge_item[e], edge_level[e]
            while level < rating:
                user.run[u * levels + level] = end
                level += 1
            user.near[end] = at
            end += to_user[e]
            slot = at * levels + rating
            item_distance = item.label[at] >> 1
            if item_distance < hops:
                user.inner[(u * levels + rating) * hops + item_distance] += to_user[e]
            if distance < hops:
                item.inner[slot * hops + distance] += to_item[e]
            slots[e] = slot if to_item[e] else len(starts) - 1
            starts[slots[e]] += 1
            e += 1
        user.run[u * levels + level : (u + 1) * levels] = end
    start = 0
    for k in range(len(starts)):
        start, starts[k] = start + starts[k], start
    e = 0
    for u in range(len(degree)):
        row_end = e + degree[u]
        while e < row_end:
            item.near[starts[slots[e]]] = u
            starts[slots[e]] += 1
            e += 1
    item.run[:] = starts[:-1]


@_jit
def needed_rows(levels, side, other, remaining):
    """The nodes of a side whose states the `remaining` layers need, this one included, ascending.

    The last layer is needed at the target alone, the one before at what the other side's target reads too.
    """
    if remaining == 1:
        return np.zeros(1, np.int64)
    if remaining > 2:
        return np.arange(len(side.label))
    needed = np.zeros(len(side.label), np.uint8)
    needed[0] = 1
    for e in range(other.run[levels - 1]):
        needed[other.near[e]] = 1
    return np.nonzero(needed)[0]
