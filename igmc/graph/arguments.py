"""Checks of what the extraction of subgraphs is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.ratings import dense_indices

__all__ = ["checked_limits", "checked_pairs"]


def checked_pairs(
    graph: BipartiteGraph | ServingGraph, user: ArrayLike, item: ArrayLike
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """The dense indices of P pairs of a graph, int32 [P] each.

    They are copies: the kernel would be compiled anew for a read-only array.

    Raises:
        DataError: if they are no whole numbers, not in the graph's index range, or differ in number.
    """
    users = dense_indices("user", user, graph.n_users, message="no such user in the graph")
    items = dense_indices("item", item, graph.n_items, message="no such item in the graph")
    if len(users) != len(items):
        raise DataError("users and items differ in number", got=(len(users), len(items)))
    return users, items


def checked_limits(side: str, values: ArrayLike | None, pairs: int) -> NDArray[np.int64]:
    """How many ratings one side of each pair shows, int64 [P]; -1, which stands for all, where None is given.

    Raises:
        DataError: if they are no whole numbers, or not one for each pair.
    """
    array = np.full(pairs, -1) if values is None else np.array(values)
    if array.shape != (pairs,) or (pairs and array.dtype.kind not in "iu"):
        raise DataError(
            f"the {side} limits are not one whole number a pair",
            got=f"{array.dtype.name} {list(array.shape)}",
            allowed=f"int [{pairs}]",
        )
    return array.astype(np.int64)
