"""Predictions of the models of a run, with the spreads that their intervals are computed from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from igmc.graph import BipartiteGraph, ServingGraph
from igmc.intervals import IntervalModel, Spread
from igmc.ratings import SideInformation

__all__ = ["Answers", "DescribedScorer", "UncertainScorer"]


@dataclass(frozen=True, eq=False)
class Answers:
    """Scores of P pairs by M models, with their spread.

    Attributes:
        score: float32 [M, P].
        spread: of the pairs; zeros without intervals.
    """

    score: NDArray[np.float32]
    spread: Spread

    @classmethod
    def room(cls, models: int, pairs: int) -> Self:
        """Room for so many."""
        spread = Spread(np.zeros(pairs, np.float32), np.zeros(pairs, np.int8))
        return cls(np.empty((models, pairs), np.float32), spread)

    def put(self, where: NDArray[np.int64] | slice, some: Self) -> None:
        """Fill in the answers for some of the pairs."""
        self.score[:, where] = some.score
        self.spread.scale[where] = some.spread.scale
        self.spread.group[where] = some.spread.group


@runtime_checkable
class DescribedScorer(Protocol):
    """A scorer that may read features of users and items.

    Attributes:
        side: these features; None if its models read ratings alone.
    """

    side: SideInformation | None

    def with_side(self, side: SideInformation) -> Self:
        """The same with the features of later users or items, after those that are there."""


@runtime_checkable
class UncertainScorer(Protocol):
    """A scorer that gives intervals if its run has measured them.

    Attributes:
        intervals: their widths; None if the run has not measured them.
    """

    intervals: IntervalModel | None

    def answers(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        known: ServingGraph | None = None,
        time: NDArray[np.int64] | None = None,
        deadline: float = ...,
    ) -> Answers:
        """As `score` of the scorer; where `known` is given, as `score_user`, with one user for all pairs."""
