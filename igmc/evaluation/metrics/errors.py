"""How far predicted ratings are from the true ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError

__all__ = ["PerUser", "Scores", "differences", "mae", "mean_error", "rmse", "score"]


@dataclass(frozen=True)
class Scores:
    """Errors of predictions as they came, and clipped to the range of the rating scale.

    Attributes:
        rmse, mae: root mean squared and mean absolute error, on the scale of the ratings.
        rmse_clipped, mae_clipped: the same after clipping.
        mean_error: mean of prediction less rating, not clipped: above 0 where predictions are too high on the
            whole. None in reports of versions that did not measure it.
    """

    rmse: float
    mae: float
    rmse_clipped: float
    mae_clipped: float
    mean_error: float | None = None

    @property
    def signed_mean_error(self) -> str:
        """The mean error for a table, "-" where there is none."""
        return "-" if self.mean_error is None else f"{self.mean_error:+.4f}"


@dataclass(frozen=True, eq=False)
class PerUser:
    """Measures of U users.

    Attributes:
        users: int32 [U], ascending.
        per_user: by name of the measure, float64 [U] in the order of `users`.
    """

    users: NDArray[np.int32]
    per_user: Mapping[str, NDArray[np.float64]]

    def means(self) -> dict[str, float]:
        """The mean of each measure over the users."""
        return {name: float(values.mean()) for name, values in self.per_user.items()}


def rmse(predicted: ArrayLike, true: ArrayLike) -> float:
    """Root mean squared error of n predictions, n at least 1.

    Raises:
        DataError: on no predictions, another shape, or a number that is not finite.

    >>> rmse([1.0, 2.0], [1.0, 4.0]) == 2.0**0.5
    True
    """
    return float(np.sqrt(np.mean(np.square(differences(predicted, true)))))


def mae(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean absolute error of n predictions, n at least 1; raises as `rmse` does.

    >>> mae([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return float(np.mean(np.abs(differences(predicted, true))))


def mean_error(predicted: ArrayLike, true: ArrayLike) -> float:
    """Mean of prediction less rating, n at least 1; raises as `rmse` does.

    >>> mean_error([1.0, 2.0], [1.0, 4.0])
    -1.0
    """
    return float(np.mean(differences(predicted, true)))


def score(predicted: ArrayLike, true: ArrayLike, low: float, high: float) -> Scores:
    """All scores of n predictions; `low` and `high` bound the rating scale."""
    clipped = np.clip(predicted, low, high)
    return Scores(
        rmse(predicted, true),
        mae(predicted, true),
        rmse(clipped, true),
        mae(clipped, true),
        mean_error(predicted, true),
    )


def differences(predicted: ArrayLike, true: ArrayLike) -> NDArray[np.float64]:
    """``predicted - true``, float64 [n]; raises as `rmse` does."""
    left, right = np.asarray(predicted, np.float64), np.asarray(true, np.float64)
    if left.shape != right.shape or left.ndim != 1:
        raise DataError("predictions and ratings differ in shape", got=left.shape, allowed=str(right.shape))
    if left.size == 0:
        raise DataError("there are no predictions to score", remedy="leave some ratings for the test part")
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        raise DataError("a prediction or rating is not a finite number")
    return left - right
