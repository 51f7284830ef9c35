"""What is reached without any model to speak of: means, and regularized biases.

A reference that beats a graph network says that the network has learned nothing of use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.evaluation.metrics import rmse
from igmc.ratings.split import Split

__all__ = ["Biases", "fit_biases", "reference_predictions"]

Floats = NDArray[np.float64]
DAMPINGS = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0)
DEFAULT_DAMPING = 5.0
SWEEPS = 20


@dataclass(frozen=True, eq=False)
class Biases:
    """``r_ui = mean + user[u] + item[i]``, the biases shrunk by `damping` ratings of the mean.

    Attributes:
        mean: of all ratings known.
        user, item: float64 [n_users], [n_items]; 0 for those without ratings.
    """

    mean: float
    user: Floats
    item: Floats

    def predict(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """Predictions for P pairs, float64 [P]."""
        return self.mean + self.user[user] + self.item[item]


def fit_biases(split: Split, rows: NDArray[np.int64], damping: float) -> Biases:
    """Ridge regression on user and item indicators, by alternating exact steps.

    Minimizes ``sum (r - mean - b_u - b_i)^2 + damping * (sum b_u^2 + sum b_i^2)`` (Koren, Bell & Volinsky,
    2009, without the factors).

    Args:
        split: whose ratings.
        rows: int64, the rows of the table that are known.
        damping: 0 or more.
    """
    table = split.table
    user, item, rating = table.user[rows], table.item[rows], table.rating[rows]
    mean = float(rating.mean())
    user_bias, item_bias = np.zeros(len(table.users)), np.zeros(len(table.items))
    for _ in range(SWEEPS):
        item_bias = _shrunk_mean(item, rating - mean - user_bias[user], len(item_bias), damping)
        user_bias = _shrunk_mean(user, rating - mean - item_bias[item], len(user_bias), damping)
    return Biases(mean, user_bias, item_bias)


def reference_predictions(split: Split) -> dict[str, Floats]:
    """Predictions of the references for the test pairs, float64 [P] each, from all other ratings.

    The damping of the biases is the one of `DAMPINGS` that predicts the validation part best from the
    training part; 5 if there is no validation part. Users and items without ratings get the global mean.
    """
    known = np.concatenate([split.train, split.validation])
    test = split.pairs(split.test)
    mean = float(split.table.rating[known].mean())
    user_mean = mean + _means(split, known, split.table.user, len(split.table.users), mean)
    item_mean = mean + _means(split, known, split.table.item, len(split.table.items), mean)
    return {
        "global mean": np.full(len(test), mean),
        "user mean": user_mean[test.user],
        "item mean": item_mean[test.item],
        "(user mean + item mean) / 2": (user_mean[test.user] + item_mean[test.item]) / 2,
        "regularized biases": fit_biases(split, known, _best_damping(split)).predict(test.user, test.item),
    }


def _best_damping(split: Split) -> float:
    if not len(split.validation):
        return DEFAULT_DAMPING
    asked = split.pairs(split.validation)
    errors = {
        damping: rmse(fit_biases(split, split.train, damping).predict(asked.user, asked.item), asked.rating)
        for damping in DAMPINGS
    }
    return min(errors, key=errors.__getitem__)


def _means(split: Split, rows: NDArray[np.int64], index: NDArray[np.int32], size: int, mean: float) -> Floats:
    return _shrunk_mean(index[rows], split.table.rating[rows] - mean, size, 0.0)


def _shrunk_mean(index: NDArray[np.int32], values: Floats, size: int, damping: float) -> Floats:
    """Per index the sum of its values over (their number + damping); 0 where there is none."""
    total = np.bincount(index, weights=values, minlength=size)
    count = np.bincount(index, minlength=size)
    return np.where(count > 0, total / np.maximum(count + damping, 1e-12), 0.0)
