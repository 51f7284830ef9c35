"""Where predicted ratings are off: by user, by how much is known of the user or item, and by rating."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError
from igmc.evaluation.metrics.errors import PerUser, differences

__all__ = [
    "ACTIVITY",
    "ActivityErrors",
    "CalibrationBin",
    "activity_label",
    "calibration",
    "calibration_error",
    "checked_indices",
    "errors_by_activity",
    "per_user_errors",
]

ACTIVITY = (0, 1, 5, 10, 20, 50, 100)  # where each bucket of training ratings begins


@dataclass(frozen=True)
class ActivityErrors:
    """Errors of the pairs whose user, or item, has a number of training ratings in one bucket.

    Attributes:
        low, high: bounds of that number, both included; `high` is None for the last bucket.
        pairs: how many, at least 1.
        rmse, mae: root mean squared and mean absolute error.
    """

    low: int
    high: int | None
    pairs: int
    rmse: float
    mae: float

    @property
    def label(self) -> str:
        """The bucket in words: "0", "1-4", "100+"."""
        return activity_label(ACTIVITY.index(self.low))


@dataclass(frozen=True)
class CalibrationBin:
    """The pairs whose prediction is nearest to one level.

    Attributes:
        value: the rating of that level.
        pairs: how many, at least 1.
        predicted, true: their mean predicted and mean true rating; equal if the model is calibrated.
    """

    value: float
    pairs: int
    predicted: float
    true: float


def activity_label(number: int) -> str:
    """A bucket of `ACTIVITY` in words: "0", "1-4", "100+".

    >>> activity_label(1)
    '1-4'
    """
    low, last = ACTIVITY[number], number == len(ACTIVITY) - 1
    high = None if last else ACTIVITY[number + 1] - 1
    if high is None:
        return f"{low}+"
    return str(low) if low == high else f"{low}-{high}"


def per_user_errors(user: ArrayLike, predicted: ArrayLike, true: ArrayLike) -> PerUser:
    """RMSE and MAE of each user's pairs, by the names "user_rmse" and "user_mae".

    Their means give each user the same weight, where the RMSE of all pairs gives it to each pair.

    Args:
        user: int [P], not negative.
        predicted, true: float [P], finite, P at least 1.

    Raises:
        DataError: on other shapes or numbers.

    >>> per_user_errors([4, 4, 2], [3.0, 3.0, 5.0], [4.0, 2.0, 2.0]).means()
    {'user_rmse': 2.0, 'user_mae': 2.0}
    """
    errors = differences(predicted, true)
    users, index, size = np.unique(
        checked_indices(user, errors.shape), return_inverse=True, return_counts=True
    )
    square, absolute = np.bincount(index, errors**2), np.bincount(index, np.abs(errors))
    return PerUser(users.astype(np.int32), {"user_rmse": np.sqrt(square / size), "user_mae": absolute / size})


def errors_by_activity(
    index: ArrayLike, predicted: ArrayLike, true: ArrayLike, counts: ArrayLike
) -> tuple[ActivityErrors, ...]:
    """Errors by the number of training ratings of the user, or of the item, of each pair.

    The buckets are 0, 1-4, 5-9, 10-19, 20-49, 50-99 and 100+; those without pairs are left out.

    Args:
        index: int [P], the dense users, or items, of the pairs.
        predicted, true: float [P], finite, P at least 1.
        counts: int [n_users], or [n_items], their training ratings.

    Raises:
        DataError: on other shapes or numbers.
    """
    errors = differences(predicted, true)
    known, indices = np.asarray(counts), checked_indices(index, errors.shape)
    if known.ndim != 1 or known.dtype.kind not in "iu" or (known.size and known.min() < 0):
        raise DataError("the numbers of training ratings must be a list of whole numbers, 0 or more")
    if indices.max() >= len(known):
        worst = int(indices.max())
        raise DataError(
            "an index has no number of training ratings", got=worst, allowed=f"0..{len(known) - 1}"
        )
    bucket = np.searchsorted(ACTIVITY, known[indices], side="right") - 1
    found = []
    for number, low in enumerate(ACTIVITY):
        chosen = errors[bucket == number]
        if chosen.size:
            high = None if low == ACTIVITY[-1] else ACTIVITY[number + 1] - 1
            rmse, mae = float(np.sqrt(np.mean(chosen**2))), float(np.mean(np.abs(chosen)))
            found.append(ActivityErrors(low, high, len(chosen), rmse, mae))
    return tuple(found)


def calibration(predicted: ArrayLike, true: ArrayLike, values: ArrayLike) -> tuple[CalibrationBin, ...]:
    """What was given where each level was predicted: a reliability diagram in numbers.

    Predictions are put to the nearest level, halves to the higher one; levels nearest to none are left out.

    Args:
        predicted, true: float [P], finite, P at least 1.
        values: float [L], ascending, the ratings of the levels, such as `RatingScale.values`.

    Raises:
        DataError: on other shapes or numbers.

    >>> calibration([1.2, 4.4, 3.6], [1.0, 5.0, 4.0], [1, 2, 3, 4, 5])[1]
    CalibrationBin(value=4.0, pairs=2, predicted=4.0, true=4.5)
    """
    differences(predicted, true)
    guess, given = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    levels = np.asarray(values, np.float64)
    if (
        levels.ndim != 1
        or not levels.size
        or not (np.diff(levels) > 0).all()
        or not np.isfinite(levels).all()
    ):
        raise DataError("the levels are not a list of ratings in ascending order", got=levels.tolist())
    nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, guess, side="right")
    pairs = np.bincount(nearest, minlength=len(levels))
    kept = np.flatnonzero(pairs)
    means = (np.bincount(nearest, one, len(levels))[kept] / pairs[kept] for one in (guess, given))
    rows = zip(levels[kept].tolist(), pairs[kept].tolist(), *(mean.tolist() for mean in means), strict=True)
    return tuple(CalibrationBin(*row) for row in rows)


def calibration_error(bins: tuple[CalibrationBin, ...]) -> float:
    """Mean of ``|predicted - true|`` over the bins, weighted by pairs; on the scale of the ratings.

    The expected calibration error (Naeini, Cooper & Hauskrecht, AAAI 2015), for ratings instead of
    probabilities: 0 if the mean rating is what was predicted at every level.
    """
    return sum(one.pairs * abs(one.predicted - one.true) for one in bins) / sum(one.pairs for one in bins)


def checked_indices(values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """Dense indices, int64, of the shape given.

    Raises:
        DataError: if they are anything else.
    """
    given = np.asarray(values)
    if given.shape != shape:
        raise DataError("indices and predictions differ in shape", got=given.shape, allowed=str(shape))
    if given.dtype.kind not in "iu" or given.min() < 0:
        raise DataError("the indices are not whole numbers, 0 or more", got=given.dtype.name)
    return given.astype(np.int64)
