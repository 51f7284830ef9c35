"""How good the lists of a run are that predicts no ratings, beside those of simple models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.evaluation.metrics import evaluate_ranking
from igmc.networks import RankerScorer
from igmc.ranking import Rows, rating_matrix
from igmc.ratings import Split
from igmc.recommenders import Ratings, TrainingData, make_recommender

__all__ = ["LENGTH", "METRICS", "list_quality"]

LENGTH = 10
METRICS = ("ndcg", "recall", "precision")
MOST_USERS = 5000  # whose lists are measured
MOST_ITEMS = 6000  # of which the dense weights of EASE are made

Scores = Callable[[NDArray[np.int32]], NDArray[np.float32]]


def list_quality(split: Split, scorer: RankerScorer) -> dict[str, Any]:
    """NDCG, recall and precision of the first ten unseen items, for users with test items.

    Args:
        split: of the run. Known are its training and validation part.
        scorer: of the run.

    Returns:
        ``users``, how many were asked, spread over all; ``length`` of the lists; and ``models``: by name,
        the ranker's first, the means of `METRICS`.
    """
    table = split.table
    shape = len(table.users), len(table.items)
    known = Ratings.of(table, np.concatenate([split.train, split.validation])).matrix(*shape)
    asked = Ratings.of(table, split.test)
    users = np.unique(asked.user)
    chosen = users[np.linspace(0, len(users) - 1, min(MOST_USERS, len(users))).astype(np.int64)]
    kept = np.isin(asked.user, chosen)
    ones = np.ones(int(kept.sum()), np.float32)
    relevant = Ratings(asked.user[kept], asked.item[kept], ones, asked.timestamp[kept]).matrix(*shape)
    length = min(LENGTH, shape[1])
    found = {}
    for name, scores in {"ranker": _of_ranker(split, scorer), **_references(split)}.items():
        means = evaluate_ranking(scores, known, relevant, [length]).means()
        found[name] = {metric: means[f"{metric}@{length}"] for metric in METRICS}
    return {"users": len(chosen), "length": length, "models": found}


def _of_ranker(split: Split, scorer: RankerScorer) -> Scores:
    rating = rating_matrix(split, np.concatenate([split.train, split.validation]))
    ranker = scorer.ranker(rating)

    def scores(users: NDArray[np.int32]) -> NDArray[np.float32]:
        shown = rating[users]
        seen = shown.copy()
        seen.data = np.ones_like(seen.data)
        return ranker.scores(Rows(seen, shown, users.astype(np.int64)))

    return scores


def _references(split: Split) -> dict[str, Scores]:
    """Simple models fitted to the same ratings; what they choose, they choose on the validation part."""
    data = TrainingData.from_split(split)
    names = {"popularity": "popularity"} | ({"ease": "EASE"} if data.n_items <= MOST_ITEMS else {})
    models = {label: make_recommender(name).fit(data) for name, label in names.items()}
    return {
        label: (model.refit(data) if len(split.validation) else model).scores
        for label, model in models.items()
    }
