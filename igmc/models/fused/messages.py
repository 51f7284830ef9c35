"""One subgraph's kept messages to each side, as the layers read them.

A message goes from a node j of one side to a node i of the other, with the level r of their rating. All
messages of one (r, j), a *sender*, are equal, so each is computed once; what differs is how much message e
counts, the norm c_e:

    1                                                       NORM_NONE
    1 / number of messages to i of the level of e           NORM_RELATION
    1 / number of messages to i                             NORM_DEGREE
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner
from igmc.rng import fold
from igmc.simd import number, put

NORM_NONE, NORM_RELATION, NORM_DEGREE = 0, 1, 2


class Messages(NamedTuple):
    """Room for the kept messages to one side of the largest subgraph: N nodes, E messages, S senders.

    Senders are numbered by level and then by node. Edge dropout may differ between the two directions, so
    each side has its own messages.
    """

    end: NDArray[np.int32]  # [N], where the messages to a node end in `sender`
    sender: NDArray[np.int32]  # [E + 1], the number of each message's; the last place takes what is dropped
    c: NDArray[np.float32]  # [E], the norm of each message; filled for NORM_RELATION alone
    counts: NDArray[np.float32]  # [N * R * (hops + 1)], norms of the messages summed by level and distance
    node: NDArray[np.int32]  # [S], position of each sender on the other side
    level: NDArray[np.uint8]  # [S], its level
    level_end: NDArray[np.int32]  # [R], where the senders of a level end
    needed: NDArray[np.int32]  # [N], nodes whose states the last layer needs
    needed_count: NDArray[np.int32]  # [1], how many these are


class Side(NamedTuple):
    """The users or the items of one subgraph, n nodes, with the kept messages to them, as in `Messages`."""

    end: NDArray[np.int32]
    sender: NDArray[np.int32]
    c: NDArray[np.float32]
    counts: NDArray[np.float32]
    node: NDArray[np.int32]
    level: NDArray[np.uint8]
    level_end: NDArray[np.int32]
    needed: NDArray[np.int32]
    needed_count: NDArray[np.int32]
    label: NDArray[np.uint8]  # [n]
    all_rows: NDArray[np.int32]  # 0, 1, 2 ..., as many as there are nodes or senders at least
    row: int  # the first node's row among the states; the others follow
    other_row: int  # that of the other side
    other_label: int  # label of the other side's target: 1 if that is the item, 0 if the user
    hops: int
    norm: int


class Edges(NamedTuple):
    """The E ratings of one subgraph, its users' rows one after the other, each sorted by (level, item)."""

    degree: NDArray[np.int32]  # [users], ratings of each
    item: NDArray[np.int32]  # [E], position among the items
    level: NDArray[np.uint8]  # [E]
    to_user: NDArray[np.uint8]  # [E], 1 where the message to the user is kept, else 0
    to_item: NDArray[np.uint8]  # [E], the same for the message to the item


class Dropout(NamedTuple):
    """Which edges are dropped, as in `igmc.models.dropout.edge_masks`."""

    threshold: int  # of 32-bit draws: those below are dropped, so none if 0
    both: bool  # an edge is dropped in both directions or in none
    key: np.uint64
    before: int = 0  # edges of the batch before those of number 0 here


@inner
def keep_edges(first, count, dropout):
    """Which of `count` edges, from number `first` on, stay: uint8 [count] to user, to item.

    The draw of edge e of the batch is ``fold(key, e)``: its high half is for the user, its low half for the
    item, or the high half for both.
    """
    to_user, to_item = np.ones(count, np.uint8), np.ones(count, np.uint8)
    if dropout.threshold > 0:
        threshold, number = np.uint64(dropout.threshold), dropout.before + first
        for e in range(count):
            draw = fold(dropout.key, np.uint64(number + e))
            high = draw >> np.uint64(32)
            to_user[e] = high >= threshold
            to_item[e] = (high if dropout.both else draw & np.uint64(0xFFFFFFFF)) >= threshold
    return to_user, to_item


@inner
def build(edges, user, item):
    """Fill both sides of one subgraph from its edges.

    Without branches on what is kept: everything is written, and the place to write moves on if it is kept.
    """
    n_users, n_items, levels, hops = len(user.label), len(item.label), len(user.level_end), user.hops
    columns = levels * (hops + 1)
    marks, item_marks, start = _survey(levels, n_items, edges)
    numbers = _number_senders(marks, n_items, user)
    item_numbers = _number_senders(item_marks, n_users, item)
    for k in range(n_items):
        start[k + 1] += start[k]
        item.end[k] = start[k + 1]
    run = np.zeros(n_users * levels, np.int32)  # where (user, level) ends
    user.counts[:] = 0
    item.counts[:] = 0
    dropped = len(edges.item)
    e, end = 0, 0
    for u in range(n_users):
        row_end, distance, first = e + edges.degree[u], user.label[u] >> 1, u * levels
        while e < row_end:
            at, level = number(edges.item, e), number(edges.level, e)
            keep, item_keep = number(edges.to_user, e), number(edges.to_item, e)
            put(user.sender, end, number(numbers, level * n_items + at))
            end += keep
            put(run, first + level, end)
            item_distance = number(item.label, at) >> 1
            if item_distance < hops:  # few, so that the next addition seldom waits for the last
                user.counts[(first + level) * (hops + 1) + item_distance] += keep
            place = number(start, at)
            sender = number(item_numbers, level * n_users + u)
            put(item.sender, dropped + (place - dropped) * item_keep, sender)
            put(start, at, place + item_keep)
            column = at * columns + level * (hops + 1) + distance
            put(item.counts, column, number(item.counts, column) + item_keep)
            e += 1
        user.end[u] = end
    _count_rest(hops, run, user.counts)
    _need(user, item)
    _need(item, user)
    if user.norm != NORM_NONE:
        _norm(user)
        _norm(item)


@inner
def _survey(levels, n_items, edges):
    """Marks of the senders to users and to items, and the number of messages to item k in place k + 1."""
    n_users = len(edges.degree)
    marks = np.zeros(levels * n_items + 1, np.uint8)
    item_marks = np.zeros(levels * n_users + 1, np.uint8)
    start = np.zeros(n_items + 1, np.int32)
    e = 0
    for u in range(n_users):
        row_end = e + edges.degree[u]
        while e < row_end:
            at, level = number(edges.item, e), number(edges.level, e)
            keep, item_keep = number(edges.to_user, e), number(edges.to_item, e)
            put(marks, (level * n_items + at + 1) * keep, 1)
            put(item_marks, (level * n_users + u + 1) * item_keep, 1)
            put(start, at + 1, number(start, at + 1) + item_keep)
            e += 1
    return marks, item_marks, start


@inner
def _count_rest(hops, run, counts):
    """Messages from the farthest nodes: those that the counts of the nearer ones leave."""
    before = 0
    for k in range(len(run)):
        after = max(before, run[k])
        rest = np.float32(after - before)
        for distance in range(hops):
            rest -= counts[k * (hops + 1) + distance]
        counts[k * (hops + 1) + hops] = rest
        before = after


@inner
def _number_senders(marks, nodes, side):
    """Number the marked slots; returns the number of each. The mark of slot s is marks[s + 1]."""
    levels = len(side.level_end)
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
    """The nodes of a side whose states the last layer needs at both targets: its own, and the senders to
    the other one.
    """
    needed = np.zeros(len(side.label), np.uint8)
    needed[0] = 1
    for e in range(other.end[0]):
        needed[other.node[other.sender[e]]] = 1
    count = 0
    for k in range(len(needed)):
        side.needed[count] = k
        count += needed[k]
    side.needed_count[0] = count


@inner
def _norm(side):
    """From the numbers of messages, the norm of each message and of each count."""
    columns, start = len(side.level_end) * (side.hops + 1), 0
    for k in range(len(side.label)):
        end = side.end[k]
        by_level = side.counts[k * columns : (k + 1) * columns].reshape(-1, side.hops + 1)
        if side.norm == NORM_DEGREE:
            if end > start:
                by_level /= np.float32(end - start)
        else:
            scale = np.empty(len(by_level), np.float32)
            for level in range(len(by_level)):
                scale[level] = np.float32(1.0) / max(np.float32(1.0), by_level[level].sum())
                by_level[level] *= scale[level]
            for e in range(start, end):
                side.c[e] = scale[side.level[side.sender[e]]]
        start = end
