"""The predictions for pairs: by the models, or by a damped mean where a pair has no neighbourhood."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.graph import ServingGraph
from igmc.inference.mean_fallback import damped_means, has_neighbourhood
from igmc.networks import AnyScorer
from igmc.ratings import RatingScale

__all__ = ["Predictions", "predict_pairs"]


class Predictions(NamedTuple):
    """Scores of P pairs and how they came about.

    Attributes:
        score: float32 [P].
        source: [P] texts. "model": read off the pair's subgraph. "user mean", "item mean" or "global mean":
            there was none, since the user or the item is not known or has no rating besides the pair's own;
            the mean is damped as `igmc.inference.mean_fallback` says.
    """

    score: NDArray[np.float32]
    source: NDArray[np.str_]


def predict_pairs(
    scorer: AnyScorer,
    scale: RatingScale,
    graph: ServingGraph,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    *,
    clip: bool,
    fallback: bool = True,
    known: ServingGraph | None = None,
    deadline: float = inf,
) -> Predictions:
    """The mean prediction of the models for P pairs; damped means where there is nothing to read off.

    Args:
        scorer: the models.
        scale: of the ratings.
        graph: the ratings that are known.
        user, item: int32 [P], dense indices; -1 for one that is not known at all.
        clip: move scores beyond the ends of the scale to the nearer end.
        fallback: if not, the models are asked wherever both indices are known.
        known: where all pairs are of one user, the ratings that the user's lie over; see `score_user` of the
            scorers.
        deadline: on the clock of `time.monotonic`; see `AnyScorer.score`.

    Raises:
        TimeoutError: after the deadline.
    """
    by_model = has_neighbourhood(graph, user, item) if fallback else (user >= 0) & (item >= 0)
    score = np.empty(len(user), np.float32)
    source = np.full(len(user), "model", dtype="<U11")
    users, items = user[by_model], item[by_model]
    if known is None or not len(users):
        found = scorer.score(graph, users, items, deadline=deadline)
    else:
        found = scorer.score_user(known, graph, int(users[0]), items, deadline=deadline)
    score[by_model] = found.mean(axis=0)
    rest = ~by_model
    score[rest], source[rest] = damped_means(graph, scale.values, user[rest], item[rest])
    return Predictions(scale.clip(score) if clip else score, source)
