"""What the network learns from: ratings that the closed forms have not seen.

In each fold a fraction of each user's ratings is hidden, and some users are strangers: all their ratings are
hidden from the statistics, and they show a few of them, as newcomers do. What is hidden is asked. Without
that, item-item weights would know the answers, and the network would trust what is only remembered.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.config import RankerConfig
from igmc.ranking.closed_forms import Rows
from igmc.rng import stream

__all__ = ["Fold", "draw_fold"]

MOST_SHOWN = 100  # ratings of a stranger
MOST_USERS = 3000  # asked in a fold
EQUAL = 1e-4  # by which a mean of equal ratings may be off


class Fold(NamedTuple):
    """One fold.

    Attributes:
        known: the ratings that statistics are made of, [n_users, n_items].
        rows: what the users who are asked show.
        asked: bool of what is to come first, csr [B, n_items], disjoint from what they show; with the target
            "rated" some in each row.
    """

    known: sparse.csr_array
    rows: Rows
    asked: sparse.csr_array


def draw_fold(rating: sparse.csr_array, config: RankerConfig, seed: int, fold: int) -> Fold:
    """Hide ratings.

    Args:
        rating: all that may be known, float32 [n_users, n_items], a row at least with two ratings.
        config: how much is hidden.
        seed: of the draw; fold: its number, from 0.
    """
    rng = stream(seed, "ranker", "fold", fold)
    n_users = rating.shape[0]
    size = np.diff(rating.indptr)
    user = np.repeat(np.arange(n_users), size)
    stranger = rng.random(n_users) < config.newcomers
    most = np.minimum(size - 1, MOST_SHOWN)
    shown = np.exp(rng.random(n_users) * np.log(np.maximum(most, 1) + 1)).astype(np.int64)
    hidden = np.maximum(np.rint(config.hidden * size).astype(np.int64), 1)
    keeps = np.where(stranger, np.minimum(shown, most), size - hidden)
    shows = _places(rating, user, rng) < keeps[user]
    learns = shows & ~stranger[user]
    able = np.flatnonzero((size >= 2) & (keeps >= 1))
    users = np.sort(rng.permutation(able)[:MOST_USERS])
    show = _part(rating, user, shows)[users]
    seen = show.copy()
    seen.data = np.ones_like(seen.data)
    own = np.where(stranger[users], -1, users)
    asked = _part(rating, user, ~shows)[users]
    if config.target == "liked":
        asked = _liked(asked, rating[users])
    asked.data = np.ones_like(asked.data)  # a rating of 0 is one too
    return Fold(_part(rating, user, learns), Rows(seen, show, own), asked)


def _liked(asked: sparse.csr_array, rating: sparse.csr_array) -> sparse.csr_array:
    """What is asked and not rated below the mean of its user's ratings, [B, n_items]."""
    mean = np.asarray(rating.sum(axis=1), np.float64).ravel() / np.diff(rating.indptr)
    row = np.repeat(np.arange(len(mean)), np.diff(asked.indptr))
    return _part(asked, row, asked.data >= mean[row] - EQUAL)


def _places(rating: sparse.csr_array, user: NDArray[np.int64], rng: np.random.Generator) -> NDArray[np.int64]:
    """The place of each rating in a random order of its user's, from 0, int64 [n]."""
    order = np.lexsort((rng.random(rating.nnz), user))
    places = np.empty(rating.nnz, np.int64)
    places[order] = np.arange(rating.nnz) - rating.indptr[user[order]]
    return places


def _part(rating: sparse.csr_array, user: NDArray[np.int64], mask: NDArray[np.bool_]) -> sparse.csr_array:
    """Some of the stored ratings."""
    pointer = np.concatenate([[0], np.cumsum(np.bincount(user[mask], minlength=rating.shape[0]))])
    return sparse.csr_array((rating.data[mask], rating.indices[mask], pointer), shape=rating.shape)
