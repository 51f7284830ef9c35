"""Training pairs of the neighbours network in batches, with inputs that their own ratings had no part in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.loading.cross_fitting import CrossFit, FoldKnowledge
from igmc.loading.knowledge import of_statistics, pair_width, with_more
from igmc.loading.neighbour_batch import NeighbourBatch
from igmc.ranks import ALONE, Place, Ranks
from igmc.rng import fold as fold_key
from igmc.rng import mix64
from igmc.statistics import ROW_WIDTH, InputNorms, NeighbourRows, read_neighbours

__all__ = ["MEMORY", "NeighbourLoader", "Probe"]

MEMORY = 2**31  # bytes of inputs made ahead, at most, if nothing else is said

T = TypeVar("T")


class NeighbourLoader:
    """The training pairs of an epoch in batches, with inputs that their own ratings had no part in.

    The pairs, their order, the newcomers and the dropout keys are functions of (seed, epoch) alone.

    Args:
        folds: of the ratings of the training part.
        norms: of the inputs.
        cap: neighbours of each side at most.
        batch_size: pairs per step.
        seed: of the dropout keys.
        threads: that read inputs; all cores if None.
        memory: maximum bytes of inputs prepared ahead, if no earlier batch is held. It does not change
            batches.
        left_out: for each member of an ensemble the ratings that it does not learn from: int64 rows of
            the known ratings, ascending. They stay in the graphs, and the other members learn from them.
        ranks: that share the batches; each gets its part of every one, which may be empty.

    Attributes:
        seconds: spent so far on statistics and inputs ("inputs").
    """

    def __init__(
        self,
        folds: CrossFit,
        norms: InputNorms,
        *,
        cap: int,
        batch_size: int,
        seed: int,
        threads: int | None = None,
        memory: int = MEMORY,
        left_out: Sequence[NDArray[np.int64]] = (),
        ranks: Ranks = ALONE,
    ) -> None:
        self.folds, self.norms, self.cap, self.batch_size = folds, norms, cap, batch_size
        self.seconds = {"inputs": 0.0}
        self._seed = seed
        self._threads, self._memory, self._left_out = threads, memory, left_out
        self._ranks = ranks

    def epoch(self, epoch: int) -> Iterator[NeighbourBatch]:
        """The batches of one epoch, which is 1 or more."""
        with np.errstate(over="ignore"):
            key = fold_key(mix64(np.uint64(self._seed)), np.uint64(epoch))
        count, known = self.folds.folds_per_epoch, self.folds.known
        targets = known.rating if known.target is None else known.target
        step = 0
        for number, fold in enumerate(self._timed(self.folds.epoch(epoch))):
            kept = np.flatnonzero(~np.isnan(targets[fold.asked]))
            fold = fold.some(kept)
            asked = fold.asked
            for low, high, inputs in self._timed(self._inputs(fold)):
                mine = 0  # of the pairs whose inputs are there
                for first in range(low, high, self.batch_size):
                    rows = asked[first : min(first + self.batch_size, high)]
                    part = self._ranks.part(len(rows))
                    index = np.arange(mine, mine + part.stop - part.start)
                    mine += len(index)
                    left = (targets[rows[part]] - inputs.base[index]) / np.float32(fold.statistics.deviation)
                    step += 1
                    with np.errstate(over="ignore"):
                        noise = int(fold_key(key, np.uint64(step)))
                    yield NeighbourBatch(
                        inputs,
                        index,
                        torch.from_numpy(left),
                        noise,
                        min((number + first / len(asked)) / count, 1.0),
                        *self._counts(rows, part),
                        place=Place(part.start, len(rows)),
                    )
                del inputs  # the next piece needs its room
            del fold

    def _counts(
        self, rows: NDArray[np.int64], part: slice
    ) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        """`counts` and `of` of a part of a batch; see `NeighbourBatch`."""
        if not self._left_out:
            return None, None
        counts = np.stack([~np.isin(rows, out) for out in self._left_out]).astype(np.float32)
        return torch.from_numpy(counts[:, part].copy()), torch.from_numpy(counts.sum(axis=1))

    def _inputs(self, fold: FoldKnowledge) -> Iterator[tuple[int, int, NeighbourRows]]:
        """From and to which pair of a fold pieces go, of whole batches, and the inputs of this rank's parts.

        A piece has as many pairs as fit the memory.
        """
        fits = max(1, self._memory * self._ranks.size // (bytes_a_pair(self.cap) * self.batch_size))
        for low in range(0, len(fold.asked), fits * self.batch_size):
            high = min(low + fits * self.batch_size, len(fold.asked))
            batches = np.split(np.arange(low, high), range(self.batch_size, high - low, self.batch_size))
            own = np.concatenate([batch[self._ranks.part(len(batch))] for batch in batches])
            yield low, high, _read(self.folds, fold.some(own), self.norms, self.cap, self._threads)

    def _timed(self, pieces: Iterator[T]) -> Iterator[T]:
        """The same pieces; what it takes to make them is added to `seconds`."""
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


def _read(
    folds: CrossFit, fold: FoldKnowledge, norms: InputNorms, cap: int, threads: int | None
) -> NeighbourRows:
    """The inputs of all pairs that a fold asks."""
    user, item = folds.known.user[fold.asked], folds.known.item[fold.asked]
    own = of_statistics(norms)
    rows = read_neighbours(fold.statistics, user, item, cap=cap, norms=own, threads=threads)
    return with_more(rows, fold.statistics, fold.estimated, fold.dated, norms)


@dataclass(frozen=True, eq=False)
class Probe:
    """Some of the known ratings, asked on the graph without them.

    Attributes:
        rows: int64 [P], which ratings, ascending.
        inputs: of P pairs; target: float32 [P], what the base of the inputs leaves of their ratings, in
            deviations.
    """

    rows: NDArray[np.int64]
    inputs: NeighbourRows
    target: NDArray[np.float32]

    @classmethod
    def of(
        cls, folds: CrossFit, norms: InputNorms, *, cap: int, draw: int = 0, threads: int | None = None
    ) -> Self:
        """The probe of a draw; see `CrossFit.probe`."""
        return cls._read(folds, folds.probe(draw), norms, cap, threads)

    @classmethod
    def newcomers(
        cls,
        folds: CrossFit,
        norms: InputNorms,
        rows: NDArray[np.int64],
        *,
        cap: int,
        threads: int | None = None,
    ) -> list[Self]:
        """Probes of newcomers, asked about some of the known ratings; see `CrossFit.newcomers`."""
        return [cls._read(folds, fold, norms, cap, threads) for fold in folds.newcomers(rows)]

    @classmethod
    def _read(
        cls, folds: CrossFit, fold: FoldKnowledge, norms: InputNorms, cap: int, threads: int | None
    ) -> Self:
        inputs = _read(folds, fold, norms, cap, threads)
        left = folds.known.rating[fold.asked] - inputs.base
        return cls(fold.asked, inputs, left / np.float32(fold.statistics.deviation))

    @classmethod
    def norms(cls, folds: CrossFit, *, cap: int, threads: int | None = None) -> InputNorms:
        """The norms of the inputs of a graph: those of a probe."""
        identity = InputNorms.identity(pair_width(folds.estimates, folds.dates))
        return InputNorms.of(cls.of(folds, identity, cap=cap, threads=threads).inputs)
