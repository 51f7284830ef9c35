"""Candidate generation, stage one of a list: the order in which the models score items.

Other users are weighted by their agreement with the user; an item is promising if users with high weights
liked it. For user u, with ratings r as shares of the span of the scale and with n_v and n_i the numbers of
ratings of user v and of item i:

    w_v = sum_j (1 - |r_uj - r_vj|) / sqrt(n_v)                 over the items j that both rated
    s_i = sum_v w_v (r_vi - mean) / (n_i + DAMPING)             over the users v other than u who rated i

For a list by lift, the mean of all ratings is replaced by each item's own damped mean (`lists.orders`): an
item is promising if these users liked it more than others did.

So s is one row of the product of the sparse rating matrix with itself, damped so that items with few ratings
get moderate scores. Items not reached by the product have s_i = 0; ties are broken by the number of ratings,
which is the whole order for a user without ratings.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import kernel
from igmc.graph import Rows, ServingGraph
from igmc.inference.lists.orders import all_usual_ratings
from igmc.inference.mean_fallback import DAMPING

# Numba types its functions itself, at compile time.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators

__all__ = ["candidate_order", "candidate_scores"]

Floats = NDArray[np.float64]


def candidate_scores(
    graph: ServingGraph, user: int, values: Floats, *, budget: int, lift: bool = False
) -> Floats:
    """How promising each item is for a user, float64 [n_items]: s of the module's formula.

    Safe to call from many threads.

    Args:
        graph: the ratings that are known.
        user: dense index.
        values: float64 [L], ascending, the rating that each level stands for.
        budget: how many ratings are read at most in each of the two sums, which bounds the time; it is a
            count so that lists do not depend on the load of the machine. The most informative ratings are
            read first: the user's least rated items, and the users of greatest weight. The first is always
            read.
        lift: compare each item with its own mean.
    """
    span = float(values[-1] - values[0]) or 1.0
    rating = values / span
    mean = float(graph.level_counts @ rating) / max(graph.n_ratings, 1)
    items, levels = graph.by_user.row(user)
    kept = _within(np.argsort(graph.by_item.degrees(items), kind="stable"), items, graph.by_item, budget)
    agreement = 1 - np.abs(rating[levels[kept]][:, None] - rating)  # [items, L]
    weight = _spread(graph.by_item, items[kept], agreement, graph.n_users)
    weight[user] = 0
    users = np.flatnonzero(weight).astype(np.int32)
    weight = weight[users] / np.sqrt(graph.by_user.degrees(users))
    kept = _within(np.argsort(-weight, kind="stable"), users, graph.by_user, budget)
    liking = weight[kept, None] * (rating - mean)  # [users, L]
    total = _spread(graph.by_user, users[kept], liking, graph.n_items)
    if lift:
        usual = all_usual_ratings(graph, values) / span - mean
        said = np.repeat(weight[kept, None], len(values), axis=1)
        total -= usual * _spread(graph.by_user, users[kept], said, graph.n_items)
    scores: Floats = total / (graph.by_item.degrees(np.arange(graph.n_items, dtype=np.int32)) + DAMPING)
    return scores


def candidate_order(
    graph: ServingGraph,
    user: int,
    allowed: NDArray[np.bool_],
    values: Floats,
    *,
    budget: int,
    bottom: bool = False,
    lift: bool = False,
) -> NDArray[np.int32]:
    """The items that are allowed, int32 [n], the most promising first; see `candidate_scores`.

    Args:
        allowed: bool [n_items].
        bottom: the least promising first.
        lift: for a list by lift.
    """
    scores = candidate_scores(graph, user, values, budget=budget, lift=lift)
    items = np.flatnonzero(allowed).astype(np.int32)
    first = scores[items] if bottom else -scores[items]
    return items[np.lexsort((items, -graph.by_item.degrees(items), first))]


def _within(order: NDArray[np.int64], nodes: NDArray[np.int32], rows: Rows, budget: int) -> NDArray[np.int64]:
    """Positions, of the first in an order, whose rows hold no more than the budget; at least one."""
    read = np.cumsum(rows.degrees(nodes[order]))
    return order[: max(1, int(np.searchsorted(read, budget, side="right")))]


def _spread(rows: Rows, nodes: NDArray[np.int32], gain: Floats, size: int) -> Floats:
    """``sum_k gain[k, level of (nodes[k], j)]`` for each j of the other side, float64 [size]."""
    total: Floats = _sums(rows, nodes, np.ascontiguousarray(gain), size)
    return total


@kernel
def _sums(rows, nodes, gain, size):
    """See `_spread`; the ratings are added up in the order of the nodes."""
    ptr, neighbours, levels, patch = rows.ptr, rows.neighbours, rows.levels, rows.patch
    total = np.zeros(size)
    for k in range(len(nodes)):
        at = np.searchsorted(patch.nodes, nodes[k])
        if at < len(patch.nodes) and patch.nodes[at] == nodes[k]:
            for e in range(patch.ptr[at], patch.ptr[at + 1]):
                total[patch.neighbours[e]] += gain[k, patch.levels[e]]
        else:
            for e in range(ptr[nodes[k]], ptr[nodes[k] + 1]):
                total[neighbours[e]] += gain[k, levels[e]]
    return total
