"""Ratings that came after the statistics were made, laid over them: as a patch of the rows concerned.

Mean and deviation stay as they are, and so do biases and residuals of all rows that no new rating touches.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from igmc.graph import Rows, ServingGraph
from igmc.statistics.graph_statistics import DAMPING, GraphStatistics
from igmc.statistics.rows import NODE_FACTS, RowPatch, SideRows, no_patch

__all__ = ["with_patches", "with_user"]

SWEEPS = 3  # of the regression, among the rows of the patch; the others have their biases

Floats = NDArray[np.float64]


def with_user(
    statistics: GraphStatistics, user: int, items: NDArray[np.int32], rating: NDArray[np.float64]
) -> GraphStatistics:
    """The statistics with other ratings of one user, who may be new; nobody else's change.

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
    statistics: GraphStatistics, graph: ServingGraph, values: NDArray[np.float64]
) -> GraphStatistics:
    """The statistics of a graph that new ratings were laid over, in time that goes by the rows concerned.

    Args:
        statistics: of the graph below, without patches.
        graph: the view.
        values: float [L], the rating of each level.
    """
    users, items = (_sorted(rows, values - statistics.mean) for rows in (graph.by_user, graph.by_item))
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
    for own, other, side in ((0, 1, statistics.items), (1, 0, statistics.users)):
        nodes, ptr, near, left = (users, items)[own]
        known = _biases(side, statistics.deviation, near, (users, items)[other][0], bias[other])
        patches.append(_row_patch(nodes, ptr, near, left - known, bias[own], statistics.deviation))
    return dataclasses.replace(
        statistics,
        users=statistics.users._replace(patch=patches[0]),
        items=statistics.items._replace(patch=patches[1]),
    )


def _sorted(
    rows: Rows, values: Floats
) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], Floats]:
    """The rows of a patch, neighbours ascending: nodes, ptr, neighbours and values."""
    patch = rows.patch
    owner = np.repeat(np.arange(len(patch.nodes)), np.diff(patch.ptr))
    order = np.lexsort((patch.neighbours, owner))
    return patch.nodes, patch.ptr, patch.neighbours[order], values[patch.levels[order]]


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
    keep = np.flatnonzero(~np.isin(old.nodes, new.nodes))
    nodes = np.concatenate([old.nodes[keep], new.nodes])
    parts = [(old, int(k)) for k in keep] + [(new, k) for k in range(len(new.nodes))]
    parts = [parts[k] for k in np.argsort(nodes)]
    rows = [slice(patch.ptr[k], patch.ptr[k + 1]) for patch, k in parts]
    ptr = np.zeros(len(parts) + 1, np.int64)
    ptr[1:] = np.cumsum([row.stop - row.start for row in rows])
    empty = no_patch()
    return RowPatch(
        np.sort(nodes).astype(np.int32),
        ptr,
        np.concatenate([empty.near, *(patch.near[row] for (patch, _), row in zip(parts, rows, strict=True))]),
        np.concatenate(
            [empty.residual, *(patch.residual[row] for (patch, _), row in zip(parts, rows, strict=True))]
        ),
        np.stack([patch.facts[k] for patch, k in parts]),
    )
