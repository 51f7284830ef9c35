"""Predictions for pairs: by the models, or damped means for pairs without a neighbourhood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import inf
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from igmc.config import COVERAGE
from igmc.graph import ServingGraph
from igmc.inference.mean_fallback import damped_means, has_neighbourhood
from igmc.intervals import IntervalModel, Spread, check_coverage, group_of_mean
from igmc.networks import Answers, AnyScorer, DescribedScorer, UncertainScorer
from igmc.ratings import RatingScale

__all__ = ["Predictions", "predict_pairs"]


class Predictions(NamedTuple):
    """Scores of P pairs, with their sources and intervals.

    Attributes:
        score: float32 [P].
        source: [P] texts. "model": predicted by the network. "user mean", "item mean" or "global mean": a
            damped mean, since the user or the item is unknown, or has no rating besides the pair's own and no
            features that the run reads; see `igmc.inference.mean_fallback`.
        low, high: float32 [P], the bounds of an interval, within the scale; None if the run gives none.
    """

    score: NDArray[np.float32]
    source: NDArray[np.str_]
    low: NDArray[np.float32] | None = None
    high: NDArray[np.float32] | None = None

    @classmethod
    def together(cls, pieces: Sequence[Self]) -> Self:
        """Those of all pairs of some pieces, at least one, in order."""
        columns = zip(*pieces, strict=True)
        return cls._make(None if column[0] is None else np.concatenate(column) for column in columns)

    def some(self, which: NDArray[np.int64]) -> Self:
        """Those of some of the pairs."""
        return type(self)._make(None if column is None else column[which] for column in self)

    def columns(self) -> dict[str, NDArray[Any]]:
        """As columns of a table, bounds of the interval where there are any."""
        bounds = {} if self.low is None or self.high is None else {"low": self.low, "high": self.high}
        return {"score": self.score, "source": self.source, **bounds}


def predict_pairs(
    scorer: AnyScorer,
    scale: RatingScale,
    graph: ServingGraph,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    *,
    clip: bool,
    fallback: bool = True,
    known: ServingGraph | None = None,
    coverage: float = COVERAGE,
    deadline: float = inf,
) -> Predictions:
    """The mean prediction of the models for P pairs; damped means for pairs without a neighbourhood.

    Args:
        scorer: the models.
        scale: of the ratings.
        graph: the ratings that are known.
        user, item: int32 [P], dense indices; -1 for one that is not known at all.
        clip: move scores beyond the ends of the scale to the nearer end.
        fallback: if False, the models predict all pairs whose indices are known.
        known: if all pairs are of one user, the ratings without those added for the user; see `score_user` of
            the scorers.
        coverage: the probability that the rating lies in the interval; see `igmc.intervals`.
        deadline: on the clock of `time.monotonic`; see `AnyScorer.score`.

    Raises:
        ConfigError: if the coverage is not between 0 and 1.
        TimeoutError: after the deadline.
    """
    coverage = check_coverage(coverage)
    side = scorer.side if isinstance(scorer, DescribedScorer) else None
    by_model = has_neighbourhood(graph, user, item, side) if fallback else (user >= 0) & (item >= 0)
    score = np.empty(len(user), np.float32)
    source = np.full(len(user), "model", dtype="<U11")
    found, intervals = _asked(scorer, graph, user[by_model], item[by_model], known, deadline)
    score[by_model] = found.score.mean(axis=0)
    rest = ~by_model
    score[rest], source[rest] = damped_means(graph, scale.values, user[rest], item[rest])
    shown = scale.clip(score) if clip else score
    if intervals is None:
        return Predictions(shown, source)
    spread = Spread(np.ones(len(user), np.float32), np.zeros(len(user), np.int8))
    spread.scale[by_model], spread.group[by_model] = found.spread.scale, found.spread.group
    spread.group[rest] = [group_of_mean(name) for name in source[rest].tolist()]
    width = intervals.half_width(spread, coverage)
    return Predictions(shown, source, scale.clip(score - width), scale.clip(score + width))


def _asked(
    scorer: AnyScorer,
    graph: ServingGraph,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    known: ServingGraph | None,
    deadline: float,
) -> tuple[Answers, IntervalModel | None]:
    """What the models say of P pairs, and what intervals they have."""
    if isinstance(scorer, UncertainScorer) and scorer.intervals is not None:
        return scorer.answers(graph, user, item, known=known, deadline=deadline), scorer.intervals
    if known is None or not len(user):
        score = scorer.score(graph, user, item, deadline=deadline)
    else:
        score = scorer.score_user(known, graph, int(user[0]), item, deadline=deadline)
    return replace(Answers.room(len(score), len(user)), score=score), None
