"""Conversion between ratings and levels; each level is one relation type of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.config import MAX_LEVELS
from igmc.errors import DataError
from igmc.short_repr import short_repr

__all__ = ["KnownScale", "RatingScale", "distinct"]

NEAR = 1e-6  # ratings that differ by this share of the range are one level: the rest is rounding
ROUNDING = 1e-12  # of a rating itself, where there is hardly a range
MAX_VALUES = 4096  # levels of a continuous scale: finer than any prediction
_SHOWN = 11  # ratings of a continuous scale that people are shown
_TRIED = 1000  # ratings of a level among which the shortest is looked for

Floats = NDArray[np.float64]


def distinct(ratings: ArrayLike) -> Floats:
    """The levels of n ratings, ascending: those that are equal to about a millionth of the range are one.

    A level has the shortest decimal of its ratings: 3.3 rather than 3.3000000000000003.

    >>> distinct([3.3, 2.5, 3.3000000000000003]).tolist()
    [2.5, 3.3]
    """
    values = np.unique(np.asarray(ratings, dtype=np.float64))
    if len(values) < 2 or np.diff(values).min() > (near := _near(values)):
        return values
    # From the first of a group on, not from one to the next: many close values are a continuous scale.
    kept: list[float] = []
    start = 0
    while start < len(values):
        stop = int(np.searchsorted(values, values[start] + near, side="right"))
        kept.append(_shortest(values[start : min(stop, start + _TRIED)].tolist()))
        if len(kept) > MAX_VALUES:
            return values
        start = stop
    return np.array(kept)


def _shortest(group: list[float]) -> float:
    """The shortest decimal of ratings that are one level, or of what they are without rounding errors."""
    if len(group) == 1:
        return group[0]
    decimals = {*group, *(float(f"{value:.12g}") for value in group)}
    return min(decimals, key=lambda value: (len(repr(value)), value))


def _near(values: Floats) -> float:
    """How far apart two ratings are at most that are one level; `values` begin and end with the range."""
    return max(NEAR * float(values[-1] - values[0]), ROUNDING * float(np.abs(values[[0, -1]]).max()))


@dataclass(frozen=True)
class KnownScale:
    """The documented rating scale of a data set, such as 1..5 in steps of 1.

    Attributes:
        low, high: the least and the greatest rating allowed.
        step: the ratings allowed are low, low + step, ..., high; any number between if None.
        all_levels: whether each of those ratings is a level even if it does not occur in training.
    """

    low: float
    high: float
    step: float | None = 1.0
    all_levels: bool = True

    def values(self) -> Floats:
        """The allowed ratings, ascending; none if there is no step."""
        if self.step is None:
            return np.zeros(0)
        count = round((self.high - self.low) / self.step) + 1
        return np.linspace(self.low, self.high, count, dtype=np.float64)

    def outside(self, ratings: Floats) -> NDArray[np.int64]:
        """The positions of the ratings that the scale does not allow."""
        room = NEAR * (self.high - self.low)
        bad = ~((ratings >= self.low - room) & (ratings <= self.high + room))
        if self.step is not None:
            steps = (ratings - self.low) / self.step
            bad |= np.abs(steps - np.rint(steps)) * self.step > NEAR * (self.high - self.low)
        return np.flatnonzero(bad)

    def __str__(self) -> str:
        steps = "" if self.step is None else f" in steps of {self.step:g}"
        return f"{self.low:g}..{self.high:g}{steps}"


@dataclass(frozen=True, eq=False)
class RatingScale:
    """The L levels of a data set's ratings. Build one with `fit`.

    Attributes:
        values: float64 [L], ascending: the rating that each level stands for.
        edges: float64 [L - 1]: level k holds the ratings r with ``edges[k-1] <= r < edges[k]``.
        low, high: the range of the ratings.
        grouped: whether a level stands for a range of ratings rather than for one, as on a continuous scale.

    Raises:
        DataError: on values, edges or a range that do not fit together.
    """

    __repr__ = short_repr

    values: Floats
    edges: Floats
    low: float
    high: float
    grouped: bool = False

    def __post_init__(self) -> None:
        for name in ("values", "edges"):
            array = np.array(getattr(self, name), dtype=np.float64)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        values, edges = self.values, self.edges
        if values.ndim != 1 or not 1 <= len(values) <= MAX_VALUES or edges.shape != (len(values) - 1,):
            got = f"{len(values)} values, {len(edges)} edges"
            raise DataError("the rating scale is malformed", got=got, allowed=f"1..{MAX_VALUES} levels")
        if not np.all(np.isfinite([*values, *edges, self.low, self.high])):
            raise DataError("the rating scale holds numbers that are not finite", got=values.tolist())
        if np.any(np.diff(values) <= 0) or np.any(np.diff(edges) <= 0):
            raise DataError("the levels of the rating scale are not in ascending order", got=values.tolist())
        if not self.low <= values[0] <= values[-1] <= self.high:
            raise DataError("the range of the rating scale is wrong", got=(self.low, self.high))

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def fit(
        cls,
        ratings: ArrayLike,
        *,
        levels: int | None = None,
        method: str = "width",
        known: KnownScale | None = None,
    ) -> RatingScale:
        """The scale of n ratings: a level for each distinct one (see `distinct`), or for groups of them.

        With more than 256 distinct ones the scale is continuous; with more than 4096 they are grouped by
        width into that many.

        Args:
            ratings: float [n], finite, of the training part.
            levels: group the ratings into this many levels; "quantile" gives fewer where bins coincide.
            method: "width" for bins of equal width over the range, "quantile" for bins of equal count.
            known: the documented scale; widens the range and adds levels that do not occur in training.

        Raises:
            DataError: without ratings.

        >>> RatingScale.fit([1, 2, 5], known=KnownScale(1, 5)).values.tolist()
        [1.0, 2.0, 3.0, 4.0, 5.0]
        >>> RatingScale.fit([-9.5, 0.25, 9.75], levels=2).encode([-3.0, 7.0]).tolist()
        [0, 1]
        """
        given = np.asarray(ratings, dtype=np.float64)
        if given.size == 0:
            raise DataError(
                "there are no ratings to fit a scale to", remedy="leave more ratings for training"
            )
        if not np.all(np.isfinite(given)):
            raise DataError("a rating is not a finite number", allowed="finite numbers")
        low, high = float(given.min()), float(given.max())
        if known is not None:
            low, high = min(low, known.low), max(high, known.high)
        if levels is not None:
            if not 1 <= levels <= MAX_LEVELS:
                raise DataError(
                    "the number of levels is out of range", got=levels, allowed=f"1..{MAX_LEVELS}"
                )
            return cls._grouped(given, levels, method, low, high)
        values = distinct(given)
        if known is not None and known.all_levels:
            values = distinct(np.concatenate([values, known.values()]))
        if len(values) > MAX_VALUES:
            return cls._grouped(given, MAX_VALUES, "width", low, high)
        low, high = float(values[0]), float(values[-1])
        if known is not None:
            low, high = min(low, known.low), max(high, known.high)
        return cls(values, (values[1:] + values[:-1]) / 2, low, high, grouped=len(values) > MAX_LEVELS)

    @classmethod
    def _grouped(cls, ratings: Floats, levels: int, method: str, low: float, high: float) -> RatingScale:
        if method == "quantile":
            inner = np.quantile(ratings, np.arange(1, levels) / levels)
            edges = np.unique(inner[inner > ratings.min()])
        elif method == "width":
            # All ratings equal leave no width to divide.
            edges = np.linspace(low, high, levels + 1)[1:-1] if high > low else np.zeros(0)
        else:
            raise DataError("unknown method of grouping", got=method, allowed="width, quantile")
        level = np.searchsorted(edges, ratings, side="right")
        count = np.bincount(level, minlength=len(edges) + 1)
        total = np.bincount(level, weights=ratings, minlength=len(edges) + 1)
        borders = np.concatenate([[low], edges, [high]])
        centres = (borders[:-1] + borders[1:]) / 2
        values = np.where(count > 0, total / np.maximum(count, 1), centres)
        return cls(np.clip(values, borders[:-1], borders[1:]), edges, low, high, grouped=True)

    def encode(self, ratings: ArrayLike) -> NDArray[np.unsignedinteger[Any]]:
        """The levels of n ratings: uint8 [n], or uint16 if the scale is continuous.

        Raises:
            DataError: if the ratings are not grouped and one is none of `values`.
        """
        given = np.asarray(ratings, dtype=np.float64)
        level = np.searchsorted(self.edges, given, side="right")
        if not self.grouped and not (fits := self.holds(given)).all():
            raise DataError(
                "a rating is not a level of the scale",
                got=float(given[~fits][0]),
                allowed=", ".join(f"{v:g}" for v in self.values),
                remedy="train on data that contains this rating, or group the ratings with --levels",
            )
        return level.astype(np.uint16 if self.continuous else np.uint8)

    @property
    def continuous(self) -> bool:
        """Whether there are more levels than a network with a relation for each can have."""
        return len(self) > MAX_LEVELS

    def shown(self) -> Floats:
        """Ratings to choose from or to label with: the levels, or a few of a continuous scale."""
        return np.linspace(self.low, self.high, _SHOWN) if self.continuous else self.values

    def require_levels(self) -> None:
        """Raise unless each level can be a relation of its own.

        Raises:
            DataError: if the scale is continuous.
        """
        if self.continuous:
            raise DataError(
                "the ratings have too many distinct values for one relation per value",
                got=len(self),
                allowed=f"at most {MAX_LEVELS}",
                remedy="group them with --levels, for example --levels 10, or train --network neighbours, "
                "which accepts continuous ratings",
            )

    def holds(self, ratings: ArrayLike) -> NDArray[np.bool_]:
        """Which of n ratings are on the scale, bool [n]: equal to a level to a millionth of the range, or in
        the range where levels are groups.
        """
        given = np.asarray(ratings, dtype=np.float64)
        room = _near(np.array([self.low, self.high]))
        if self.grouped:
            return (given >= self.low - room) & (given <= self.high + room)
        level = np.searchsorted(self.edges, given, side="right")
        return np.abs(self.values[level] - given) <= room

    def decode(self, levels: ArrayLike) -> Floats:
        """The ratings, float64 [n], that levels in 0..L-1 stand for."""
        return self.values.take(np.asarray(levels))

    def clip(self, predictions: NDArray[Any]) -> NDArray[Any]:
        """Predictions with those outside `low`..`high` moved to the nearer bound; the dtype is kept."""
        clipped: NDArray[Any] = np.clip(predictions, self.low, self.high)
        return clipped

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only."""
        return {
            "values": self.values.tolist(),
            "edges": self.edges.tolist(),
            "low": self.low,
            "high": self.high,
            "grouped": self.grouped,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RatingScale:
        """The inverse of `to_dict`."""
        return cls(**values)
