"""From the ratings of one data set to the levels of a model that was trained on another, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings import RatingScale

__all__ = ["DAMPINGS", "ScaleMap"]

DAMPINGS = (np.inf, 3000.0, 1000.0, 300.0, 100.0, 30.0, 10.0, 0.0)  # ratings; infinity keeps the line


@dataclass(frozen=True)
class ScaleMap:
    """How a model reads the ratings of another data set, and how its predictions are read there.

    Ratings go to levels by `levels`, which has as many of them as the model has relation types, lowest to
    lowest. A prediction p, on the model's own scale, means ``intercept + slope * p``.

    Attributes:
        levels: the other data set's ratings, grouped.
        intercept, slope: in units of its ratings.
        method: how the two were found; see `fit`, and "calibrated".
    """

    levels: RatingScale
    intercept: float
    slope: float
    method: str

    @classmethod
    def fit(cls, source: RatingScale, levels: RatingScale, ratings: ArrayLike, method: str) -> Self:
        """The map by what is known of both scales.

        "ratio" multiplies by the ratio of the highest ratings, as the paper does (1 from 1..5 to 0.5..5, 20
        to 1..100); "range" sends the lowest and the highest rating to theirs; "levels" is the line closest to
        the ratings, each of which has its level's value on the model's scale.

        Args:
            source: of the model.
            levels: as in the attributes.
            ratings: float [n], known ratings of the other data set.
            method: "ratio", "range" or "levels".

        Raises:
            ConfigError: if the method does not suit the scales.
        """
        if method == "ratio":
            if min(source.low, levels.low) < 0 or source.high <= 0 or levels.high <= 0:
                raise ConfigError(
                    "scales with ratings below 0 have no ratio",
                    got=f"{source.low:g}..{source.high:g} and {levels.low:g}..{levels.high:g}",
                    remedy="use --rescale range, or levels",
                )
            return cls(levels, 0.0, levels.high / source.high, method)
        if method == "range" and source.high > source.low:
            slope = (levels.high - levels.low) / (source.high - source.low)
            return cls(levels, levels.low - slope * source.low, slope, method)
        if method == "levels":
            meant = source.values[levels.encode(ratings)]
            return cls(levels, *_line(meant, np.asarray(ratings, np.float64)), method)
        raise ConfigError("unknown way to rescale", got=method, allowed="ratio, range, levels")

    def calibrated(self, predictions: ArrayLike, ratings: ArrayLike) -> Self:
        """The same levels with a line that brings n predictions closer to the ratings.

        It stands between the present line and that of least squares, and is the closer to the latter the more
        ratings there are: n of them have the weight n / (n + d). The damping d, one of `DAMPINGS`, is what
        does best on ratings that were held out of the fit, in ten folds.

        Args:
            predictions: float [n], on the model's scale.
            ratings: float [n], what they should have been.

        Raises:
            DataError: if there are fewer than two.
        """
        x, y = np.asarray(predictions, np.float64), np.asarray(ratings, np.float64)
        fold = np.arange(len(x)) % min(10, len(x))
        errors = np.zeros(len(DAMPINGS))
        for out in range(int(fold.max(initial=0)) + 1) if len(x) > 2 else ():
            held = fold == out
            for k, damping in enumerate(DAMPINGS):
                intercept, slope = self._towards(x[~held], y[~held], damping)
                errors[k] += np.square(intercept + slope * x[held] - y[held]).sum()
        intercept, slope = self._towards(x, y, DAMPINGS[int(np.argmin(errors))])
        return replace(self, intercept=intercept, slope=slope, method="calibrated")

    def _towards(self, x: NDArray[np.float64], y: NDArray[np.float64], damping: float) -> tuple[float, float]:
        intercept, slope = _line(x, y)
        weight = len(x) / (len(x) + damping)
        return (
            self.intercept + weight * (intercept - self.intercept),
            self.slope + weight * (slope - self.slope),
        )

    def to_target(self, predictions: NDArray[np.float32]) -> NDArray[np.float32]:
        """What predictions on the model's scale mean, float32 [n]; not clipped."""
        return (self.intercept + self.slope * predictions.astype(np.float64)).astype(np.float32)

    def to_source(self, ratings: NDArray[np.float32]) -> NDArray[np.float32]:
        """The inverse of `to_target`, float32 [n].

        Raises:
            ConfigError: if the slope is 0.
        """
        if self.slope == 0:
            raise ConfigError("the scale map is flat", got=self.to_dict())
        return ((ratings.astype(np.float64) - self.intercept) / self.slope).astype(np.float32)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        values = {name: getattr(self, name) for name in ("intercept", "slope", "method")}
        return {"levels": self.levels.to_dict(), **values}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `to_dict`."""
        return cls(**{**values, "levels": RatingScale.from_dict(values["levels"])})


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    """Intercept and slope of the least-squares line; a flat one where x does not vary."""
    if len(x) < 2:
        raise DataError("a calibration needs two ratings", got=len(x), remedy="raise --percent")
    centred = x - x.mean()
    spread = float(centred @ centred)
    slope = float(centred @ (y - y.mean())) / spread if spread > 1e-12 else 0.0
    return float(y.mean() - slope * x.mean()), slope
