"""Folds of the ratings with what is known of each: nothing that a pair is asked on has seen its rating.

Statistics are cheap, and so each epoch deals the ratings into folds anew. Estimates are dear: where a network
reads them the folds stay the same, and the estimates of a fold, fitted to what the fold shows alone, serve
all epochs.
"""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from igmc.estimates import FactorEstimates
from igmc.loading.folds import Fold, KnownRatings, make_folds
from igmc.loading.knowledge import Knowledge
from igmc.rng import stream
from igmc.threads import cores

__all__ = ["CrossFit"]

logger = logging.getLogger(__name__)

FOLDS = 10  # 5 lost 0.0017 on validation pairs of ML-100K, 20 gained 0.0003
PROBE_PAIRS = 4000


class CrossFit:
    """The ratings of a graph in folds.

    Args:
        known: the ratings.
        estimates: names of those that the network reads; see `igmc.loading.knowledge.ESTIMATORS`.
        newcomers: share of users and of items that play newcomers in each fold.
        pairs: ratings asked in an epoch, at most, besides those of newcomers.
        seed: of all that is drawn.
        threads: that fit estimates; as many as cores if None.
        folds: with estimates, how many of the ten are made; the others are never asked.
    """

    def __init__(
        self,
        known: KnownRatings,
        estimates: Sequence[str] = (),
        *,
        newcomers: float,
        pairs: int,
        seed: int,
        threads: int | None = None,
        folds: int = FOLDS,
    ) -> None:
        self.known, self.estimates = known, tuple(estimates)
        self._newcomers, self._pairs, self._seed = newcomers, pairs, seed
        self._threads = threads or cores()
        self._fixed = self._fit(folds) if estimates else []

    @property
    def folds_per_epoch(self) -> int:
        """How many folds an epoch takes."""
        return max(1, math.ceil(min(1.0, self._pairs / max(len(self.known), 1)) * FOLDS))

    def epoch(self, epoch: int) -> Iterator[tuple[Fold, Knowledge]]:
        """The folds of an epoch, 1 or more, each with what is known of what it shows."""
        if not self.estimates:
            for fold in self._fresh(epoch, self._pairs, self._newcomers):
                yield fold, Knowledge(self.known.statistics(fold.shown))
            return
        count = len(self._fixed)
        for step in range(self.folds_per_epoch if count else 0):
            turn, place = divmod((epoch - 1) * self.folds_per_epoch + step, count)
            fold, estimates = self._fixed[stream(self._seed, "turn", turn).permutation(count)[place]]
            asked = stream(self._seed, "asked", epoch, step).permutation(fold.asked)
            yield Fold(fold.shown, asked), Knowledge(self.known.statistics(fold.shown), estimates)

    def probe(self, draw: int) -> tuple[NDArray[np.int64], Knowledge]:
        """A tenth of the ratings, about 4,000 at most, ascending, and what is known without them.

        Args:
            draw: 0 or more; another one has other ratings, but for estimates there are no more than ten.
        """
        if self._fixed:
            fold, estimates = self._fixed[draw % len(self._fixed)]
            asked = stream(self._seed, "probe", draw).permutation(fold.asked)[:PROBE_PAIRS]
            return np.sort(asked), Knowledge(self.known.statistics(fold.shown), estimates)
        one = next(self._fresh(draw << 32, PROBE_PAIRS, 0.0), None)
        if one is None:
            return np.empty(0, np.int64), Knowledge(self.known.statistics())
        return np.sort(one.asked[:PROBE_PAIRS]), Knowledge(self.known.statistics(one.shown))

    def whole(self) -> Knowledge:
        """What is known with all of the ratings, for pairs that are not among them."""
        return self.known.knowledge(self.estimates, seed=self._seed, threads=self._threads)

    def _fresh(self, epoch: int, pairs: int, newcomers: float) -> Iterator[Fold]:
        return make_folds(
            self.known, folds=FOLDS, pairs=pairs, newcomers=newcomers, seed=self._seed, epoch=epoch
        )

    def _fit(self, count: int) -> list[tuple[Fold, tuple[FactorEstimates, ...]]]:
        """The folds of all epochs, with estimates fitted to what each shows."""
        start = time.perf_counter()
        folds = list(itertools.islice(self._fresh(0, len(self.known), self._newcomers), count))
        with ThreadPoolExecutor(self._threads) as workers:
            jobs = [
                workers.submit(self.known.estimate, self.estimates, seed=self._seed, rows=fold.shown)
                for fold in folds
            ]
            found = [(fold, job.result()) for fold, job in zip(folds, jobs, strict=True)]
        logger.info("estimates of %d folds in %.1f s", len(folds), time.perf_counter() - start)
        return found
