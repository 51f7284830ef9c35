"""Batches of the neighbours network: a fold after the other, each with inputs of its own graph."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.loading.folds import Fold, KnownRatings, make_folds
from igmc.loading.neighbour_batch import NeighbourBatch
from igmc.rng import fold as fold_key
from igmc.rng import mix64
from igmc.statistics import ROW_WIDTH, GraphStatistics, InputNorms, NeighbourRows, read_neighbours

__all__ = ["MEMORY", "NeighbourLoader", "Probe", "input_norms", "read_in_pieces"]

FOLDS = 10  # 5 lost 0.0017 on validation pairs of ML-100K, 20 gained 0.0003
PROBE_PAIRS = 4000
MEMORY = 2**31  # bytes of inputs made ahead, at most, if nothing else is said


class NeighbourLoader:
    """The training pairs of an epoch in batches, with inputs that their own ratings had no part in.

    The pairs, their order, the newcomers and the dropout keys are functions of (seed, epoch) alone.

    Args:
        known: the ratings of the training part.
        norms: of the inputs.
        cap: neighbours of each side at most.
        batch_size: pairs a step.
        pairs: training ratings an epoch, at most.
        newcomers: share of users and of items that play newcomers in each fold.
        seed: of all that is drawn.
        threads: that read inputs; as many as cores if None.
        memory: bytes of inputs made ahead at most, if no batch of before is held. It changes no batch.

    Attributes:
        seconds: spent so far on statistics and inputs ("inputs").
    """

    def __init__(
        self,
        known: KnownRatings,
        norms: InputNorms,
        *,
        cap: int,
        batch_size: int,
        pairs: int,
        newcomers: float,
        seed: int,
        threads: int | None = None,
        memory: int = MEMORY,
    ) -> None:
        self.known, self.norms, self.cap, self.batch_size = known, norms, cap, batch_size
        self.seconds = {"inputs": 0.0}
        self._pairs, self._newcomers, self._seed = pairs, newcomers, seed
        self._threads, self._memory = threads, memory

    def epoch(self, epoch: int) -> Iterator[NeighbourBatch]:
        """The batches of one epoch, which is 1 or more."""
        with np.errstate(over="ignore"):
            key = fold_key(mix64(np.uint64(self._seed)), np.uint64(epoch))
        folds = max(1, math.ceil(min(1.0, self._pairs / max(len(self.known), 1)) * FOLDS))
        targets = self.known.rating if self.known.target is None else self.known.target
        step = 0
        for number, one in enumerate(self._folds(epoch)):
            asked = one.asked[~np.isnan(targets[one.asked])]
            if not len(asked):
                continue
            statistics = self._timed_statistics(one)
            for low, inputs in self._inputs(statistics, asked):
                rows = asked[low : low + len(inputs)]
                target = (targets[rows] - inputs.base) / np.float32(statistics.deviation)
                for first in range(0, len(rows), self.batch_size):
                    index = np.arange(first, min(first + self.batch_size, len(rows)))
                    step += 1
                    with np.errstate(over="ignore"):
                        noise = int(fold_key(key, np.uint64(step)))
                    progress = min((number + (low + first) / len(asked)) / folds, 1.0)
                    yield NeighbourBatch(inputs, index, torch.from_numpy(target[index]), noise, progress)
                del inputs  # the next piece needs its room
            del statistics

    def _folds(self, epoch: int) -> Iterator[Fold]:
        return make_folds(
            self.known,
            folds=FOLDS,
            pairs=self._pairs,
            newcomers=self._newcomers,
            seed=self._seed,
            epoch=epoch,
        )

    def _timed_statistics(self, fold: Fold) -> GraphStatistics:
        start = time.perf_counter()
        statistics = self.known.statistics(fold.shown)
        self.seconds["inputs"] += time.perf_counter() - start
        return statistics

    def _inputs(
        self, statistics: GraphStatistics, rows: NDArray[np.int64]
    ) -> Iterator[tuple[int, NeighbourRows]]:
        """The inputs of some ratings' pairs, in pieces of whole batches that fit the memory."""
        batches = max(1, self._memory // (bytes_a_pair(self.cap) * self.batch_size))
        pieces = read_in_pieces(
            statistics,
            self.known.user[rows],
            self.known.item[rows],
            cap=self.cap,
            norms=self.norms,
            threads=self._threads,
            size=batches * self.batch_size,
        )
        while True:
            start = time.perf_counter()
            piece = next(pieces, None)
            self.seconds["inputs"] += time.perf_counter() - start
            if piece is None:
                return
            yield piece
            del piece  # the next one needs its room


def bytes_a_pair(cap: int) -> int:
    """The room that the inputs of a pair take at most."""
    return 2 * cap * 4 * (ROW_WIDTH + 2)


def read_in_pieces(
    statistics: GraphStatistics,
    user: NDArray[np.int32],
    item: NDArray[np.int32],
    *,
    cap: int,
    norms: InputNorms,
    threads: int | None,
    size: int,
) -> Iterator[tuple[int, NeighbourRows]]:
    """The inputs of P pairs in order, `size` at a time, each with the number of the first."""
    for low in range(0, len(user), size):
        piece = slice(low, low + size)
        yield (
            low,
            read_neighbours(statistics, user[piece], item[piece], cap=cap, norms=norms, threads=threads),
        )


@dataclass(frozen=True, eq=False)
class Probe:
    """Some of the known ratings, asked on the graph without them.

    Attributes:
        inputs: of P pairs; target: float32 [P], what the biases leave of their ratings, in deviations.
    """

    inputs: NeighbourRows
    target: NDArray[np.float32]

    @classmethod
    def of(
        cls, known: KnownRatings, norms: InputNorms, *, cap: int, seed: int, threads: int | None = None
    ) -> Self:
        """A probe of about 4,000 ratings at most, a function of the ratings and the seed."""
        folds = make_folds(known, folds=FOLDS, pairs=PROBE_PAIRS, newcomers=0.0, seed=seed, epoch=0)
        rows = [(fold.shown, fold.asked[:PROBE_PAIRS]) for fold in folds]
        shown, asked = rows[0] if rows else (slice(None), np.empty(0, np.int64))
        statistics = known.statistics(shown)
        inputs = read_neighbours(
            statistics, known.user[asked], known.item[asked], cap=cap, norms=norms, threads=threads
        )
        return cls(inputs, (known.rating[asked] - inputs.base) / np.float32(statistics.deviation))


def input_norms(known: KnownRatings, *, cap: int, seed: int, threads: int | None = None) -> InputNorms:
    """The norms of the inputs of a graph: those of a `Probe`."""
    probe = Probe.of(known, InputNorms.identity(), cap=cap, seed=seed, threads=threads)
    return InputNorms.of(probe.inputs)
