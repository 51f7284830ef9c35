"""Diverse lists: each item is good, and unlike those before it.

Maximal marginal relevance (Carbonell & Goldstein, SIGIR 1998): with the value v_i of an item moved to 0..1
over the items to choose from, and S those that were chosen already, the next one is

    argmax_i (1 - diversity) v_i - diversity max_{j in S} likeness_ij

The likeness of two items is the mean of two that are 0..1: the cosine between the sets of their raters, and
the share of genres in common (Jaccard). If genres are unknown, only the former is used.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.graph import ServingGraph
from igmc.inference.item_info import ItemInfo

__all__ = ["diverse", "likeness"]

MOST_RATERS = 500_000  # ratings that are compared at most; beyond, every other user is passed over, and so on

Floats = NDArray[np.floating]


def diverse(value: Floats, alike: Floats, k: int, diversity: float) -> NDArray[np.int64]:
    """Positions of k of n items, int64 [min(k, n)], the first of the list first.

    Args:
        value: float [n], the larger the better; the best comes first in any case.
        alike: float [n, n], within 0..1; see `likeness`.
        k: length of the list.
        diversity: 0 for the best k, 1 for the k that have least in common.
    """
    span = float(np.ptp(value)) if len(value) else 0.0
    worth = (value - value.min()) / span if span else np.ones(len(value))
    left, nearest = np.ones(len(value), bool), np.zeros(len(value))
    chosen: list[int] = []
    while len(chosen) < min(k, len(value)):
        gain = worth if not chosen else (1 - diversity) * worth - diversity * nearest
        best = int(np.argmax(np.where(left, gain, -np.inf)))
        chosen.append(best)
        left[best] = False
        nearest = np.maximum(nearest, alike[best])
    return np.array(chosen, np.int64)


def likeness(graph: ServingGraph, info: ItemInfo | None, items: NDArray[np.int32]) -> NDArray[np.float64]:
    """The similarity of n items, float64 [n, n], within 0..1, 1 for an item and itself.

    Args:
        graph: the ratings that are known.
        info: their genres; those that came later have none.
        items: int32 [n], dense indices.
    """
    raters = _cosine(graph, items)
    if info is None or not info.genre_names:
        return raters
    return (raters + _jaccard(info, items)) / 2


def _cosine(graph: ServingGraph, items: NDArray[np.int32]) -> NDArray[np.float64]:
    from scipy.sparse import csr_array

    rows = [graph.by_item.row(item)[0] for item in items.tolist()]
    apart = max(1, sum(map(len, rows)) // MOST_RATERS)
    kept = [row[row % apart == 0] for row in rows]
    ptr = np.concatenate([[0], np.cumsum([len(row) for row in kept])])
    user = np.concatenate([np.empty(0, np.int32), *kept])
    who = csr_array((np.ones(len(user)), user, ptr), shape=(len(items), graph.n_users))
    both = (who @ who.T).toarray()
    size = np.sqrt(np.outer(both.diagonal(), both.diagonal()))
    found: NDArray[np.float64] = np.divide(both, size, out=np.eye(len(items)), where=size > 0)
    return found


def _jaccard(info: ItemInfo, items: NDArray[np.int32]) -> NDArray[np.float64]:
    place = {name: at for at, name in enumerate(info.genre_names)}
    has = np.zeros((len(items), len(place)))
    for at, item in enumerate(items.tolist()):
        for word in info.genres[item].split("|") if item < len(info.genres) else ():
            if word:
                has[at, place[word]] = 1
    both = has @ has.T
    count = has.sum(axis=1)
    either = count[:, None] + count - both
    shared: NDArray[np.float64] = np.divide(both, either, out=np.eye(len(items)), where=either > 0)
    return shared
