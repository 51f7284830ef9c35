"""Which neighbours the neighbours network goes by, for an explanation."""

from __future__ import annotations

import dataclasses
from functools import partial
from math import inf

import numpy as np

from igmc.config import ExplainConfig
from igmc.graph import ServingGraph
from igmc.loading import Knowledge
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
    r"""The raters of the item and the items of the user that matter most, in ratings.

    A rating that ties a neighbour to the pair is one of the n that a bias of the pair is made of. Without it
    the bias, and with it the base of the prediction, is lower by :math:`e / (n - 1 + \lambda)`, e being its
    residual (see `igmc.statistics.graph_statistics`). Where an estimate takes the place of the biases, it is
    lower by what it loses when the user is folded in without the rating; vectors of items stay as they are,
    but for those that were folded in too. To this comes what it does in
    the step from there: by occlusion what the step loses without this neighbour alone; by the gradient the
    neighbour's share of the step, and all shares add up to what the neighbours make of it.

    Raises:
        TimeoutError: after the deadline, on the clock of `time.monotonic`.
    """
    knowledge, inputs = scorer.inputs(known, graph, user, item)
    measure = without_each if config.method == "occlusion" else neighbour_shares
    found = measure(scorer.models, inputs, deadline=deadline)
    users, items = inputs.users.node, inputs.items.node
    raters, rater_levels = graph.by_item.row(item)
    rated, rated_levels = graph.by_user.row(user)
    unit = knowledge.deviation
    if knowledge.estimates:
        fold = partial(estimate_without, knowledge.estimates[0], user, item, deadline=deadline)
        folded_in = bool(np.isin(item, knowledge.estimates[0].items.nodes))
        in_base = (
            fold(raters, scorer.values[rater_levels], users, side="item")
            if folded_in
            else np.zeros(len(users)),
            fold(rated, scorer.values[rated_levels], items, side="user"),
        )
    else:
        n_raters, n_rated = np.count_nonzero(raters != user), np.count_nonzero(rated != item)
        in_base = (
            unit * inputs.users.residual / (n_raters - 1 + DAMPING),
            unit * inputs.items.residual / (n_rated - 1 + DAMPING),
        )
    by_user, by_item = unit * found.users + in_base[0], unit * found.items + in_base[1]
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


def _parts(
    scorer: NeighbourScorer, knowledge: Knowledge, inputs: NeighbourRows, user: int, item: int
) -> tuple[tuple[str, float], ...]:
    """What the prediction of a pair is the sum of, in ratings."""
    pair = np.array([user], np.int32), np.array([item], np.int32)
    plain = dataclasses.replace(knowledge, estimates=())
    biases = float(plain.read(*pair, cap=1, norms=scorer.norms, threads=1).base[0])
    base, answer = float(inputs.base[0]), float(scorer.answer(knowledge, inputs).mean())
    parts = [("biases of the user and the item", biases)]
    if knowledge.estimates:
        parts.append(("factorization", base - biases))
    return (*parts, ("neighbours", answer - base))
