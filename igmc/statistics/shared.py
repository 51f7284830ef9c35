r"""What two nodes of one side share: sums over their common neighbours.

For users u and v over the items j that both have rated (and likewise for two items over their common
raters): the count N, and the sums A of e_uj, B of e_vj, P of e_uj e_vj, Q_u of e_uj^2 and Q_v of e_vj^2. They
are walked anew for each target, in time that goes by the ratings of its neighbours, so that no matrix of all
pairs of nodes is kept.
"""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner, kernel

__all__ = ["SUMS", "add_shared", "find", "position", "row_bounds"]

SUMS = 8  # N, A, B, P, Q_u, Q_v, and two to fill a vector register


@inner
def find(nodes, node):
    """The place of a node in an ascending list, or -1."""
    low, high = 0, len(nodes)
    while low < high:
        middle = (low + high) // 2
        if nodes[middle] < node:
            low = middle + 1
        else:
            high = middle
    return low if low < len(nodes) and nodes[low] == node else -1


@inner
def row_bounds(side, node):
    """Whether the row of a node is in the patch, and its bounds there or below; it may be empty."""
    at = find(side.patch.nodes, node)
    if at >= 0:
        return True, side.patch.ptr[at], side.patch.ptr[at + 1]
    if node < len(side.ptr) - 1:
        return False, side.ptr[node], side.ptr[node + 1]
    return False, np.int64(0), np.int64(0)


@inner
def position(near, first, last, node):
    """Where a node stands in a row, or -1."""
    at = find(near[first:last], node)
    return first + at if at >= 0 else -1


@kernel
def add_shared(own, other, target, left_out, shift, sums):
    """Add to sums[v] what the target shares with each node v of its own side.

    Args:
        own, other: `SideRows` of the target's side, and of the other one.
        target: a node of `own`.
        left_out: a neighbour of the target that does not count, or -1.
        shift: what is added to the residuals of the target.
        sums: float32 [n_own, 8].
    """
    patched, first, last = row_bounds(own, target)
    near = own.patch.near if patched else own.near
    residual = own.patch.residual if patched else own.residual
    one = np.float32(1)
    for k in range(first, last):
        j = near[k]
        if j == left_out:
            continue
        x = residual[k] + shift
        square = x * x
        there, start, end = row_bounds(other, j)
        others = other.patch.near if there else other.near
        theirs = other.patch.residual if there else other.residual
        for q in range(start, end):
            row, w = sums[others[q]], theirs[q]
            row[0] += one
            row[1] += x
            row[2] += w
            row[3] += x * w
            row[4] += square
            row[5] += w * w
