"""Explanations of single predictions: the enclosing subgraph and its most important neighbours."""

from __future__ import annotations

import os
from collections.abc import Mapping
from math import inf

import numpy as np

from igmc.argument_types import checked_types
from igmc.config import COVERAGE, ExplainConfig
from igmc.errors import ConfigError, DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import near_ids
from igmc.inference.predictions import Predictions
from igmc.inference.requested_user import requested_user
from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation, Interval
from igmc.networks import NO_NEIGHBOURHOOD, find_network
from igmc.ratings import RawId

__all__ = ["explain"]


@checked_types
def explain(
    run: str | os.PathLike[str] | BasePredictor,
    user_id: RawId | None,
    item_id: RawId,
    *,
    ratings: Mapping[RawId, float] | None = None,
    method: str = "occlusion",
    top: int = 12,
    limit: int = 1000,
    coverage: float = COVERAGE,
    deadline: float = inf,
) -> Explanation:
    """Explain the prediction for a user and an item by the ratings around them.

    A neighbour is as important as the rating that connects it to the pair. The importance of a rating is the
    change of the prediction when it alone is left out; importances do not add up. If each checkpoint reads
    its own sample, importances are means over the checkpoints.

    Args:
        run: folder of a run, or a `Predictor`, which avoids loading the run for each call.
        user_id: a known user or, with `ratings`, a new one; None for a new user without an id.
        item_id: raw id of the item.
        ratings: item id -> rating, of a new user, or in addition to the known ratings of the user.
        method: "occlusion", exact, or "gradient", an estimate to first order; see
            `igmc.networks.rgcn.importance`. Of the neighbours network both are estimates, and "gradient" goes
            by shares that add up to its step from the biases; see `igmc.networks.neighbours.nearest`.
        top: maximum neighbours shown on each side.
        limit: by occlusion, the maximum number of ratings left out in turn; if there are more, those with the
            largest absolute gradient.
        coverage: the probability that the rating lies in the interval around the prediction.
        deadline: on the clock of `time.monotonic`.

    Returns:
        the `top` most important users and items, and the importance of the ratings among them.

    Raises:
        ConfigError: on another method or a number below 1; without a user and ratings.
        DataError: on an unknown item, an unknown user without ratings, or a rating that is not on the scale.
        IgmcError: as `Predictor.from_run`.
        TimeoutError: after the deadline.
    """
    config = ExplainConfig(method=method, top=top, limit=limit, coverage=coverage)
    if user_id is None and ratings is None:
        raise ConfigError("no user to explain for", allowed="a user_id, ratings, or both")
    predictor = run if isinstance(run, BasePredictor) else BasePredictor.from_run(run)
    item = int(predictor.items.encode([item_id])[0])
    if item < 0:
        raise DataError("this item is unknown", got=item_id, remedy=near_ids(predictor.items, item_id))
    view = requested_user(predictor, user_id, ratings)
    found = view.score_indices(np.array([item], np.int32), clip=False, coverage=coverage, deadline=deadline)
    near = NO_NEIGHBOURHOOD
    if str(found.source[0]) == "model":
        network = find_network(predictor.config.network)
        pair = view.known, view.graph, view.user, item
        near = network.neighbourhood(view.scorer, *pair, config, deadline=deadline)
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
        parts=near.parts,
        known=own[0] if own else None,
        levels=tuple(view.scale.shown().tolist()),
        interval=_interval(found, coverage),
    )


def _interval(found: Predictions, coverage: float) -> Interval | None:
    if found.low is None or found.high is None:
        return None
    return Interval(float(found.low[0]), float(found.high[0]), coverage)


def _item(predictor: BasePredictor, item: int) -> ExplainedNode:
    titles = () if predictor.info is None else predictor.info.titles
    return ExplainedNode(predictor.items.ids[item], titles[item] if item < len(titles) else "")
