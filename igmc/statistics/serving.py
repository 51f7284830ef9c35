"""Ratings that arrived after the statistics were computed, laid over them as a patch of the affected rows.

Mean and deviation stay as they are, and so do biases and residuals of all rows that no new rating touches.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from igmc.graph import Rows, RowSplice, ServingGraph
from igmc.statistics.graph_statistics import DAMPING, GraphStatistics
from igmc.statistics.rows import NODE_FACTS, RowPatch, SideRows

__all__ = ["with_patches", "with_user"]

SWEEPS = 3  # of the regression, among the rows of the patch; the others have their biases

Floats = NDArray[np.float64]


def with_user(
    statistics: GraphStatistics, user: int, items: NDArray[np.int32], rating: NDArray[np.float64]
) -> GraphStatistics:
    """The statistics with other ratings of one user, who may be new; those of all others stay the same.

    Args:
        statistics: of the graph.
        user: dense index, also one beyond the users of the graph.
        items: int32 [n], all that the user has rated, in any order; rating: float [n].
    """
    order = np.argsort(items)
    near, left = items[order].astype(np.int32), rating[order] - statistics.mean
    bounds = np.array([0, len(near)], np.int64)
    nodes = np.array([user], np.int32)
    other = _biases(statistics.items, statistics.deviation, near)
    bias = _regressed(bounds, left - other)
    patch = _row_patch(nodes, bounds, near, left - other, bias, statistics.deviation)
    old = statistics.users.patch
    if len(old.nodes):
        patch = _merged(old, patch)
    return dataclasses.replace(statistics, users=statistics.users._replace(patch=patch))


def with_patches(
    statistics: GraphStatistics,
    graph: ServingGraph,
    values: NDArray[np.float64],
    rows: tuple[NDArray[np.int32], NDArray[np.int32]] | None = None,
) -> GraphStatistics:
    """The statistics of a graph with new ratings laid over it, in time proportional to the affected rows.

    Args:
        statistics: of the graph below, without patches; or, with `rows`, of an earlier view.
        graph: the view.
        values: float [L], the rating of each level.
        rows: int32, ascending, the users and the items whose rows are to be made; those of the others stay.
            All that the view holds itself if None.
    """
    touched = rows if rows is not None else (graph.by_user.patch.nodes, graph.by_item.patch.nodes)
    sides = zip((graph.by_user, graph.by_item), touched, strict=True)
    users, items = (_sorted(side, nodes, values - statistics.mean) for side, nodes in sides)
    bias = [
        _biases(side, statistics.deviation, rows[0])
        for side, rows in ((statistics.users, users), (statistics.items, items))
    ]
    for _ in range(SWEEPS):
        for own, other, side in ((0, 1, statistics.items), (1, 0, statistics.users)):
            nodes, ptr, near, left = (users, items)[own]
            known = _biases(side, statistics.deviation, near, (users, items)[other][0], bias[other])
            bias[own] = _regressed(ptr, left - known)
    patches = []
    kept = (statistics.users.patch, statistics.items.patch)
    for own, other, side in ((0, 1, statistics.items), (1, 0, statistics.users)):
        nodes, ptr, near, left = (users, items)[own]
        known = _biases(side, statistics.deviation, near, (users, items)[other][0], bias[other])
        new = _row_patch(nodes, ptr, near, left - known, bias[own], statistics.deviation)
        patches.append(_merged(kept[own], new) if rows is not None else new)
    return dataclasses.replace(
        statistics,
        users=statistics.users._replace(patch=patches[0]),
        items=statistics.items._replace(patch=patches[1]),
    )


def _sorted(
    rows: Rows, nodes: NDArray[np.int32], values: Floats
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], Floats]:
    """Some rows, neighbours ascending: nodes, ptr, neighbours and values."""
    patch = rows.patch
    if nodes is patch.nodes:
        ptr, neighbours, levels = patch.ptr, patch.neighbours, patch.levels
    else:
        found = [rows.row(int(node)) for node in nodes]
        ptr = np.zeros(len(nodes) + 1, np.int64)
        ptr[1:] = np.cumsum([len(near) for near, _ in found])
        neighbours = np.concatenate([patch.neighbours[:0], *(near for near, _ in found)])
        levels = np.concatenate([patch.levels[:0], *(level for _, level in found)])
    owner = np.repeat(np.arange(len(nodes)), np.diff(ptr))
    order = np.lexsort((neighbours, owner))
    return nodes, ptr, neighbours[order], values[levels[order]]


def _biases(
    side: SideRows,
    deviation: float,
    nodes: NDArray[np.int32],
    changed: NDArray[np.int32] | None = None,
    bias: Floats | None = None,
) -> Floats:
    """Biases of some nodes, in ratings: 0 for those that are not there, as given for those that changed."""
    found = side.biases(nodes).astype(np.float64)
    found *= deviation
    if changed is not None and bias is not None and len(changed):
        at = np.minimum(np.searchsorted(changed, nodes), len(changed) - 1)
        hit = changed[at] == nodes
        found[hit] = bias[at[hit]]
    return found


def _regressed(ptr: NDArray[np.int64], left: Floats) -> Floats:
    total = np.concatenate([np.zeros(1), np.cumsum(left)])[ptr]
    bias: Floats = np.diff(total) / (np.diff(ptr) + DAMPING)
    return bias


def _row_patch(
    nodes: NDArray[np.int32],
    ptr: NDArray[np.int64],
    near: NDArray[np.int32],
    left: Floats,
    bias: Floats,
    deviation: float,
) -> RowPatch:
    n = np.diff(ptr)
    residual = (left - np.repeat(bias, n)) / deviation
    squares = np.diff(np.concatenate([np.zeros(1), np.cumsum(residual**2)])[ptr])
    facts = np.empty((len(nodes), NODE_FACTS), np.float32)
    facts[:, 0], facts[:, 1], facts[:, 2] = bias / deviation, (squares + DAMPING) / (n + DAMPING), np.log1p(n)
    return RowPatch(nodes.astype(np.int32), ptr, near, residual.astype(np.float32), facts)


def _merged(old: RowPatch, new: RowPatch) -> RowPatch:
    """Two patches as one; where both have a row, that of `new` counts."""
    if not len(old.nodes):
        return new
    rows = RowSplice(old.nodes, new.nodes, old.ptr, new.ptr)
    return RowPatch(
        rows.nodes,
        rows.ptr,
        rows.values(old.near, new.near),
        rows.values(old.residual, new.residual),
        rows.facts(old.facts, new.facts),
    )
