"""Importance of neighbours for the neighbours network, for explanations."""

from __future__ import annotations

import dataclasses
from functools import partial
from math import inf

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExplainConfig
from igmc.graph import ServingGraph
from igmc.loading import Knowledge, of_statistics
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.neighbours.estimates import estimate_without
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.networks.neighbours.shares import neighbour_shares, without_each
from igmc.statistics import DAMPING, NeighbourRows

__all__ = ["nearest_neighbours"]


def nearest_neighbours(
    scorer: NeighbourScorer,
    known: ServingGraph,
    graph: ServingGraph,
    user: int,
    item: int,
    config: ExplainConfig,
    *,
    deadline: float = inf,
) -> Neighbourhood:
    r"""The most important raters of the item and items of the user; importances are in ratings.

    A rating that ties a neighbour to the pair is one of the n that a bias of the pair is made of. Without it
    the bias, and with it the base of the prediction, is lower by :math:`e / (n - 1 + \lambda)`, e being its
    residual (see `igmc.statistics.graph_statistics`). Where an estimate takes the place of the biases, it is
    lower by what it loses when the user is folded in without the rating; vectors of items stay as they are,
    except for those that were folded in too. To this comes what it does in the step from there: by occlusion
    what the step loses without this neighbour alone; by the gradient the neighbour's share of the step, and
    all shares add up to what the neighbours make of it.

    Raises:
        TimeoutError: after the deadline, on the clock of `time.monotonic`.
    """
    knowledge, inputs = scorer.inputs(known, graph, user, item)
    measure = without_each if config.method == "occlusion" else neighbour_shares
    found = measure(scorer.models, inputs, deadline=deadline)
    users, items = inputs.users.node, inputs.items.node
    raters, rater_levels = graph.by_item.row(item)
    rated, rated_levels = graph.by_user.row(user)
    in_base = _in_base(scorer, knowledge, inputs, graph, user, item, deadline)
    by_user, by_item = (
        knowledge.deviation * shares + base
        for shares, base in zip((found.users, found.items), in_base, strict=True)
    )
    of_user = np.argsort(-np.abs(by_user), kind="stable")[: config.top]
    of_item = np.argsort(-np.abs(by_item), kind="stable")[: config.top]
    edges = [
        (place, 0, int(rater_levels[raters == users[k]][0]), float(by_user[k]))
        for place, k in enumerate(of_user.tolist(), start=1)
    ]
    edges += [
        (0, place, int(rated_levels[rated == items[k]][0]), float(by_item[k]))
        for place, k in enumerate(of_item.tolist(), start=1)
    ]
    links = len(users) + len(items)
    return Neighbourhood(
        users=users[of_user].tolist(),
        items=items[of_item].tolist(),
        edges=sorted(edges, key=lambda edge: -abs(edge[3])),
        n_users=len(users) + 1,
        n_items=len(items) + 1,
        n_ratings=links,
        n_considered=links,
        n_links=links,
        parts=_parts(scorer, knowledge, inputs, user, item),
    )


def _in_base(
    scorer: NeighbourScorer,
    knowledge: Knowledge,
    inputs: NeighbourRows,
    graph: ServingGraph,
    user: int,
    item: int,
    deadline: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """What the base of the prediction loses without each of the item's raters, and of the user's items."""
    users, items, unit = inputs.users, inputs.items, knowledge.deviation
    raters, rater_levels = graph.by_item.row(item)
    rated, rated_levels = graph.by_user.row(user)
    if not knowledge.estimates:
        n_raters, n_rated = np.count_nonzero(raters != user), np.count_nonzero(rated != item)
        return (
            unit * users.residual / (n_raters - 1 + DAMPING),
            unit * items.residual / (n_rated - 1 + DAMPING),
        )
    first = knowledge.estimates[0]
    fold = partial(estimate_without, first, user, item, deadline=deadline)
    by_user = np.zeros(len(users.node))
    if np.isin(item, first.items.nodes):  # the item was folded in too
        by_user = fold(raters, scorer.known.values[rater_levels], users.node, side="item")
    return by_user, fold(rated, scorer.known.values[rated_levels], items.node, side="user")


def _parts(
    scorer: NeighbourScorer, knowledge: Knowledge, inputs: NeighbourRows, user: int, item: int
) -> tuple[tuple[str, float], ...]:
    """What the prediction of a pair is the sum of, in ratings."""
    pair = np.array([user], np.int32), np.array([item], np.int32)
    plain = dataclasses.replace(knowledge, estimates=(), dates=None)
    biases = float(plain.read(*pair, cap=1, norms=of_statistics(scorer.norms), threads=1).base[0])
    base, answer = float(inputs.base[0]), float(scorer.answer(knowledge, inputs).mean())
    parts = [("biases of the user and the item", biases)]
    if knowledge.estimates:
        parts.append(("factorization", base - biases))
    return (*parts, ("neighbours", answer - base))
