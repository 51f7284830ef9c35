"""One subgraph's kept messages, from both sides, as the layers read them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner
from igmc.models.fused.simd import number, put
from igmc.rng import fold

NORM_NONE, NORM_RELATION, NORM_DEGREE = 0, 1, 2


class Messages(NamedTuple):
    """Room for the kept messages to one side of the largest subgraph: N nodes, E messages, S senders.

    A sender is a node of the other side that has a message of some level to this side: (level, node),
    numbered by level and then by node. All messages of a sender are equal, so each is computed once. Edge
    dropout may differ between the two directions, so each side has its own messages.
    """

    end: NDArray[np.int32]  # [N], where the messages to a node end in `near`
    near: NDArray[np.int32]  # [E + 1], numbers of senders; the last place takes what is dropped
    weight: NDArray[np.float32]  # [E], the norm of each message; filled for NORM_RELATION alone
    counts: NDArray[np.float32]  # [N * R * (hops + 1)], norms of the messages summed by level and distance
    node: NDArray[np.int32]  # [S], position of each sender on the other side
    level: NDArray[np.uint8]  # [S], its level
    level_end: NDArray[np.int32]  # [R], where the senders of a level end
    rows: NDArray[np.int32]  # [N], nodes whose states the last layer needs
    row_count: NDArray[np.int32]  # [1], how many these are


class Side(NamedTuple):
    """The users or the items of one subgraph, n nodes, with the kept messages to them, as in `Messages`."""

    end: NDArray[np.int32]
    near: NDArray[np.int32]
    weight: NDArray[np.float32]
    counts: NDArray[np.float32]
    node: NDArray[np.int32]
    level: NDArray[np.uint8]
    level_end: NDArray[np.int32]
    rows: NDArray[np.int32]
    row_count: NDArray[np.int32]
    label: NDArray[np.uint8]  # [n]
    row: int  # the first node's row among the states; the others follow
    other_row: int  # that of the other side
    other_label: int  # label of the other side's target: 1 if that is the item, 0 if the user


@inner
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


@inner
def build(levels, hops, norm, degree, edge_item, edge_level, to_user, to_item, user, item):
    """Fill both sides of one subgraph, whose rows of users are sorted by level.

    Without branches on what is kept: everything is written, and the place to write moves on if it is kept.
    """
    n_users, n_items, columns = len(degree), len(item.label), levels * (hops + 1)
    marks, item_marks, start = _survey(levels, n_items, degree, edge_item, edge_level, to_user, to_item)
    numbers = _number_senders(marks, levels, n_items, user)
    item_numbers = _number_senders(item_marks, levels, n_users, item)
    for k in range(n_items):
        start[k + 1] += start[k]
        item.end[k] = start[k + 1]
    run = np.zeros(n_users * levels, np.int32)  # where (user, level) ends
    user.counts[:] = 0
    item.counts[:] = 0
    dropped = len(edge_item)
    e, end = 0, 0
    for u in range(n_users):
        row_end, distance, first = e + degree[u], user.label[u] >> 1, u * levels
        while e < row_end:
            at, level = number(edge_item, e), number(edge_level, e)
            keep, item_keep = number(to_user, e), number(to_item, e)
            put(user.near, end, number(numbers, level * n_items + at))
            end += keep
            put(run, first + level, end)
            item_distance = number(item.label, at) >> 1
            if item_distance < hops:  # few, so that the next addition seldom waits for the last
                user.counts[(first + level) * (hops + 1) + item_distance] += keep
            place = number(start, at)
            put(item.near, dropped + (place - dropped) * item_keep, number(item_numbers, level * n_users + u))
            put(start, at, place + item_keep)
            column = at * columns + level * (hops + 1) + distance
            put(item.counts, column, number(item.counts, column) + item_keep)
            e += 1
        user.end[u] = end
    _count_rest(hops, run, user.counts)
    _need(user, item)
    _need(item, user)
    if norm != NORM_NONE:
        _weigh(norm, columns, hops, user)
        _weigh(norm, columns, hops, item)


@inner
def _survey(levels, n_items, degree, edge_item, edge_level, to_user, to_item):
    """Marks of the senders to users and to items, and the number of messages to item k in place k + 1."""
    n_users = len(degree)
    marks = np.zeros(levels * n_items + 1, np.uint8)
    item_marks = np.zeros(levels * n_users + 1, np.uint8)
    start = np.zeros(n_items + 1, np.int32)
    e = 0
    for u in range(n_users):
        row_end = e + degree[u]
        while e < row_end:
            at, level = number(edge_item, e), number(edge_level, e)
            keep, item_keep = number(to_user, e), number(to_item, e)
            put(marks, (level * n_items + at + 1) * keep, 1)
            put(item_marks, (level * n_users + u + 1) * item_keep, 1)
            put(start, at + 1, number(start, at + 1) + item_keep)
            e += 1
    return marks, item_marks, start


@inner
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


@inner
def _number_senders(marks, levels, nodes, side):
    """Number the marked slots; returns the number of each. The mark of slot s is marks[s + 1]."""
    numbers = np.empty(levels * nodes, np.int32)
    senders = 0
    for level in range(levels):
        for k in range(nodes):
            slot = level * nodes + k
            numbers[slot] = senders
            side.node[senders] = k
            side.level[senders] = level
            senders += marks[slot + 1]
        side.level_end[level] = senders
    return numbers


@inner
def _need(side, other):
    """The nodes of a side whose states the last layer needs at both targets."""
    needed = np.zeros(len(side.label), np.uint8)
    needed[0] = 1
    for e in range(other.end[0]):
        needed[other.node[other.near[e]]] = 1
    count = 0
    for k in range(len(needed)):
        side.rows[count] = k
        count += needed[k]
    side.row_count[0] = count


@inner
def _weigh(norm, columns, hops, side):
    """The norm of each message and of each count."""
    start = 0
    for k in range(len(side.label)):
        end = side.end[k]
        by_level = side.counts[k * columns : (k + 1) * columns].reshape(-1, hops + 1)
        if norm == NORM_DEGREE:
            if end > start:
                by_level /= np.float32(end - start)
        else:
            scale = np.empty(len(by_level), np.float32)
            for level in range(len(by_level)):
                scale[level] = np.float32(1.0) / max(np.float32(1.0), by_level[level].sum())
                by_level[level] *= scale[level]
            for e in range(start, end):
                side.weight[e] = scale[side.level[side.near[e]]]
        start = end
