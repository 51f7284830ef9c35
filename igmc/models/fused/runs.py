"""One subgraph's kept messages, from both sides, as the layers read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from igmc.models.fused.simd import number, put
from igmc.rng import fold

NORM_NONE, NORM_RELATION, NORM_DEGREE = 0, 1, 2

_jit = njit(nogil=True, cache=True, error_model="numpy")


class Side(NamedTuple):
    """The users or the items of one subgraph, n nodes, with the kept messages to them.

    A sender is a node of the other side that has a message of some level to this side: (level, node), numbered
    by level and then by node. All messages of a sender are equal, so each is computed once. Edge dropout may
    differ between the two directions, so each side has its own messages.
    """

    end: NDArray[np.int32]  # [n], where the messages to a node end in `near`
    near: NDArray[np.int32]  # [E], numbers of senders
    weight: NDArray[np.float32]  # [E], the norm of each message; filled for NORM_RELATION alone
    count: NDArray[np.float32]  # [n * R * (hops + 1)], norms of the messages summed by level and distance
    label: NDArray[np.uint8]  # [n]
    node: NDArray[np.int32]  # [S], position of each sender on the other side
    level: NDArray[np.uint8]  # [S], its level
    level_end: NDArray[np.int32]  # [R], where the senders of a level end
    rows: NDArray[np.int32]  # nodes whose states the last layer needs, [row_count]
    used: NDArray[np.int32]  # senders that those nodes read, [used_end[-1]]
    used_node: NDArray[np.int32]  # their positions
    used_end: NDArray[np.int32]  # [R], where those of a level end
    row_count: NDArray[np.int32]  # [1]
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
def build(levels, hops, norm, degree, edge_item, edge_level, to_user, to_item, user, item):
    """Fill both sides of one subgraph, whose rows of users are sorted by level.

    Without branches on what is kept: everything is written, and the place to write moves on if it is kept.
    """
    n_users, n_items, n_edges = len(degree), len(item.label), len(edge_item)
    slots, item_slots = np.empty(n_edges, np.int32), np.empty(n_edges, np.int32)  # level * nodes + node
    item_at, item_column = np.empty(n_edges, np.int32), np.empty(n_edges, np.int32)
    marks = np.zeros(levels * n_items + 1, np.uint8)
    item_marks = np.zeros(levels * n_users + 1, np.uint8)
    run = np.zeros(n_users * levels, np.int32)  # where (user, level) ends
    start = np.zeros(n_items + 1, np.int32)
    user.count[:] = 0
    item.count[:] = 0
    e, end, item_end = 0, 0, 0
    for u in range(n_users):
        row_end, distance = e + degree[u], user.label[u] >> 1
        while e < row_end:
            at, level = number(edge_item, e), number(edge_level, e)
            keep, item_keep = number(to_user, e), number(to_item, e)
            slot, item_slot = level * n_items + at, level * n_users + u
            put(slots, end, slot)
            put(marks, (slot + 1) * keep, 1)
            end += keep
            put(run, u * levels + level, end)
            item_distance = number(item.label, at) >> 1
            if item_distance < hops:  # few, so that the next addition seldom waits for the last
                user.count[(u * levels + level) * (hops + 1) + item_distance] += keep
            put(item_slots, item_end, item_slot)
            put(item_at, item_end, at)
            put(item_column, item_end, level * (hops + 1) + distance)
            put(item_marks, (item_slot + 1) * item_keep, 1)
            put(start, at + 1, number(start, at + 1) + item_keep)
            item_end += item_keep
            e += 1
        user.end[u] = end
    _count_rest(hops, run, user.count)
    numbers = _number_senders(marks, levels, n_items, user)
    for k in range(end):
        put(user.near, k, number(numbers, number(slots, k)))
    for k in range(n_items):
        start[k + 1] += start[k]
        item.end[k] = start[k + 1]
    numbers = _number_senders(item_marks, levels, n_users, item)
    columns = levels * (hops + 1)
    for k in range(item_end):
        at = number(item_at, k)
        place, column = number(start, at), at * columns + number(item_column, k)
        put(item.near, place, number(numbers, number(item_slots, k)))
        put(start, at, place + 1)
        put(item.count, column, number(item.count, column) + np.float32(1.0))
    _need(user, item)
    _need(item, user)
    if norm != NORM_NONE:
        _weigh(norm, columns, hops, user)
        _weigh(norm, columns, hops, item)


@_jit
def _count_rest(hops, run, count):
    """Messages from the farthest nodes: those that the counts of the nearer ones leave."""
    before = 0
    for k in range(len(run)):
        after = max(before, run[k])
        rest = np.float32(after - before)
        for distance in range(hops):
            rest -= count[k * (hops + 1) + distance]
        count[k * (hops + 1) + hops] = rest
        before = after


@_jit
def _number_senders(marks, levels, nodes, side):
    """Number the marked slots in order; returns the number of each slot. The mark of slot s is marks[s + 1]."""
    numbers = np.empty(levels * nodes, np.int32)
    senders = 0
    for level in range(levels):
        for k in range(nodes):
            slot = level * nodes + k
            numbers[slot] = senders
            if senders < len(side.node):
                side.node[senders] = k
                side.level[senders] = level
            senders += marks[slot + 1]
        side.level_end[level] = senders
    return numbers


@_jit
def _need(side, other):
    """The nodes of a side whose states its target's last layer and the other target's need, and their senders."""
    needed = np.zeros(len(side.label), np.uint8)
    needed[0] = 1
    for e in range(other.end[0]):
        needed[other.node[other.near[e]]] = 1
    count = 0
    used = np.zeros(len(side.node) + 1, np.uint8)
    for k in range(len(needed)):
        side.rows[count] = k
        count += needed[k]
        if needed[k]:
            for e in range(side.end[k - 1] if k > 0 else 0, side.end[k]):
                used[side.near[e]] = 1
    side.row_count[0] = count
    count, first = 0, 0
    for level in range(len(side.level_end)):
        for sender in range(first, side.level_end[level]):
            side.used[count] = sender
            side.used_node[count] = side.node[sender]
            count += used[sender]
        first = side.level_end[level]
        side.used_end[level] = count


@_jit
def _weigh(norm, columns, hops, side):
    """The norm of each message and of each count."""
    start = 0
    for k in range(len(side.label)):
        end = side.end[k]
        counts = side.count[k * columns : (k + 1) * columns].reshape(-1, hops + 1)
        if norm == NORM_DEGREE:
            if end > start:
                counts /= np.float32(end - start)
        else:
            scale = np.empty(len(counts), np.float32)
            for level in range(len(counts)):
                scale[level] = np.float32(1.0) / max(np.float32(1.0), counts[level].sum())
                counts[level] *= scale[level]
            for e in range(start, end):
                side.weight[e] = scale[side.level[side.near[e]]]
        start = end
