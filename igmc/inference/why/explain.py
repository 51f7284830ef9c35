"""Explanations of single predictions: the enclosing subgraph, and the neighbours that matter most in it."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExplainConfig
from igmc.errors import ConfigError, DataError
from igmc.inference.id_encoding import near_ids
from igmc.inference.neighbour_scoring import NeighbourScorer
from igmc.inference.predictor import Predictor
from igmc.inference.requested_user import requested_user
from igmc.inference.scoring import Scorer
from igmc.inference.user_view import UserView
from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation
from igmc.inference.why.importance import edge_users, gradients, occlusion
from igmc.inference.why.nearest_neighbours import nearest_neighbours
from igmc.inference.why.neighbourhood import NO_NEIGHBOURHOOD, Neighbourhood
from igmc.ratings import RawId

__all__ = ["explain"]


def explain(
    run: str | Path | Predictor,
    user_id: RawId | None,
    item_id: RawId,
    *,
    ratings: Mapping[RawId, float] | None = None,
    method: str = "occlusion",
    top: int = 12,
    limit: int = 1000,
    deadline: float = inf,
) -> Explanation:
    """Why a user is predicted to give an item what the model says, by the ratings around the two.

    A neighbour matters as much as the rating that ties it to the pair: a user by what he or she gave the
    item, an item by what the user gave it. The importance of every rating is the change in the prediction
    when it is left out, alone; the importances of several do not add up. Where each checkpoint reads a sample
    of its own, what is shown comes from all of them, and a rating counts by the mean over the checkpoints.

    Args:
        run: folder of a run; or, since loading takes longer than predicting, a `Predictor` made of it.
        user_id: a known user, or, with `ratings`, a new one, who needs no id.
        item_id: raw id of the item.
        ratings: item id -> rating, of a new user, or besides those that are known of the user.
        method: "occlusion", exact, or "gradient", an estimate to first order; see
            `igmc.inference.why.importance`. Of the neighbours network both are estimates, and "gradient" goes
            by shares that add up to its step from the biases; see `igmc.inference.why.nearest_neighbours`.
        top: neighbours shown, at most, on each side.
        limit: by occlusion, how many ratings that tie neighbours to the pair are left out in turn, at most;
            where there are more, those with the largest gradient, by absolute value.
        deadline: on the clock of `time.monotonic`.

    Returns:
        the `top` users and items that matter most, and the importance of the ratings among them.

    Raises:
        ConfigError: on another method or a number below 1; without a user and ratings.
        DataError: on an item, or a rated item, that the run does not know, or a user it does not know and
            whose ratings are not given; on a rating that is not on the scale.
        IgmcError: as `Predictor.from_run`.
        TimeoutError: after the deadline.
    """
    config = ExplainConfig(method=method, top=top, limit=limit)
    if user_id is None and ratings is None:
        raise ConfigError("nobody is named to explain for", allowed="a user_id, ratings, or both")
    predictor = run if isinstance(run, Predictor) else Predictor.from_run(run)
    item = int(predictor.items.encode([item_id])[0])
    if item < 0:
        raise DataError("the run knows no such item", got=item_id, remedy=near_ids(predictor.items, item_id))
    view = requested_user(predictor, user_id, ratings)
    found = view.score_indices(np.array([item], np.int32), clip=False, deadline=deadline)
    by_model = str(found.source[0]) == "model"
    near = NO_NEIGHBOURHOOD
    if by_model and isinstance(view.scorer, NeighbourScorer):
        near = nearest_neighbours(view, view.scorer, item, config)
    elif by_model and isinstance(view.scorer, Scorer):
        near = _neighbourhood(view, view.scorer, item, config, deadline)
    rated, levels = view.graph.by_user.row(view.user)
    own = view.scale.values[levels[rated == item]].tolist()
    return Explanation(
        score=float(view.scale.clip(found.score)[0]),
        prediction=float(found.score[0]),
        source=str(found.source[0]),
        method=config.method,
        users=(ExplainedNode(user_id), *(ExplainedNode(predictor.users.ids[k]) for k in near.users)),
        items=tuple(_item(predictor, k) for k in (item, *near.items)),
        edges=tuple(
            ExplainedEdge(user, item, float(view.scale.values[level]), importance)
            for user, item, level, importance in near.edges
        ),
        n_users=near.n_users,
        n_items=near.n_items,
        n_ratings=near.n_ratings,
        n_considered=near.n_considered,
        n_links=near.n_links,
        known=own[0] if own else None,
        levels=tuple(view.scale.values.tolist()),
    )


def _neighbourhood(
    view: UserView, scorer: Scorer, item: int, config: ExplainConfig, deadline: float
) -> Neighbourhood:
    near = _Samples(view, scorer, item)
    user, rated = near.user, near.item
    links = np.flatnonzero((user == view.user) | (rated == item))
    exact = config.method == "occlusion"
    considered = links
    if not exact or len(links) > config.limit:
        importance = near.gradients()
        if exact:
            considered = np.sort(_largest(importance, links)[: config.limit])
    if exact:
        importance = near.occlusion(considered, deadline)
    ranked = _largest(importance, considered)
    users = np.append(view.user, user[ranked[rated[ranked] == item]][: config.top])
    items = np.append(item, rated[ranked[user[ranked] == view.user]][: config.top])
    shown = np.flatnonzero(np.isin(user, users) & np.isin(rated, items))
    if exact:
        importance += near.occlusion(np.setdiff1d(shown, considered), deadline)
    at_user, at_item = np.argsort(users), np.argsort(items)  # positions in ascending order of nodes
    shown = _largest(importance, shown)
    return Neighbourhood(
        users[1:].tolist(),
        items[1:].tolist(),
        list(
            zip(
                at_user[np.searchsorted(users[at_user], user[shown])].tolist(),
                at_item[np.searchsorted(items[at_item], rated[shown])].tolist(),
                near.level[shown].tolist(),
                importance[shown].tolist(),
                strict=True,
            )
        ),
        near.n_users,
        near.n_items,
        len(user),
        len(considered),
        len(links),
    )


class _Samples:
    """The ratings of all samples of one pair's subgraph that are read, each rating once, E in all.

    What a rating matters is the mean over the models, and nothing to those that do not read it.

    Attributes:
        user, item: int32 [E], dense indices, ascending.
        level: uint8 [E].
        n_users, n_items: nodes, the pair itself among them.
    """

    def __init__(self, view: UserView, scorer: Scorer, item: int) -> None:
        cut = scorer.cut(view.graph, [view.user], [item])
        readers = [scorer] if len(cut) == 1 else [scorer.only(k) for k in range(len(cut))]
        self._samples = list(zip(readers, cut, strict=True))
        users = np.concatenate([one.user_id[edge_users(one)] for one in cut])
        items = np.concatenate([one.item_id[one.edge_item] for one in cut])
        pairs = users.astype(np.int64) << 32 | items
        _, first, place = np.unique(pairs, return_index=True, return_inverse=True)
        self.user, self.item = users[first], items[first]
        self.level = np.concatenate([one.edge_level for one in cut])[first]
        self._places = np.split(place, np.cumsum([one.n_edges for one in cut])[:-1])
        self.n_users = len(np.unique(np.concatenate([one.user_id for one in cut])))
        self.n_items = len(np.unique(np.concatenate([one.item_id for one in cut])))

    def gradients(self) -> NDArray[np.float32]:
        """See `igmc.inference.why.importance.gradients`, float32 [E]."""
        total = np.zeros(len(self.user), np.float32)
        for (reader, subgraph), place in zip(self._samples, self._places, strict=True):
            total[place] += gradients(reader, subgraph)
        return total / np.float32(len(self._samples))

    def occlusion(self, edges: NDArray[np.int64], deadline: float) -> NDArray[np.float32]:
        """See `igmc.inference.why.importance.occlusion`, float32 [E]; 0 for all but these ratings."""
        total = np.zeros(len(self.user), np.float32)
        for (reader, subgraph), place in zip(self._samples, self._places, strict=True):
            there = np.flatnonzero(np.isin(place, edges))
            if len(there):
                total[place[there]] += occlusion(reader, subgraph, there, deadline=deadline)
        return total / np.float32(len(self._samples))


def _largest(importance: NDArray[np.float32], edges: NDArray[np.int64]) -> NDArray[np.int64]:
    """The edges by falling absolute importance; equal ones by user and item."""
    return edges[np.argsort(-np.abs(importance[edges]), kind="stable")]


def _item(predictor: Predictor, item: int) -> ExplainedNode:
    titles = () if predictor.info is None else predictor.info.titles
    return ExplainedNode(predictor.items.ids[item], titles[item] if item < len(titles) else "")
