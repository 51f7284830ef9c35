"""The damped mean that replaces a prediction for pairs without a neighbourhood.

A pair whose user or item has no rating besides the pair's own has no neighbourhood on that side. Its
prediction is the overall mean, shifted by the n ratings r of the other side, damped by `DAMPING`
pseudo-ratings at the mean:

    mean + sum(r - mean) / (n + DAMPING)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.graph import Rows, ServingGraph
from igmc.ratings import SideInformation

__all__ = ["DAMPING", "damped_means", "has_neighbourhood"]

DAMPING = 5.0  # ratings; what igmc's regularized biases take where no validation part says better

Indices = NDArray[np.int32]


def has_neighbourhood(
    graph: ServingGraph, user: Indices, item: Indices, side: SideInformation | None = None
) -> NDArray[np.bool_]:
    """Whether both sides of each pair have a rating besides the pair's own, or features; bool [P].

    Args:
        graph: the ratings that are known.
        user, item: int32 [P], dense indices; -1 for one that is not known at all.
        side: the features, where the models read them.
    """
    there = (user >= 0) & (item >= 0)
    degree = np.zeros((2, len(user)), np.int64)
    degree[0, there] = graph.by_user.degrees(user[there])
    degree[1, there] = graph.by_item.degrees(item[there])
    if side is not None:  # as good as another rating
        degree[:, there] += np.stack([side.users.tell_of(user[there]), side.items.tell_of(item[there])])
    least = degree.min(axis=0)
    for pair in np.flatnonzero(least == 1).tolist():  # is this one rating the pair's own?
        least[pair] -= item[pair] in graph.by_user.row(int(user[pair]))[0]
    enough: NDArray[np.bool_] = least > 0
    return enough


def damped_means(
    graph: ServingGraph, values: NDArray[np.float64], user: Indices, item: Indices
) -> tuple[NDArray[np.float32], list[str]]:
    """The damped means of P pairs without a neighbourhood, and their kinds.

    Args:
        graph: the ratings that are known.
        values: float64 [L], the rating that each level stands for.
        user, item: int32 [P], dense indices; -1 for one that is not known at all.

    Returns:
        float32 [P], within the range of `values`; and [P] of "user mean", where the user's other ratings
        moved the mean, "item mean", where the item's did, and "global mean".
    """
    mean = float(graph.level_counts @ values) / max(graph.n_ratings, 1)
    scores, sources = np.full(len(user), mean, np.float32), ["global mean"] * len(user)
    for pair, (u, i) in enumerate(zip(user.tolist(), item.tolist(), strict=True)):
        sides = (("user mean", graph.by_user, u, i), ("item mean", graph.by_item, i, u))
        for source, rows, node, other in sides:
            if node < 0:
                continue
            above = _above(rows, node, other, values - mean)
            if len(above):
                scores[pair] = mean + above.sum() / (len(above) + DAMPING)
                sources[pair] = source
    return scores, sources


def _above(rows: Rows, node: int, other: int, centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """By how much each rating of a node, but that of `other`, lies above the mean."""
    neighbours, levels = rows.row(node)
    above: NDArray[np.float64] = centred[levels[neighbours != other]]
    return above
