"""The attention of a GAT on the neighbours of an explained pair, to be drawn beside what matters to IGMC."""

from __future__ import annotations

import dataclasses

import numpy as np

from igmc.errors import DataError
from igmc.inference.why import ExplainedEdge, Explanation
from igmc.plots import SubgraphPanel, explanation_panel
from igmc.ratings import IdTable
from igmc.recommenders.graph.gat import GAT

__all__ = ["attention_panel"]


def attention_panel(
    explanation: Explanation, model: GAT, users: IdTable, items: IdTable, *, title: str = "attention of GAT"
) -> SubgraphPanel:
    """The same neighbours and ratings, each as wide as the last layer of a GAT attends to it.

    For what the user rated it is the weight of the item in the mean of the user; for the ratings of the item,
    that of the rater in the mean of the item; for the ratings between neighbours, the mean of both
    directions. Weights are means over the heads, and relative to an even share: times the number of known
    ratings of the node that attends, so that 1 is what each would have if all had the same. Ratings that the
    model does not know are left out.

    Args:
        explanation: whose neighbours are shown.
        model: fitted to ratings with the same dense indices.
        users, items: the raw ids that stand for these indices.
        title: of the panel.

    Raises:
        DataError: if the model has other users or items, or knows none of the ratings.
    """
    if (model.n_users, model.n_items) != (len(users), len(items)):
        raise DataError(
            "the attention comes from a model of other users or items",
            got=f"{model.n_users} users, {model.n_items} items",
            allowed=f"{len(users)} users, {len(items)} items",
            remedy="fit the model to the training part of the run's split",
        )
    found = model.attention()
    shown = (explanation.users, explanation.items)
    ids = [[node.id if node.id is not None else -1 for node in side] for side in shown]
    user, item = users.encode(ids[0]), items.encode(ids[1])
    among = np.flatnonzero(np.isin(found.user, user[user >= 0]) & np.isin(found.item, item[item >= 0]))
    to_user, to_item = (
        side[-1].mean(axis=1) * np.bincount(node)[node]
        for side, node in ((found.to_user, found.user), (found.to_item, found.item))
    )
    row = {(int(found.user[k]), int(found.item[k])): k for k in among.tolist()}
    edges: list[ExplainedEdge] = []
    for edge in explanation.edges:
        at = row.get((int(user[edge.user]), int(item[edge.item])))
        if at is not None:
            both = (float(to_user[at]), float(to_item[at]))
            weight = both[0] if edge.user == 0 else both[1] if edge.item == 0 else sum(both) / 2
            edges.append(dataclasses.replace(edge, importance=weight))
    if not edges:
        raise DataError(
            "the model knows none of the ratings of this explanation",
            remedy="fit it to the ratings of the run; it cannot know a newcomer's ratings",
        )
    panel = explanation_panel(explanation, title)
    return dataclasses.replace(panel, edges=tuple(edges), score=None, measure="attention (1: an even share)")
