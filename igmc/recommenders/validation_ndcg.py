"""How well a model ranks the items of the validation part."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.recommenders.training_data import TrainingData

__all__ = ["validation_ndcg"]

CHUNK = 512  # users ranked at once
MOST_USERS = 2000  # of more, evenly spaced ones are taken: it is done after each epoch


def validation_ndcg(
    scores: Callable[[NDArray[np.int64]], NDArray[np.float32]], data: TrainingData, k: int = 20
) -> float:
    """Mean NDCG@k of the users' validation items among all items but those in training; gains are 0 or 1.

    Args:
        scores: from user indices, int64 [U], to scores, float32 [U, n_items], such as `Recommender.scores`.
        data: with at least one validation rating.
        k: length of the list, at least 1.
    """
    k = min(k, data.n_items)
    seen, wanted = data.matrix(), data.validation.matrix(data.n_users, data.n_items)
    asked = np.flatnonzero(np.diff(wanted.indptr))
    if len(asked) > MOST_USERS:
        asked = asked[np.linspace(0, len(asked) - 1, MOST_USERS).astype(np.int64)]
    discount = 1.0 / np.log2(np.arange(2, k + 2))
    ideal = np.cumsum(discount)
    total = 0.0
    for users in np.array_split(asked, -(-len(asked) // CHUNK)):
        found = np.array(scores(users), np.float32)
        found[_places(seen, users)] = -np.inf
        hits = np.zeros(found.shape, np.bool_)
        hits[_places(wanted, users)] = True
        top = np.argpartition(-found, k - 1, axis=1)[:, :k]
        order = np.argsort(-np.take_along_axis(found, top, axis=1), axis=1, kind="stable")
        gained = np.take_along_axis(hits, np.take_along_axis(top, order, axis=1), axis=1) @ discount
        total += float(np.sum(gained / ideal[np.minimum(hits.sum(axis=1), k) - 1]))
    return total / len(asked)


def _places(
    matrix: sparse.csr_array, users: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Row (its position in `users`) and column of all that is stored in some rows."""
    part = matrix[users]
    return np.repeat(np.arange(len(users)), np.diff(part.indptr)), part.indices
