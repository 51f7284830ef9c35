"""The rows of a graph as the extraction reads them: how nodes are found, drawn and looked up in them.

A row may have a million neighbours. What is drawn of it, and what it has in common with a few nodes, is found
without reading all of it, and comes out as if it had been read.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from igmc.compiled import inner
from igmc.rng import below

__all__ = [
    *("LEFT_OUT", "UNSEEN", "choose", "copy", "copy_rows", "discover", "keep", "pick"),
    *("room", "row", "shown", "spans", "spread"),
]

UNSEEN, LEFT_OUT = -1, -2  # marks of nodes without a position in the subgraph
SHORT = 1024  # neighbours of a row that is read as a whole in any case
SPREAD = np.uint64(0x9E3779B97F4A7C15)  # of numbers over a table


@inner
def row(node, ptr, patch):
    """Where the row of a node stands, from first to last, and whether in the patch."""
    if len(patch.nodes):
        k = np.searchsorted(patch.nodes, node)
        if k < len(patch.nodes) and patch.nodes[k] == node:
            return patch.ptr[k], patch.ptr[k + 1], True
    return ptr[node], ptr[node + 1], False


@inner
def shown(node, other, limit, key, ptr, neighbours, levels, patch):
    """Whether a target shows but some of its ratings; if so, their neighbours and levels in the row's order.

    The rating of the other target is none of them, nor does it count.
    """
    if limit >= 0:
        first, last, patched = row(node, ptr, patch)
        if patched:
            neighbours, levels = patch.neighbours, patch.levels
        at = np.empty(last - first, np.int64)
        size = 0
        for e in range(first, last):
            if neighbours[e] != other:
                at[size] = e
                size += 1
        if limit < size:
            draw(at[:size], limit, key)
            at = at[:limit]
            at.sort()
            return True, neighbours[at], levels[at]
    return False, np.empty(0, np.int32), np.empty(0, np.uint8)


@inner
def spread(fringe, ptr, neighbours, patch, at, seen, count):
    """Append the unseen neighbours of the fringe to `seen`; returns how many are seen now."""
    for node in fringe:
        first, last, patched = row(node, ptr, patch)
        if patched:
            count = discover(patch.neighbours, first, last, at, seen, count)
        else:
            count = discover(neighbours, first, last, at, seen, count)
    return count


@inner
def discover(neighbours, first, last, at, seen, count):
    for e in range(first, last):
        other = neighbours[e]
        if at[other] == UNSEEN:
            at[other] = LEFT_OUT
            seen[count] = other
            count += 1
    return count


@inner
def copy(items, levels, first, last, item_at, edge_item, edge_level, end):
    """Write the kept ratings of a row from `end` on; returns the new end."""
    for e in range(first, last):
        at = item_at[items[e]]
        edge_item[end] = at
        edge_level[end] = levels[e]
        end += at >= 0
    return end


@inner
def spans(nodes, ptr, longest, starts, sizes):
    """Note where the rows of nodes start and how long they are; the sum, or -1 if one exceeds `longest`.

    A pass of its own, since its reads from all over memory wait for nothing, and so run side by side.
    """
    total, most = 0, 0
    for k in range(len(nodes)):
        starts[k] = ptr[nodes[k]]
        sizes[k] = ptr[nodes[k] + 1] - starts[k]
        total += sizes[k]
        most = max(most, sizes[k])
    return total if most <= longest else -1


@inner
def copy_rows(starts, sizes, items, levels, item_at, edge_item, edge_level, end):
    """As `copy`, of rows that `spans` has noted; puts the numbers of kept ratings into `sizes`."""
    for k in range(len(sizes)):
        before = end
        for e in range(starts[k], starts[k] + sizes[k]):
            at = item_at[items[e]]
            edge_item[end] = at
            edge_level[end] = levels[e]
            end += at >= 0
        sizes[k] = end - before
    return end


@inner
def keep(near, ratio, cap, key, nodes, end):
    """Append a uniform choice of `near`, ascending, to `nodes` at `end`; returns `nodes` and its new end.

    Shuffles `near` itself, and sorts only what is kept: a popular item has many thousand users.
    """
    size = len(near)
    count = min(int(ratio * size), cap)
    if count < size:
        draw(near, count, key)
    nodes = room(nodes, end + count)
    chosen = nodes[end : end + count]
    chosen[:] = near[:count]
    chosen.sort()
    return nodes, end + count


@inner
def draw(nodes, keep, key):
    """Put a uniform choice of `keep` nodes first: that many steps of a Fisher-Yates shuffle."""
    for k in range(keep):
        swap = k + np.int64(below(key, np.uint64(k), np.uint64(len(nodes) - k)))
        nodes[k], nodes[swap] = nodes[swap], nodes[k]


@inner
def room(array: Any, size: int) -> Any:
    """The array itself if it holds more than `size`, else a copy with at least twice the room."""
    if size < len(array):
        return array
    larger = np.empty(2 * size + 64, array.dtype)
    larger[: len(array)] = array
    return larger


@inner
def choose(neighbours, levels, first, last, left_out, ratio, cap, key, nodes, end):
    """As `keep` of the neighbours from first to last but one node.

    The time goes by how many are kept, not by how many there are.
    """
    gap = _place(neighbours, levels, first, last, left_out) - first
    size = last - first
    if gap < size:
        size -= 1
    count = min(int(ratio * size), cap)
    if size <= SHORT or count > size // 8:
        near = np.empty(size, np.int32)
        near[:gap] = neighbours[first : first + min(gap, size)]
        near[gap:] = neighbours[first + gap + 1 : last]
        return keep(near, ratio, cap, key, nodes, end)
    nodes = room(nodes, end + count)
    chosen = nodes[end : end + count]
    slots = 64
    while slots < 4 * count:
        slots *= 2
    # The steps of `draw`. Of the places only those are kept that hold another node than at first.
    place, moved = np.full(slots, -1, np.int64), np.empty(slots, np.int64)
    for k in range(count):
        swap = k + np.int64(below(key, np.uint64(k), np.uint64(size - k)))
        own, other = _slot(place, k), _slot(place, swap)
        here = moved[own] if place[own] == k else k
        there = moved[other] if place[other] == swap else swap
        place[other], moved[other] = swap, here
        chosen[k] = neighbours[first + there + (1 if there >= gap else 0)]
    chosen.sort()
    return nodes, end + count


@inner
def pick(items, levels, first, last, ids, with_target, edge_item, edge_level, end):
    """As `copy`, for a row that is long beside the kept items: each of them is looked up in each level.

    Args:
        items, levels: the rows; first, last: where this one stands.
        ids: the kept items, the target first and the others ascending; at least it is to be left out where
            not `with_target`.
        edge_item, edge_level: with room for as many ratings as there are ids.
        end: where they end so far.
    """
    while first < last:
        stop = _level_end(levels, first, last)
        low, j, waits = first, 1, with_target
        while low < stop and (waits or j < len(ids)):
            if waits and (j == len(ids) or ids[0] < ids[j]):
                at, waits = 0, False
            else:
                at = j
                j += 1
            low += np.searchsorted(items[low:stop], ids[at])
            if low < stop and items[low] == ids[at]:
                edge_item[end], edge_level[end] = at, levels[low]
                end += 1
        first = stop
    return end


@inner
def _place(neighbours, levels, first, last, node):
    """Where in a row a node stands; `last` if nowhere."""
    while first < last:
        stop = _level_end(levels, first, last)
        at = first + np.searchsorted(neighbours[first:stop], node)
        if at < stop and neighbours[at] == node:
            return at
        first = stop
    return last


@inner
def _level_end(levels, first, last):
    """Where in a row the neighbours end that have the level of the first one."""
    if levels[first] == levels[last - 1]:
        return last
    low, high = first, last - 1  # of the level, and above it
    while high - low > 1:
        middle = (low + high) // 2
        if levels[middle] == levels[first]:
            low = middle
        else:
            high = middle
    return high


@inner
def _slot(table, number):
    """Where in a table of 2^n slots, of which some are free (-1), a number stands or may be put."""
    slot = np.int64((np.uint64(number) * SPREAD) >> np.uint64(32)) & (len(table) - 1)
    while table[slot] != number and table[slot] != -1:
        slot = (slot + 1) & (len(table) - 1)
    return slot
