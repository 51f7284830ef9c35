"""How often ratings lie in the intervals around their predictions, and how wide these are."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.config import COVERAGE
from igmc.errors import DataError
from igmc.evaluation.metrics.errors_by import ACTIVITY, activity_label, checked_indices
from igmc.ratings import Split

__all__ = [
    "IntervalCoverage",
    "coverage_by_activity",
    "interval_coverage",
    "interval_summary",
    "known_counts",
]


@dataclass(frozen=True)
class IntervalCoverage:
    """The intervals of some pairs.

    Attributes:
        pairs: how many, at least 1.
        coverage: share of the ratings that lie within their interval, its bounds included.
        width: mean of high less low, on the scale of the ratings.
    """

    pairs: int
    coverage: float
    width: float


def interval_coverage(low: ArrayLike, high: ArrayLike, true: ArrayLike) -> IntervalCoverage:
    """The coverage of the intervals of P pairs, at least one.

    Args:
        low, high, true: float [P], bounds and ratings; a bound may be infinite.

    Raises:
        DataError: on unequal lengths, none at all, NaN, or an upper bound below the lower one.

    >>> interval_coverage([1, 2], [3, 4], [3, 5])
    IntervalCoverage(pairs=2, coverage=0.5, width=2.0)
    """
    lows, highs, rating = (np.asarray(one, np.float64) for one in (low, high, true))
    if not (lows.shape == highs.shape == rating.shape and lows.ndim == 1 and lows.size):
        raise DataError("bounds and ratings differ in number", got=(lows.shape, highs.shape, rating.shape))
    if not (lows <= highs).all() or np.isnan(rating).any():
        raise DataError("an interval ends before it begins, or a number is missing")
    inside = (lows <= rating) & (rating <= highs)
    return IntervalCoverage(len(rating), float(inside.mean()), float((highs - lows).mean()))


def coverage_by_activity(
    index: ArrayLike, low: ArrayLike, high: ArrayLike, true: ArrayLike, counts: ArrayLike
) -> dict[str, IntervalCoverage]:
    """The same by the number of known ratings of the user, or of the item, of each pair.

    The buckets are those of `errors_by_activity`, by their labels; those without pairs are left out.

    Args:
        index: int [P], the dense users, or items, of the pairs.
        counts: int [n_users], or [n_items], their known ratings.

    Raises:
        DataError: on other shapes or numbers.
    """
    columns = [np.asarray(one, np.float64) for one in (low, high, true)]
    known = np.asarray(counts)[checked_indices(index, columns[0].shape)]
    bucket = np.searchsorted(ACTIVITY, known, side="right") - 1
    found = {}
    for number in range(len(ACTIVITY)):
        here = bucket == number
        if here.any():
            found[activity_label(number)] = interval_coverage(*(column[here] for column in columns))
    return found


def known_counts(split: Split) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """How many ratings are known of each user and of each item when the test pairs are asked, int64."""
    table = split.table
    known = np.concatenate([split.train, split.validation, split.support])
    users, items = len(table.users), len(table.items)
    return np.bincount(table.user[known], minlength=users), np.bincount(table.item[known], minlength=items)


def interval_summary(
    split: Split, bounds: NDArray[np.float32], *, coverage: float = COVERAGE
) -> dict[str, Any]:
    """What reports say of the intervals of the P test pairs, in plain JSON types.

    Args:
        split: whose test part was asked.
        bounds: float32 [2, P], low and high, which are moved into the scale.
        coverage: that was asked for.
    """
    asked = split.pairs(split.test)
    low, high = split.scale.clip(bounds)
    found: dict[str, Any] = {"asked": coverage, **asdict(interval_coverage(low, high, asked.rating))}
    for side, counts in zip(("user", "item"), known_counts(split), strict=True):
        buckets = coverage_by_activity(getattr(asked, side), low, high, asked.rating, counts)
        found[f"by_{side}_activity"] = [{"label": label, **asdict(one)} for label, one in buckets.items()]
    return found
