"""What users and items are given to a graph neural network as, instead of learned ids or beside them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.ratings import UNKNOWN_TIME, info_features
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.rng import stream

__all__ = ["NodeFeatures", "reduced"]

Floats = NDArray[np.float32]
HOUR, DAY = 3600, 86_400  # seconds
THURSDAY = 3  # the weekday of 1970-01-01, where Monday is 0
DAMPING = 5.0  # number of pseudo-ratings at the global mean added to each mean
SPREAD_FLOOR = 1e-6
FAR = 3.0  # standard deviations


@dataclass
class NodeFeatures:
    """Features of all users and all items.

    What does not follow from ratings is kept: age, gender and occupation of users; year and genres of items,
    and their tags, weighted by ``log(1 + count) * log((1 + n_items) / items that have the tag)`` and each
    item's scaled to length 1, and tag genome, each reduced by a truncated SVD. What follows from ratings is
    computed from those given: mean (shrunk to the mean of all training ratings), logarithm of the count, and
    variance of a user's or an item's ratings, and the shares of a user's ratings in each hour of the day
    (UTC) and on each weekday.

    All numbers are standardized by what was known in training, so that features of new users are comparable.
    Statistics further than 3 standard deviations from the mean count as 3, and of whom there is no rating as
    the mean.

    Attributes:
        fixed: ``user`` float32 [n_users, F] and ``item`` [n_items, G].
        center, spread: of the statistics of ``user`` [34] and ``item`` [3] in training, float64.
        mean: of the training ratings.
    """

    fixed: dict[str, Floats]
    mean: float
    center: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    spread: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def fit(cls, data: TrainingData, tag_rank: int, seed: int) -> NodeFeatures:
        """Features by the training ratings alone.

        Args:
            data: whose validation ratings are not looked at.
            tag_rank: width to which tags, and the tag genome, are reduced.
            seed: of the start of the SVD.
        """
        item = [info_features(data.item_info, data.n_items)]
        if data.item_tags is not None:
            for name, tags in sorted(data.item_tags().items()):
                item.append(reduced(_weighted(tags) if name == "tags" else tags, tag_rank, seed))
        fixed = {"user": info_features(data.user_info, data.n_users), "item": np.concatenate(item, axis=1)}
        features = cls(fixed, float(data.train.rating.mean(dtype=np.float64)))
        for side, values in features._statistics(data.train).items():
            known = np.isin(np.arange(len(values)), getattr(data.train, side))
            features.center[side] = values[known].mean(axis=0)
            features.spread[side] = values[known].std(axis=0)
        return features

    def of(self, known: Ratings) -> dict[str, Floats]:
        """The features that follow from these ratings: ``user`` [n_users, F], ``item`` [n_items, G]."""
        return {
            side: np.concatenate([self.fixed[side], self._standardized(side, values, known)], axis=1)
            for side, values in self._statistics(known).items()
        }

    def state(self) -> dict[str, Any]:
        """What makes it anew, by ``NodeFeatures(**state)``."""
        return {"fixed": self.fixed, "mean": self.mean, "center": self.center, "spread": self.spread}

    def _standardized(self, side: str, values: NDArray[np.float64], known: Ratings) -> Floats:
        spread = self.spread[side]
        scaled = (values - self.center[side]) / np.where(spread > SPREAD_FLOOR, spread, 1.0)
        rated = np.isin(np.arange(len(values)), getattr(known, side))[:, None]
        scaled = np.where(rated & (spread > SPREAD_FLOOR), np.clip(scaled, -FAR, FAR), 0.0)
        return scaled.astype(np.float32)

    def _statistics(self, known: Ratings) -> dict[str, NDArray[np.float64]]:
        sizes = {side: len(fixed) for side, fixed in self.fixed.items()}
        columns = {
            side: _moments(getattr(known, side), known.rating, n, self.mean) for side, n in sizes.items()
        }
        timed = known.timestamp != UNKNOWN_TIME
        user, time = known.user[timed], known.timestamp[timed]
        hours = _profile(user, time // HOUR % 24, sizes["user"], 24)
        weekdays = _profile(user, (time // DAY + THURSDAY) % 7, sizes["user"], 7)
        return {**columns, "user": np.concatenate([columns["user"], hours, weekdays], axis=1)}


def reduced(matrix: sparse.csr_array, rank: int, seed: int) -> Floats:
    """The left singular vectors times the singular values of a matrix, float32 [rows, at most rank].

    The largest come first; their signs are such that the entry of largest size in each is positive. The
    whole is scaled to a mean square of 1 over the rows that are not empty.

    Args:
        matrix: [rows, columns].
        rank: at least 1; less is returned if the matrix is smaller, and nothing of an empty one.
        seed: of the start of the iteration.
    """
    from scipy.sparse.linalg import svds

    rank = min(rank, min(matrix.shape) - 1)
    if rank < 1 or not matrix.nnz:
        return np.zeros((matrix.shape[0], 0), np.float32)
    start = stream(seed, "svd").standard_normal(min(matrix.shape))
    left, values, _ = svds(matrix.astype(np.float64), k=rank, v0=start)
    product = (left * values)[:, ::-1]
    product = product * np.sign(product[np.abs(product).argmax(axis=0), np.arange(rank)])
    filled = np.diff(matrix.indptr) > 0
    made: Floats = (product / max(np.sqrt(np.mean(product[filled] ** 2)), SPREAD_FLOOR)).astype(np.float32)
    return made


def _weighted(tags: sparse.csr_array) -> sparse.csr_array:
    """Counts of tags, so that frequent ones and repetitions count for less; rows get length 1."""
    holders = np.bincount(tags.indices, minlength=tags.shape[1])
    weight = np.log1p(tags.data) * np.log((1 + tags.shape[0]) / holders[tags.indices])
    row = np.repeat(np.arange(tags.shape[0]), np.diff(tags.indptr))
    length = np.sqrt(np.bincount(row, weight**2, tags.shape[0]))
    return sparse.csr_array((weight / length[row], tags.indices, tags.indptr), shape=tags.shape)


def _moments(index: NDArray[np.int32], rating: Floats, size: int, mean: float) -> NDArray[np.float64]:
    """Shrunk mean, log(1 + count) and variance of the ratings of each index, [size, 3]."""
    count = np.bincount(index, minlength=size)
    excess = rating.astype(np.float64) - mean
    total = np.bincount(index, excess, size)
    average = total / np.maximum(count, 1)
    variance = np.bincount(index, (excess - average[index]) ** 2, size) / np.maximum(count, 1)
    return np.stack([total / (count + DAMPING), np.log1p(count), variance], axis=1)


def _profile(user: NDArray[np.int32], bin_: NDArray[np.int64], size: int, bins: int) -> NDArray[np.float64]:
    """The share of each user's ratings in each bin; even shares of a user without any. [size, bins]"""
    counts = np.bincount(user.astype(np.int64) * bins + bin_, minlength=size * bins).reshape(size, bins)
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.maximum(total, 1), 1 / bins)
