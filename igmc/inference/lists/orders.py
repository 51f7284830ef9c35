"""Orders of a list: by predicted rating, or by how far it exceeds the item's usual rating.

For item i, with m_i the mean of its known ratings, damped as `igmc.inference.mean_fallback` says:

    score of (u, i) = the prediction
    lift of (u, i) = the prediction - m_i

A popular item has a high score for nearly everybody, but a high lift only for users who are predicted to like
it more than others do.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.graph import Rows, ServingGraph
from igmc.inference.mean_fallback import DAMPING, damped_means
from igmc.inference.user_view import UserView

__all__ = ["LEAST_RATED", "ORDERS", "all_usual_ratings", "little_known", "ranked_by", "usual_ratings"]

ORDERS = ("auto", "score", "lift", "relevance", "blend")  # the choices of `ListConfig.order`
LEAST_RATED = 10  # ratings below which a lift says more about few people than about the item
WELL_KNOWN = 0.2  # fraction of the rated items that are no hidden gems, since everybody knows them

Floats = NDArray[np.floating]


def ranked_by(order: str, view: UserView, items: NDArray[np.int32], predicted: Floats) -> Floats:
    """The values by which n items are ranked for a user, float [n].

    Args:
        order: "score" or "lift".
        view: the user.
        items: int32 [n], dense indices.
        predicted: float [n], not clipped.
    """
    if order == "lift":
        return predicted - usual_ratings(view.known, items, view.scale.values)
    return predicted


def usual_ratings(
    graph: ServingGraph, items: NDArray[np.int32], values: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The usual ratings of n items, float32 [n]: their damped means, or the overall mean without ratings.

    Args:
        graph: the ratings that are known.
        items: int32 [n], dense indices.
        values: float64 [L], the rating that each level stands for.
    """
    return damped_means(graph, values, np.full(len(items), -1, np.int32), items)[0]


def all_usual_ratings(graph: ServingGraph, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """As `usual_ratings`, for all items at once, float64 [n_items]; it reads all ratings."""
    mean = float(graph.level_counts @ values) / max(graph.n_ratings, 1)
    total, count = _sums(graph.by_item, values - mean)
    return mean + total / (count + DAMPING)


def little_known(graph: ServingGraph) -> NDArray[np.bool_]:
    """Which items may be hidden gems, bool [n_items]: at least ten ratings, and not among the best known.

    The best known are the 20% of rated items with most ratings.
    """
    count = graph.by_item.degrees(np.arange(graph.n_items, dtype=np.int32))
    rated = count[count > 0]
    most = np.quantile(rated, 1 - WELL_KNOWN) if len(rated) else 0
    few: NDArray[np.bool_] = (count >= LEAST_RATED) & (count <= most)
    return few


def _sums(rows: Rows, centred: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The sum of what each row's ratings stand for, and how many there are."""
    size = rows.size
    total, count = np.zeros(size), np.zeros(size, np.int64)
    below = len(rows.ptr) - 1
    running = np.concatenate([[0.0], np.cumsum(centred[rows.levels])])
    total[:below] = running[rows.ptr[1:]] - running[rows.ptr[:-1]]
    count[:below] = np.diff(rows.ptr)
    for node in rows.patch.nodes.tolist():
        levels = rows.row(node)[1]
        total[node], count[node] = centred[levels].sum(), len(levels)
    return total, count
