"""From pairs to numbers by the neighbours network, on any view of the rating graph and from any thread."""

from __future__ import annotations

import copy
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from math import inf
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.graph import BipartiteGraph, Rows, ServingGraph
from igmc.loading import MEMORY, KnownRatings, NeighbourBatch, input_norms, read_in_pieces
from igmc.models import NeighboursEnsemble
from igmc.ratings import RatingScale
from igmc.statistics import (
    GraphStatistics,
    InputNorms,
    ItemSums,
    NeighbourRows,
    read_for_user,
    read_neighbours,
    with_patches,
    with_user,
)
from igmc.threads import away, cores

__all__ = ["NeighbourScorer", "known_ratings"]

PIECE = 10_000  # pairs whose inputs are made at once
KEPT = 2  # graphs whose statistics are kept


def known_ratings(graph: BipartiteGraph, scale: RatingScale) -> KnownRatings:
    """The ratings of a graph, by user."""
    return _ratings(Rows.of(graph)[0], graph.n_items, scale.values)


def _ratings(rows: Rows, n_items: int, values: NDArray[np.float64]) -> KnownRatings:
    return KnownRatings(
        user=np.repeat(np.arange(len(rows.ptr) - 1, dtype=np.int32), np.diff(rows.ptr)),
        item=rows.neighbours,
        rating=values[rows.levels].astype(np.float32),
        n_users=len(rows.ptr) - 1,
        n_items=n_items,
        span=float(values[-1] - values[0]) or 1.0,
    )


class _Base(NamedTuple):
    """A graph without patches, its statistics, and what its items share."""

    rows: Rows
    statistics: GraphStatistics
    shared: ItemSums


class NeighbourScorer:
    """The models of a run and what they need to score pairs; any number of threads may call it at once.

    A score depends on the pair, the graph and the models: not on the other pairs or on what runs beside it.

    Args:
        models: of the M checkpoints, on `device`.
        values: float [L], the rating of each level of the graphs, ascending.
        cap: neighbours of each side at most.
        device: of the models.
        threads: that read inputs, and that read them off on a CPU; all cores if None.
        memory: bytes that the shared sums of items may take; see `ItemSums`.
        norms: of the inputs on the graphs that are asked; those that the model was trained with if None.
    """

    def __init__(
        self,
        models: Sequence[NeighboursEnsemble],
        values: NDArray[np.float64],
        *,
        cap: int,
        device: torch.device,
        threads: int | None = None,
        memory: int = MEMORY,
        norms: InputNorms | None = None,
    ) -> None:
        self.models, self.values, self.cap, self.device = tuple(models), values, cap, device
        self.norms = norms if norms is not None else self.models[0].norms
        self.threads = threads or cores()
        self._memory = memory
        self._bases: OrderedDict[int, _Base] = OrderedDict()
        self._lock = threading.Lock()
        for model in self.models:
            model.eval()

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """What each of the M models predicts for P pairs, float32 [M, P], not clipped.

        Args:
            graph: the ratings that are known; the pair's own is never looked at.
            user, item: int [P], dense indices in the graph's range.
            deadline: on the clock of `time.monotonic`.

        Raises:
            DataError: on an index out of range.
            TimeoutError: if the deadline has passed before a piece of at most 10,000 pairs.
        """
        view = graph if isinstance(graph, ServingGraph) else ServingGraph.of(graph)
        users, items = _checked("user", user, view.n_users), _checked("item", item, view.n_items)
        parts = [np.empty((len(self.models), 0), np.float32)]
        statistics = self._statistics(view)
        pieces = read_in_pieces(
            statistics, users, items, cap=self.cap, norms=self.norms, threads=self.threads, size=PIECE
        )
        for _, inputs in pieces:
            if time.monotonic() > deadline:
                raise TimeoutError
            parts.append(self.answer(statistics, inputs))
        return np.concatenate(parts, axis=1)

    def score_user(
        self,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: NDArray[np.int32],
        *,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """As `score`, for one user whose ratings lie over those that are `known`.

        They are laid over the statistics too, and move the statistics of nobody else: that takes time that
        goes by the user's ratings and the items asked.

        Args:
            known: the ratings known; graph: these, and the user's.
            user: dense index in `graph`; item: int32 [P].
            deadline: as in `score`.

        Raises:
            DataError, TimeoutError: as `score`.
        """
        items = _checked("item", item, graph.n_items)
        rated, levels = graph.by_user.row(user)
        own = with_user(self._statistics(known), user, rated, self.values[levels])
        fast = not known.n_patched and not np.isin(items, rated).any()
        parts = [np.empty((len(self.models), 0), np.float32)]
        for low in range(0, len(items), PIECE):
            if time.monotonic() > deadline:
                raise TimeoutError
            piece = items[low : low + PIECE]
            if fast:
                shared = self._base(known).shared
                inputs = read_for_user(
                    own, shared, user, piece, cap=self.cap, norms=self.norms, threads=self.threads
                )
            else:
                users = np.full(len(piece), user, np.int32)
                inputs = read_neighbours(
                    own, users, piece, cap=self.cap, norms=self.norms, threads=self.threads
                )
            parts.append(self.answer(own, inputs))
        return np.concatenate(parts, axis=1)

    def answer(self, statistics: GraphStatistics, inputs: NeighbourRows) -> NDArray[np.float32]:
        """What the models make of some inputs, in ratings, float32 [M, P]."""
        steps = [away(model.steps, NeighbourBatch.whole(inputs)) for model in self.models]
        return (inputs.base + np.float32(statistics.deviation) * np.stack(steps)).astype(np.float32)

    def inputs(
        self, known: ServingGraph, graph: ServingGraph, user: int, item: int
    ) -> tuple[GraphStatistics, NeighbourRows]:
        """The statistics and the inputs of one pair, those that `score_user` answers it by."""
        rated, levels = graph.by_user.row(user)
        own = with_user(self._statistics(known), user, rated, self.values[levels])
        pair = np.array([user], np.int32), np.array([item], np.int32)
        return own, read_neighbours(own, *pair, cap=self.cap, norms=self.norms, threads=1)

    def on(self, graph: BipartiteGraph, scale: RatingScale, *, seed: int) -> NeighbourScorer:
        """The scorer for another graph of as many levels, with the norms of the inputs there."""
        known = known_ratings(graph, scale)
        norms = input_norms(known, cap=self.cap, seed=seed, threads=self.threads)
        return NeighbourScorer(
            self.models,
            scale.values,
            cap=self.cap,
            device=self.device,
            threads=self.threads,
            memory=self._memory,
            norms=norms,
        )

    def with_models(self, models: Sequence[NeighboursEnsemble]) -> NeighbourScorer:
        """The scorer of other models on the same graphs, with the same norms."""
        other = copy.copy(self)  # what is known of the graphs depends on no model
        other.models = tuple(model.eval() for model in models)
        return other

    def _statistics(self, graph: ServingGraph) -> GraphStatistics:
        base = self._base(graph).statistics
        return with_patches(base, graph, self.values) if graph.n_patched else base

    def _base(self, graph: ServingGraph) -> _Base:
        """The statistics of the graph below a view, made when it is first asked."""
        key = id(graph.by_user.ptr)
        with self._lock:
            found = self._bases.get(key)
            if found is None:
                known = _ratings(graph.by_user, len(graph.by_item.ptr) - 1, self.values)
                statistics = known.statistics()
                found = _Base(graph.by_user, statistics, ItemSums(statistics, self._memory))
                self._bases[key] = found
                while len(self._bases) > KEPT:
                    self._bases.popitem(last=False)
            self._bases.move_to_end(key)
        return found


def _checked(side: str, index: NDArray[np.int32], size: int) -> NDArray[np.int32]:
    found = np.asarray(index, np.int32)
    if len(found) and (found.min() < 0 or found.max() >= size):
        bad = found[(found < 0) | (found >= size)][0]
        raise DataError(f"no such {side} in the graph", got=int(bad), allowed=f"0..{size - 1}")
    return found
