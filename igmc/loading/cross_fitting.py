"""Cross-fitted inputs: no pair is predicted from statistics or estimates that include its rating.

Each epoch deals the ratings into new folds, and the pairs of a fold are asked on the statistics of the
others. Estimates are too expensive for that, and need not be fitted to the same ratings: they are fitted ten
times in all, and each rating is estimated by the fit that did not see it. A fit leaves out all ratings of a
few users and items. Only these play newcomers, folded into that fit with the ratings that they reveal.
"""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.estimates import FactorEstimates
from igmc.loading.folds import Fold, KnownRatings, Players, hide, make_folds
from igmc.loading.knowledge import Knowledge, features
from igmc.progress import step, working_on
from igmc.ratings import UNKNOWN_TIME
from igmc.rng import stream
from igmc.statistics import GraphStatistics
from igmc.threads import cores

__all__ = ["CrossFit", "FoldKnowledge"]

logger = logging.getLogger(__name__)

FOLDS = 10  # 5 lost 0.0017 on validation pairs of ML-100K, 20 gained 0.0003
PROBE_PAIRS = 4000
FORGOTTEN = 0.05  # fraction of pairs asked without a time, so that the network learns to answer such pairs
SILENT = 0.1  # fraction of newcomers who reveal nothing, where residuals are measured
SILENT_IN_TRAINING = 0.3  # the same with side features, from which they can be predicted nevertheless
PLAYERS = 0.04  # fraction of users, and of items, that a fit leaves out, so that they can play newcomers


@dataclass(frozen=True, eq=False)
class FoldKnowledge:
    """Pairs, and inputs computed without their ratings.

    Attributes:
        asked: int64 [P], rows of the known ratings.
        statistics: of the graph that they are asked on.
        estimated: float32 [P, E, 2], mean and deviation of each estimate, in ratings.
        dated: float32 [P, D], the date inputs; see `igmc.statistics.dates`.
    """

    asked: NDArray[np.int64]
    statistics: GraphStatistics
    estimated: NDArray[np.float32]
    dated: NDArray[np.float32]

    def some(self, which: NDArray[np.integer] | slice) -> FoldKnowledge:
        """The same of some of the pairs."""
        return FoldKnowledge(self.asked[which], self.statistics, self.estimated[which], self.dated[which])


class CrossFit:
    """The ratings of a graph in folds.

    Args:
        known: the ratings.
        estimates: names of those that the network reads; see `igmc.loading.knowledge.ESTIMATORS`.
        newcomers: share of users and of items that play newcomers in each fold.
        pairs: ratings asked in an epoch, at most, besides those of newcomers.
        seed: of all draws.
        dates: "past" or "both", for a network that reads dates; None for one that does not.
        threads: that fit estimates; all cores if None.
        fits: how many of the ten to run; with fewer, only probe 0 can be asked.
    """

    def __init__(
        self,
        known: KnownRatings,
        estimates: Sequence[str] = (),
        *,
        newcomers: float,
        pairs: int,
        seed: int,
        dates: str | None = None,
        threads: int | None = None,
        fits: int = FOLDS,
    ) -> None:
        self.known, self.estimates, self.dates = known, tuple(estimates), dates
        self._newcomers, self._pairs, self._seed = newcomers, pairs, seed
        self._threads = threads or cores()
        self._estimated = np.empty((len(known), len(self.estimates), 2), np.float32)
        self._players: list[Players] = []
        self._fits: list[tuple[FactorEstimates, ...]] = []
        if self.estimates:
            dealt = (np.arange(len(known)) % FOLDS).astype(np.uint8)
            self._part = stream(seed, "cross-fit").permutation(dealt)
            self._fit(fits)

    @property
    def folds_per_epoch(self) -> int:
        """Number of folds per epoch."""
        return max(1, math.ceil(min(1.0, self._pairs / max(len(self.known), 1)) * FOLDS))

    def epoch(self, epoch: int) -> Iterator[FoldKnowledge]:
        """The folds of an epoch, 1 or more."""
        turn = (epoch - 1) * self.folds_per_epoch
        for number, fold in enumerate(self._folds(epoch, self._pairs, self._newcomers, turn)):
            estimated = self._estimated[fold.asked]
            if self.estimates:
                self._estimate_newcomers(turn + number, fold, estimated)
            statistics = self.known.statistics(fold.shown)
            dated = self._dated(statistics, fold.shown, fold.asked, epoch, number)
            yield FoldKnowledge(fold.asked, statistics, estimated, dated)

    def probe(self, draw: int) -> FoldKnowledge:
        """A tenth of the ratings, about 4,000 at most, ascending; a function of the seed and the draw."""
        if draw == 0 and self.estimates:  # pairs that the first fit did not see
            shown = self._part != 0
            rows = stream(self._seed, "probe").permutation(np.flatnonzero(~shown))[:PROBE_PAIRS]
        else:
            one = next(self._folds(draw << 32, PROBE_PAIRS, 0.0, 0), None)
            shown = np.ones(len(self.known), np.bool_) if one is None else one.shown
            rows = np.empty(0, np.int64) if one is None else one.asked[:PROBE_PAIRS]
        rows = np.sort(rows)
        statistics = self.known.statistics(shown)
        dated = self._dated(statistics, shown, rows, 0, draw)
        return FoldKnowledge(rows, statistics, self._estimated[rows], dated)

    def newcomers(self, rows: NDArray[np.int64]) -> Iterator[FoldKnowledge]:
        """Some ratings of users and items that reveal none to ten others, asked on what remains known.

        All that may play newcomers in some fold do so, each once; a function of the seed.

        Args:
            rows: int64, ascending: the ratings that may be asked.
        """
        known = self.known
        may = np.zeros(len(known), np.bool_)
        may[rows] = True
        for place, players in enumerate(self._players or self._deal_players()):
            rng, shown = stream(self._seed, "revealed", place), np.ones(len(known), np.bool_)
            for nodes, plays in zip((known.user, known.item), players, strict=True):
                hide(nodes, plays, shown, rng, silent=SILENT)
            asked = np.flatnonzero(may & ~shown)
            estimated = self._estimated[asked]
            if self.estimates:
                folded = self._folded(self._fits[place], players, shown)
                estimated = features(folded, known.user[asked], known.item[asked])
            statistics = known.statistics(shown)
            dated = self._dated(statistics, shown, asked, 1 << 40, place)
            yield FoldKnowledge(asked, statistics, estimated, dated)

    def whole(self) -> Knowledge:
        """The knowledge from all ratings, for pairs that are not among them."""
        return self.known.knowledge(self.estimates, seed=self._seed, dates=self.dates, threads=self._threads)

    def _dated(
        self,
        statistics: GraphStatistics,
        shown: NDArray[np.bool_],
        rows: NDArray[np.int64],
        *draw: int,
    ) -> NDArray[np.float32]:
        """The date inputs of the pairs of some ratings; some pairs are asked at no particular time."""
        known, dates = self.known, self.known.dates(statistics, self.dates, shown)
        if dates is None:
            return np.empty((len(rows), 0), np.float32)
        time = np.full(len(rows), UNKNOWN_TIME)
        if known.time is not None:
            forgets = stream(self._seed, "forgotten times", *draw).random(len(rows)) < FORGOTTEN
            time = np.where(forgets, UNKNOWN_TIME, known.time[rows])
        return dates.read(known.user[rows], known.item[rows], time, threads=self._threads)

    def _folds(self, epoch: int, pairs: int, newcomers: float, turn: int) -> Iterator[Fold]:
        return make_folds(
            self.known,
            folds=FOLDS,
            pairs=pairs,
            newcomers=newcomers,
            seed=self._seed,
            epoch=epoch,
            silent=0.0 if self.known.side is None else SILENT_IN_TRAINING,
            players=[self._players[(turn + k) % FOLDS] for k in range(FOLDS if self._players else 0)],
        )

    def _fit(self, fits: int) -> None:
        """Fit the estimates without a tenth of the ratings, and some users and items, ten times."""
        start, known = time.perf_counter(), self.known
        working_on("cross-fitted estimates")
        done = itertools.count(1)
        self._players = self._deal_players()

        def fit(fold: int) -> tuple[FactorEstimates, ...]:
            kept = self._part != fold
            players = self._players[fold]
            fitted = kept & ~players.users[known.user] & ~players.items[known.item]
            rows = fitted if fitted.any() else kept if kept.any() else np.ones(len(known), np.bool_)
            found = known.estimate(self.estimates, seed=self._seed, rows=rows)
            asked = np.flatnonzero(~kept)
            folded = self._folded(found, players, kept)
            self._estimated[asked] = features(folded, known.user[asked], known.item[asked])
            step(f"{next(done)} of {fits} fits")
            return found

        with ThreadPoolExecutor(self._threads) as workers:
            self._fits = list(workers.map(fit, range(fits)))
        logger.info("cross-fitted estimates in %.1f s", time.perf_counter() - start)

    def _deal_players(self) -> list[Players]:
        """Who may play newcomers, for each of the ten fits: nobody in two of them."""
        rng = stream(self._seed, "players")
        places = [rng.permutation(size) / size for size in (self.known.n_users, self.known.n_items)]
        width = min(max(PLAYERS, self._newcomers), 1 / FOLDS)
        found = []
        for fold in range(FOLDS):
            users, items = ((place >= fold * width) & (place < (fold + 1) * width) for place in places)
            found.append(Players(users, items))
        return found

    def _folded(
        self, estimates: tuple[FactorEstimates, ...], players: Players, shown: NDArray[np.bool_]
    ) -> tuple[FactorEstimates, ...]:
        """The estimates of a fit with the nodes that it left out folded in by their shown ratings."""
        known = self.known
        rows = np.flatnonzero(shown & (players.users[known.user] | players.items[known.item]))
        users, items = (np.flatnonzero(one).astype(np.int32) for one in players)
        ratings = known.user[rows], known.item[rows], known.rating[rows]
        return tuple(one.fold_in(*ratings, users=users, items=items) for one in estimates)

    def _estimate_newcomers(self, number: int, fold: Fold, estimated: NDArray[np.float32]) -> None:
        """Re-estimate the pairs of a fold that involve newcomers, from the ratings that these reveal."""
        known, place = self.known, number % FOLDS
        user, item = known.user[fold.asked], known.item[fold.asked]
        rows = np.flatnonzero(fold.newcomers.users[user] | fold.newcomers.items[item])
        if len(rows):
            folded = self._folded(self._fits[place], self._players[place], fold.shown)
            estimated[rows] = features(folded, user[rows], item[rows])
