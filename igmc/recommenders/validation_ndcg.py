"""How well a model ranks the items of the validation part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.recommenders.training_data import TrainingData

__all__ = ["validation_lists", "validation_ndcg"]

Scores = Callable[[NDArray[np.int64]], NDArray[np.float32]]

CHUNK = 512  # users ranked at once
MOST_USERS = 2000  # of more, evenly spaced ones are taken: it is done after each epoch


def validation_ndcg(scores: Scores, data: TrainingData, k: int = 20) -> float:
    """Mean NDCG@k of the users' validation items; see `validation_lists`."""
    return validation_lists(scores, data, k)["validation_ndcg"]


def validation_lists(scores: Scores, data: TrainingData, k: int = 20) -> dict[str, float]:
    """Mean NDCG@k, precision@k and recall@k of validation items among all items but those in training.

    Gains are 0 or 1. The names are those of training records: "validation_ndcg", first, by which the epoch
    is chosen, "validation_precision" and "validation_recall".

    Args:
        scores: from user indices, int64 [U], to scores, float32 [U, n_items], such as `Recommender.scores`.
        data: with at least one validation rating.
        k: length of the list, at least 1.
    """
    length = min(k, data.n_items)
    seen, wanted = data.matrix(), data.validation.matrix(data.n_users, data.n_items)
    asked = np.flatnonzero(np.diff(wanted.indptr))
    if len(asked) > MOST_USERS:
        asked = asked[np.linspace(0, len(asked) - 1, MOST_USERS).astype(np.int64)]
    discount = 1.0 / np.log2(np.arange(2, length + 2))
    ideal = np.cumsum(discount)
    totals = np.zeros(3)
    for users in np.array_split(asked, -(-len(asked) // CHUNK)):
        found = np.array(scores(users), np.float32)
        found[_places(seen, users)] = -np.inf
        relevant = np.zeros(found.shape, np.bool_)
        relevant[_places(wanted, users)] = True
        top = np.argpartition(-found, length - 1, axis=1)[:, :length]
        order = np.argsort(-np.take_along_axis(found, top, axis=1), axis=1, kind="stable")
        hits = np.take_along_axis(relevant, np.take_along_axis(top, order, axis=1), axis=1)
        all_relevant = relevant.sum(axis=1)
        totals += [
            np.sum(hits @ discount / ideal[np.minimum(all_relevant, length) - 1]),
            np.sum(hits) / k,
            np.sum(hits.sum(axis=1) / all_relevant),
        ]
    names = ("validation_ndcg", "validation_precision", "validation_recall")
    return dict(zip(names, (totals / len(asked)).tolist(), strict=True))


def _places(
    matrix: sparse.csr_array, users: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Row (its position in `users`) and column of all that is stored in some rows."""
    part = matrix[users]
    return np.repeat(np.arange(len(users)), np.diff(part.indptr)), part.indices
