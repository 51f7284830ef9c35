r"""What two nodes of one side share: sums over their common neighbours.

For users u and v over the items j that both have rated (and likewise for two items over their common
raters): the count N, and the sums A of e_uj, B of e_vj, P of e_uj e_vj, Q_u of e_uj^2 and Q_v of e_vj^2. They
are walked anew for each target, in time that goes by the ratings of its neighbours, so that no matrix of all
pairs of nodes is kept.
"""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner, kernel
from igmc.statistics.tally import add_row, tally

__all__ = ["NOBODY", "agreement_of", "find", "position", "row_bounds", "share", "share_with"]

NOBODY = np.int32(-1)  # typed as nodes are: a plain -1 would have `share` compiled once more
AGREEMENT_DAMPING = np.float32(20)  # shared ratings
BLOCK_NODES = 2048  # of which the sums take 64 KiB
WORTH = 16  # ratings that each row has in a block on average, at least, for blocks to pay


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
def share(own, other, target, left_out, shift, sums, agreement):
    """Set sums[v] to what the target shares with each node v of its own side, whatever it was before.

    Args:
        own, other: `SideRows` of the target's side, and of the other one.
        target: a node of `own`.
        left_out: a neighbour of the target that does not count, or NOBODY.
        shift: what is added to the residuals of the target.
        sums: float32 [n_own, 8]; agreement: float32 [n_own], set to `agreement_of` each, or empty.
    """
    patched, first, last = row_bounds(own, target)
    near = own.patch.near if patched else own.near
    residual = own.patch.residual if patched else own.residual
    near_all, residual_all = other.near, other.residual
    near_laid, residual_laid = other.patch.near, other.patch.residual
    there, bounds = np.zeros(last - first, np.bool_), np.zeros((2, last - first), np.int64)
    at, end, visits = bounds[0], bounds[1], 0
    for k in range(last - first):
        if near[first + k] != left_out:
            there[k], at[k], end[k] = row_bounds(other, near[first + k])
            visits += end[k] - at[k]
    # The nodes come in blocks whose sums stay in the cache; where rows are short, going through them anew for
    # each block would cost more than that saves. Each sum takes its terms in the same order either way.
    nodes = BLOCK_NODES if visits > WORTH * len(at) * (len(sums) // BLOCK_NODES) else len(sums)
    for low in range(0, len(sums), nodes):
        high = min(low + nodes, len(sums))
        sums[low:high] = np.float32(0)
        for k in range(len(at)):
            x = residual[first + k] + shift
            if there[k]:
                at[k] = add_row(sums, near_laid, residual_laid, at[k], end[k], high, x)
            else:
                at[k] = add_row(sums, near_all, residual_all, at[k], end[k], high, x)
        if len(agreement):
            for node in range(low, high):  # while the sums are still in the cache
                agreement[node] = agreement_of(sums, node)


@inner
def agreement_of(sums, row):
    """``|P| / (N + 20)``: how much a target and a node agree or disagree."""
    return np.abs(sums[row, 3]) / (sums[row, 0] + AGREEMENT_DAMPING)


@inner
def share_with(ptr, near, residual, target, shift, nodes, mine, sums, agreement):
    """As `share`, of some nodes alone, by going through their rows, not those of the target's neighbours.

    Nothing may lie over the sides: there each rating has the same residual on both.

    Args:
        ptr, near, residual: of the side of the target and of the nodes.
        mine: float32 [n_other], NaN; it is that again afterwards.
    """
    for k in range(ptr[target], ptr[target + 1]):
        mine[near[k]] = residual[k] + shift
    for node in nodes:
        sums[node] = np.float32(0)
        for k in range(ptr[node], ptr[node + 1]):
            x = mine[near[k]]
            if x == x:
                tally(sums, node, x, residual[k])
        agreement[node] = agreement_of(sums, node)
    for k in range(ptr[target], ptr[target + 1]):
        mine[near[k]] = np.float32(np.nan)
