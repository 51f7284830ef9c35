"""The compiled part of `igmc.statistics.neighbours`: choosing and describing the neighbours of pairs."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.statistics.choice_kernels import choose, make_choice
from igmc.statistics.graph_statistics import DAMPING
from igmc.statistics.row_kernels import BLOCK, clipped, gather, make_block, write_rows
from igmc.statistics.rows import SideRows
from igmc.statistics.shared import NOBODY, agreement_of, find, position, row_bounds, share, share_with
from igmc.statistics.tally import SUMS

__all__ = ["Side", "group_work", "read_pairs", "sizes", "write_side", "write_table"]

_ONE, _ZERO = np.float32(1), np.float32(0)

Floats = NDArray[np.float32]


class Side(NamedTuple):
    """Whose neighbours are read: those of `other_node` that belong to the side `own` of the target."""

    own: SideRows
    other: SideRows
    target: NDArray[np.int32]
    other_node: NDArray[np.int32]
    known: NDArray[np.bool_]
    target_shift: Floats
    other_shift: Floats


@kernel
def read_pairs(users, items, user, item, norm, pair, base, shift, known):
    """Fill the inputs of each pair, its base in deviations from the mean, and what leaving it out moves."""
    damping = np.float32(DAMPING)
    for p in range(len(user)):
        u, i = user[p], item[p]
        patched, first, last = row_bounds(users, u)
        near = users.patch.near if patched else users.near
        residual = users.patch.residual if patched else users.residual
        at = position(near, first, last, i)
        e = residual[at] if at >= 0 else _ZERO
        patched, start, end = row_bounds(items, i)
        # Ratings that lie over the graph for one request are in the user's row alone, and moved the user
        # alone: the item's row may lack this one, or hold what it was before.
        place = position(items.patch.near if patched else items.near, start, end, u)
        raters_residual = items.patch.residual if patched else items.residual
        e_i = raters_residual[place] if place >= 0 else _ZERO
        known[p] = at >= 0 or place >= 0
        n_u, n_i = np.float32(last - first - (at >= 0)), np.float32(end - start - (place >= 0))
        shift[0, p], shift[1, p] = e / (n_u + damping), e_i / (n_i + damping)
        user_facts, item_facts = _facts(users, u), _facts(items, i)
        b_u, b_i = user_facts[0] - shift[0, p], item_facts[0] - shift[1, p]
        base[p] = b_u + b_i
        row = pair[p]
        row[0], row[1], row[2], row[3] = np.log1p(n_u), np.log1p(n_i), b_u, b_i
        row[4] = _dispersion_without(user_facts, n_u, e, shift[0, p], at >= 0)
        row[5] = _dispersion_without(item_facts, n_i, e_i, shift[1, p], place >= 0)
        row[6] = b_u * b_i
        row[7], row[8] = _ONE / np.sqrt(n_u + _ONE), _ONE / np.sqrt(n_i + _ONE)
        row[9] = b_u + b_i
        _normalize(row, norm)


@inner
def _facts(side, node):
    """Bias, dispersion and log1p of the degree of a node, who may have no rating, or not be there."""
    return _facts_of(side.facts, side.patch.nodes, side.patch.facts, node)


@inner
def _facts_of(facts, patched_nodes, patched_facts, node):
    """See `_facts`."""
    at = find(patched_nodes, node) if len(patched_nodes) else -1
    if at >= 0:
        return patched_facts[at, 0], patched_facts[at, 1], patched_facts[at, 2]
    if node < len(facts):
        return facts[node, 0], facts[node, 1], facts[node, 2]
    return _ZERO, _ONE, _ZERO


@inner
def _dispersion_without(facts, n, e, shift, known):
    """The dispersion, less 1, of a node with n ratings besides the one with residual e.

    The others move by `shift` each; by the ridge regression the residuals of a node add up to damping * bias.
    """
    damping = np.float32(DAMPING)
    if known:
        squares = facts[1] * (n + _ONE + damping) - damping - e * e
        squares += shift * (np.float32(2) * (damping * facts[0] - e) + n * shift)
        return (max(squares, _ZERO) + damping) / (n + damping) - _ONE
    return facts[1] - _ONE


@inner
def _normalize(row, norm):
    for f in range(len(row)):
        row[f] = clipped((row[f] - norm[0, f]) * norm[1, f])


@kernel
def sizes(side, cap):
    """Bounds of the rows of each pair."""
    ptr = np.zeros(len(side.target) + 1, np.int64)
    for p in range(len(side.target)):
        patched, first, last = row_bounds(side.other, side.other_node[p])
        near = side.other.patch.near if patched else side.other.near
        there = side.known[p] and position(near, first, last, side.target[p]) >= 0
        ptr[p + 1] = ptr[p] + min(last - first - there, cap)
    return ptr


@kernel
def group_work(side, order, groups):
    """About how many ratings are read for the pairs of each group; see `write_side`."""
    work = np.empty(len(groups) - 1, np.int64)
    for g in range(len(work)):
        visits, choices, known = _visits(side.own, side.other, side.target[order[groups[g]]]), 0, 0
        for k in range(groups[g], groups[g + 1]):
            _, first, last = row_bounds(side.other, side.other_node[order[k]])
            choices += last - first
            known += side.known[order[k]]
        work[g] = 64 * (groups[g + 1] - groups[g]) + choices + visits * max(known, 1)
    return work


@inner
def _visits(own, other, target):
    """The ratings that are read to find what a target shares with all nodes of its side."""
    patched, first, last = row_bounds(own, target)
    near = own.patch.near if patched else own.near
    total = 0
    for k in range(first, last):
        _, start, end = row_bounds(other, near[k])
        total += end - start
    return total


@inner
def _with_few(ptr, near, other_ptr, other_near, target, other_nodes):
    """Whether the rows of all neighbours of some pairs of one target are shorter than what `share` reads."""
    left = 0
    for k in range(ptr[target], ptr[target + 1]):
        left += other_ptr[near[k] + 1] - other_ptr[near[k]]
    for other_node in other_nodes:
        for q in range(other_ptr[other_node], other_ptr[other_node + 1]):
            left -= ptr[other_near[q] + 1] - ptr[other_near[q]]
            if left < 0:
                return False
    return True


@kernel
def write_side(side, order, groups, low, high, norm, found):
    """Fill the rows of the pairs of some groups; the pairs of a group have one target."""
    sums, mine = np.empty((_own_nodes(side), SUMS), np.float32), np.empty(0, np.float32)
    agreement = np.empty(len(sums), np.float32)
    choice, block = make_choice(0, 0), make_block()
    laid_over = len(side.own.patch.nodes) + len(side.other.patch.nodes) > 0
    # Taken out of their records here: in loops, counting who holds them takes longer than all else.
    ptr, near, residual = side.own.ptr, side.own.near, side.own.residual
    other_ptr, other_near = side.other.ptr, side.other.near
    for g in range(low, high):
        shared = False  # whether `sums` holds what all of the target's ratings give
        for k in range(groups[g], groups[g + 1]):
            p = order[k]
            target, shift = side.target[p], side.target_shift[p]
            if side.known[p]:
                share(side.own, side.other, target, side.other_node[p], shift, sums, agreement)
            elif not shared:
                rest = side.other_node[order[k : groups[g + 1]]]
                beyond = target >= len(ptr) - 1 or np.max(rest) >= len(other_ptr) - 1  # without any rating
                if laid_over or beyond or not _with_few(ptr, near, other_ptr, other_near, target, rest):
                    share(side.own, side.other, target, NOBODY, shift, sums, agreement)
                else:
                    if not len(mine):
                        mine = np.full(len(other_ptr) - 1, np.nan, np.float32)
                    for node in rest:
                        nodes = other_near[other_ptr[node] : other_ptr[node + 1]]
                        share_with(ptr, near, residual, target, shift, nodes, mine, sums, agreement)
            shared = not side.known[p]
            choice = _write_neighbours(side, p, sums, agreement, False, norm, choice, block, found)


@inner
def _write_neighbours(side, p, sums, agreement, by_place, norm, choice, block, found):
    """Fill the rows of one pair; returns the room to choose in, larger where it was too small.

    Args:
        sums, agreement: of each node of the own side, or, with `by_place`, of each place in the row of the
            other node.
        choice: of `make_choice`; block: of `make_block`.
    """
    target = side.target[p]
    patched, first, last = row_bounds(side.other, side.other_node[p])
    near = side.other.patch.near if patched else side.other.near
    residual = side.other.patch.residual if patched else side.other.residual
    at, end = found.ptr[p], found.ptr[p + 1]
    if len(choice[0]) < min(2 * (end - at), last - first):
        choice = make_choice(end - at, last - first)
    count = choose(near, first, last, target, agreement, by_place, end - at, choice)
    # Taken out of their records here: in the loop, counting who holds them took longer than all else.
    nodes, residuals, rows, shift = found.node, found.residual, found.rows, side.other_shift[p]
    facts, patched_nodes, patched_facts = side.own.facts, side.own.patch.nodes, side.own.patch.facts
    places, waiting = choice[1], 0
    for k in range(count):
        q = places[k]
        node = near[q]
        nodes[at], residuals[at] = node, residual[q] + shift
        place = q - first if by_place else np.int64(node)
        gather(
            block, waiting, residuals[at], sums, place, _facts_of(facts, patched_nodes, patched_facts, node)
        )
        at += 1
        waiting += 1
        if waiting == BLOCK:
            write_rows(block, waiting, norm, rows, at - waiting)
            waiting = 0
    write_rows(block, waiting, norm, rows, at - waiting)
    return choice


@kernel
def write_table(side, low, high, table, norm, found):
    """Fill the rows of pairs low..high-1 of one user from table[p - low], by place in the user's row."""
    choice, block = make_choice(0, 0), make_block()
    agreement = np.empty(table.shape[1], np.float32)
    for p in range(low, high):
        for place in range(len(agreement)):
            agreement[place] = agreement_of(table[p - low], place)
        choice = _write_neighbours(side, p, table[p - low], agreement, True, norm, choice, block, found)


@inner
def _own_nodes(side):
    """One more than the greatest node of the own side, those that the graph does not know included."""
    size = len(side.own.ptr) - 1
    for nodes in (side.own.patch.nodes, side.other.patch.near):
        for node in nodes:
            if node >= size:
                size = int(node) + 1
    return size
