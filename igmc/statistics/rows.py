"""The ratings of a graph as residuals, row by row from both sides, with the facts of each node."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["NODE_FACTS", "RowPatch", "SideRows", "no_patch"]

Floats = NDArray[np.float32]

NODE_FACTS = 3  # bias, shrunk dispersion, log1p of the degree: columns of `SideRows.facts`


class RowPatch(NamedTuple):
    """K rows that replace those of a side, or extend it; arrays as in `SideRows`.

    Attributes:
        nodes: int32 [K], ascending.
    """

    nodes: NDArray[np.int32]
    ptr: NDArray[np.int64]
    near: NDArray[np.int32]
    residual: Floats
    facts: Floats


class SideRows(NamedTuple):
    """All nodes of one side, as the kernels read them.

    Attributes:
        ptr: int64 [n + 1], bounds of the rows; near: int32 [n_ratings], neighbours, ascending in each row.
        residual: float32 [n_ratings], what the biases leave of each rating, in units of its deviation.
        facts: float32 [n, 3], bias (in the same units), dispersion and log1p of the degree of each node.
        patch: rows that replace or extend these.
    """

    ptr: NDArray[np.int64]
    near: NDArray[np.int32]
    residual: Floats
    facts: Floats
    patch: RowPatch

    def row(self, node: int) -> tuple[NDArray[np.int32], Floats]:
        """Neighbours and residuals of a node, as views; nothing for one that is not there."""
        at = int(np.searchsorted(self.patch.nodes, node))
        if at < len(self.patch.nodes) and self.patch.nodes[at] == node:
            chosen = slice(self.patch.ptr[at], self.patch.ptr[at + 1])
            return self.patch.near[chosen], self.patch.residual[chosen]
        chosen = slice(self.ptr[node], self.ptr[node + 1]) if node < len(self.ptr) - 1 else slice(0, 0)
        return self.near[chosen], self.residual[chosen]

    def biases(self, nodes: NDArray[np.int32]) -> Floats:
        """The biases of some nodes, float32 [n]; 0 for those that are not there."""
        found = np.zeros(len(nodes), np.float32)
        there = nodes < len(self.facts)
        found[there] = self.facts[nodes[there], 0]
        if len(self.patch.nodes):
            at = np.minimum(np.searchsorted(self.patch.nodes, nodes), len(self.patch.nodes) - 1)
            hit = self.patch.nodes[at] == nodes
            found[hit] = self.patch.facts[at[hit], 0]
        return found


def no_patch() -> RowPatch:
    """A patch without rows."""
    return RowPatch(
        np.empty(0, np.int32),
        np.zeros(1, np.int64),
        np.empty(0, np.int32),
        np.empty(0, np.float32),
        np.empty((0, NODE_FACTS), np.float32),
    )
