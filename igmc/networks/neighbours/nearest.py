"""Which neighbours the neighbours network goes by, for an explanation."""

from __future__ import annotations

import numpy as np

from igmc.config import ExplainConfig
from igmc.graph import ServingGraph
from igmc.networks.neighbourhood import Neighbourhood
from igmc.networks.neighbours.scoring import NeighbourScorer
from igmc.networks.neighbours.shares import neighbour_shares, without_each

__all__ = ["nearest_neighbours"]


def nearest_neighbours(
    scorer: NeighbourScorer,
    known: ServingGraph,
    graph: ServingGraph,
    user: int,
    item: int,
    config: ExplainConfig,
) -> Neighbourhood:
    """The raters of the item and the items of the user that matter most, in ratings.

    By occlusion a neighbour matters by what the prediction loses without it alone; by the gradient, by its
    share of the step from the biases, and all shares add up to what the neighbours make of it.
    """
    statistics, inputs = scorer.inputs(known, graph, user, item)
    measure = without_each if config.method == "occlusion" else neighbour_shares
    found = measure(scorer.models, inputs)
    users, items = inputs.users.node, inputs.items.node
    of_user = np.argsort(-np.abs(found.users), kind="stable")[: config.top]
    of_item = np.argsort(-np.abs(found.items), kind="stable")[: config.top]
    raters, rater_levels = graph.by_item.row(item)
    rated, rated_levels = graph.by_user.row(user)
    edges = [
        (place, 0, int(rater_levels[raters == users[k]][0]), float(statistics.deviation * found.users[k]))
        for place, k in enumerate(of_user.tolist(), start=1)
    ]
    edges += [
        (0, place, int(rated_levels[rated == items[k]][0]), float(statistics.deviation * found.items[k]))
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
    )
