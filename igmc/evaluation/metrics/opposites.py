r"""Whether taste decides what newcomers are shown: the lists of two who rate the same items oppositely.

A pair of newcomers is made of a real user. Of the items with most ratings, four that the user rated highest
above their means are what one of the two likes, and four that the user rated lowest what that one dislikes;
the other one likes and dislikes them the other way round. With :math:`L_p` and :math:`M_p` the lists of K
items that the two of pair p are shown, the eight left out,

.. math:: \mathrm{opposite\_overlap} = \frac{1}{P} \sum_p \frac{|L_p \cap M_p|}{K}.

It is 1 for a model that shows all newcomers the same, such as popularity or biases, and K over the number of
items, nearly 0, for random lists. Low is good only where the lists are good: it says nothing of that.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from igmc.errors import DataError
from igmc.evaluation.metrics.top_k import canonical, checked_lists
from igmc.rng import stream

__all__ = ["SIDE", "Opposites", "draw_opposites", "opposite_overlap"]

PAIRS = 20  # of newcomers
SIDE = 4  # items that a newcomer likes, and as many that he or she dislikes
LEAST = 4 * SIDE  # ratings that a user must have given to much rated items, to have extremes among them

Items = NDArray[np.int32]


class Opposites(NamedTuple):
    """P pairs of newcomers.

    Attributes:
        liked, disliked: int32 [P, 4], what the first of each pair likes and dislikes; the second dislikes
            and likes them.
    """

    liked: Items
    disliked: Items


def draw_opposites(known: sparse.csr_array, seed: int) -> Opposites:
    """Up to 20 pairs of newcomers, each made of another user who rated at least 16 of the most rated items.

    The most rated items are a fifth of all, rounded up; of equally many ratings, those of lower index.

    Args:
        known: [n_users, n_items], the ratings of training.
        seed: of the draw; equal ratings and seeds give equal pairs.
    """
    known = canonical("known", known)
    n = known.shape[1]
    count = np.bincount(known.indices, minlength=n)
    mean = np.bincount(known.indices, known.data.astype(np.float64), n) / np.maximum(count, 1)
    popular = np.zeros(n, np.bool_)
    popular[np.argsort(-count, kind="stable")[: -(-n // 5)]] = True
    asked = popular[known.indices]
    user = np.repeat(np.arange(known.shape[0]), np.diff(known.indptr))[asked]
    item, excess = known.indices[asked], (known.data - mean[known.indices])[asked]
    able = np.flatnonzero(np.bincount(user, minlength=known.shape[0]) >= LEAST)
    chosen = stream(seed, "opposite newcomers").permutation(able)[:PAIRS]
    ranked = [item[user == one][np.argsort(-excess[user == one], kind="stable")] for one in chosen]
    rows = np.array([np.concatenate([one[:SIDE], one[-SIDE:]]) for one in ranked], np.int32)
    rows = rows.reshape(-1, 2 * SIDE)
    return Opposites(rows[:, :SIDE], rows[:, SIDE:])


def opposite_overlap(first: ArrayLike, second: ArrayLike, n_items: int) -> NDArray[np.float64]:
    """The share of the items of both lists of each pair that they have in common, float64 [P].

    Args:
        first, second: int [P, K], distinct items in 0..n_items-1, in any order; K at least 1.
        n_items: how many items there are.

    Raises:
        DataError: on shapes that differ or an item that is out of range.
    """
    one, other = checked_lists(first, n_items), checked_lists(second, n_items)
    if one.shape != other.shape or not one.shape[1]:
        raise DataError(
            "the lists of both newcomers differ in shape", got=other.shape, allowed=str(one.shape)
        )
    shared: NDArray[np.float64] = (one[:, :, None] == other[:, None, :]).sum(axis=(1, 2)) / one.shape[1]
    return shared
