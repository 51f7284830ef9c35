"""From pairs to numbers by the neighbours network, on any view of the rating graph and from any thread."""

from __future__ import annotations

import copy
import dataclasses
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
from igmc.loading import MEMORY, CrossFit, Knowledge, KnownRatings, NeighbourBatch, Probe
from igmc.models import NeighboursEnsemble
from igmc.networks.neighbours.estimates import NO_ESTIMATES, GraphEstimates, laid_over
from igmc.ratings import RatingScale
from igmc.statistics import InputNorms, ItemSums, NeighbourRows, with_patches, with_user
from igmc.threads import away, cores

__all__ = ["NeighbourScorer", "known_ratings"]

PIECE = 10_000  # pairs whose inputs are made at once
_NOBODY = np.empty(0, np.int32)
KEPT = 2  # graphs, and views of them, whose knowledge is kept


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
    """A graph without patches, what is known of it, and what its items share."""

    rows: Rows
    knowledge: Knowledge
    shared: ItemSums


class NeighbourScorer:
    """The models of a run and what they need to score pairs; any number of threads may call it at once.

    A score depends on the pair, the graph and the models: not on the other pairs or on what runs beside it.

    Args:
        models: of the M checkpoints, on `device`.
        values: float [L], the rating of each level of the graphs, ascending.
        cap: neighbours of each side at most.
        device: of the models.
        estimates: that the models read, and where those of some graph may be kept.
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
        estimates: GraphEstimates = NO_ESTIMATES,
        threads: int | None = None,
        memory: int = MEMORY,
        norms: InputNorms | None = None,
    ) -> None:
        self.models, self.values, self.cap, self.device = tuple(models), values, cap, device
        self.norms = norms if norms is not None else self.models[0].norms
        self.threads = threads or cores()
        self.estimates = estimates
        self._memory = memory
        self._bases: OrderedDict[int, _Base] = OrderedDict()
        self._views: OrderedDict[int, tuple[ServingGraph, Knowledge]] = OrderedDict()
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
        found = np.empty((len(self.models), len(users)), np.float32)
        knowledge = self._knowledge(view)
        own = self._rated(view, users, items)  # each of them is asked on what is known without its rating
        others = np.flatnonzero(~own)
        for low in range(0, len(others), PIECE):
            if time.monotonic() > deadline:
                raise TimeoutError
            piece = others[low : low + PIECE]
            found[:, piece] = self._answer(knowledge, users[piece], items[piece])
        for place in np.flatnonzero(own):
            if time.monotonic() > deadline:
                raise TimeoutError
            pair = slice(place, place + 1)
            without = self._without(knowledge, view, int(users[place]), int(items[place]))
            found[:, pair] = self._answer(without, users[pair], items[pair])
        return found

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

        They are laid over what is known too, and move what is known of nobody else: that takes time that
        goes by the user's ratings and the items asked.

        Args:
            known: the ratings known; graph: these, and the user's.
            user: dense index in `graph`; item: int32 [P].
            deadline: as in `score`.

        Raises:
            DataError, TimeoutError: as `score`.
        """
        items = _checked("item", item, graph.n_items)
        found = np.empty((len(self.models), len(items)), np.float32)
        own = self._with_user(known, graph, user)
        rated = np.isin(items, graph.by_user.row(user)[0])
        apart = rated & bool(self.estimates.names)  # estimates must be made without the rating that is asked
        fast = not known.n_patched and not rated[~apart].any()
        others = np.flatnonzero(~apart)
        for low in range(0, len(others), PIECE):
            if time.monotonic() > deadline:
                raise TimeoutError
            piece = others[low : low + PIECE]
            if fast:
                shared = self._base(known).shared
                inputs = own.read_for_user(
                    shared, user, items[piece], cap=self.cap, norms=self.norms, threads=self.threads
                )
                found[:, piece] = self.answer(own, inputs)
            else:
                found[:, piece] = self._answer(own, np.full(len(piece), user, np.int32), items[piece])
        for place in np.flatnonzero(apart):
            if time.monotonic() > deadline:
                raise TimeoutError
            knowledge, inputs = self.inputs(known, graph, user, int(items[place]))
            found[:, place : place + 1] = self.answer(knowledge, inputs)
        return found

    def answer(self, knowledge: Knowledge, inputs: NeighbourRows) -> NDArray[np.float32]:
        """What the models make of some inputs, in ratings, float32 [M, P]."""
        steps = [away(model.steps, NeighbourBatch.whole(inputs)) for model in self.models]
        return (inputs.base + np.float32(knowledge.deviation) * np.stack(steps)).astype(np.float32)

    def inputs(
        self, known: ServingGraph, graph: ServingGraph, user: int, item: int
    ) -> tuple[Knowledge, NeighbourRows]:
        """What is known for one pair, and the inputs that `score_user` answers it by."""
        own = self._with_user(known, graph, user)
        if item in graph.by_user.row(user)[0]:
            own = self._without(own, graph, user, item)
        pair = np.array([user], np.int32), np.array([item], np.int32)
        return own, own.read(*pair, cap=self.cap, norms=self.norms, threads=1)

    def on(self, graph: BipartiteGraph, scale: RatingScale, *, seed: int) -> NeighbourScorer:
        """The scorer for another graph of as many levels, with the norms of the inputs there."""
        known, names = known_ratings(graph, scale), self.estimates.names
        folds = CrossFit(known, names, newcomers=0.0, pairs=0, seed=seed, threads=self.threads, fits=1)
        return NeighbourScorer(
            self.models,
            scale.values,
            cap=self.cap,
            device=self.device,
            estimates=self.estimates.elsewhere(),
            threads=self.threads,
            memory=self._memory,
            norms=Probe.norms(folds, cap=self.cap, threads=self.threads),
        )

    def with_models(self, models: Sequence[NeighboursEnsemble]) -> NeighbourScorer:
        """The scorer of other models on the same graphs, with the same norms."""
        other = copy.copy(self)  # what is known of the graphs depends on no model
        other.models = tuple(model.eval() for model in models)
        return other

    def _answer(
        self, knowledge: Knowledge, user: NDArray[np.int32], item: NDArray[np.int32]
    ) -> NDArray[np.float32]:
        inputs = knowledge.read(user, item, cap=self.cap, norms=self.norms, threads=self.threads)
        return self.answer(knowledge, inputs)

    def _rated(
        self, graph: ServingGraph, user: NDArray[np.int32], item: NDArray[np.int32]
    ) -> NDArray[np.bool_]:
        """Which of the pairs the estimates know the ratings of; none where there are no estimates."""
        found = np.zeros(len(user), np.bool_)
        if self.estimates.names:
            for one in np.unique(user):
                mine = np.flatnonzero(user == one)
                found[mine] = np.isin(item[mine], graph.by_user.row(int(one))[0])
        return found

    def _with_user(self, known: ServingGraph, graph: ServingGraph, user: int) -> Knowledge:
        """What is known, with a user's ratings laid over it."""
        found = self._knowledge(known)
        rated, levels = graph.by_user.row(user)
        own = with_user(found.statistics, user, rated, self.values[levels])
        mine = np.full(len(rated), user, np.int32), rated, self.values[levels]
        found = dataclasses.replace(found, statistics=own)
        return found.with_ratings(*mine, users=np.array([user], np.int32), items=_NOBODY)

    def _without(self, knowledge: Knowledge, graph: ServingGraph, user: int, item: int) -> Knowledge:
        """What is known, but for what the estimates make of one rating: of its user's and of its item's."""
        rated, levels = graph.by_user.row(user)
        raters, their = graph.by_item.row(item)
        kept, others = rated != item, raters != user
        return knowledge.with_ratings(
            np.concatenate([np.full(np.count_nonzero(kept), user, np.int32), raters[others]]),
            np.concatenate([rated[kept], np.full(np.count_nonzero(others), item, np.int32)]),
            self.values[np.concatenate([levels[kept], their[others]])],
            users=np.array([user], np.int32),
            items=np.array([item], np.int32),
        )

    def _knowledge(self, graph: ServingGraph) -> Knowledge:
        """What is known of a view; kept for the last ones, as making it anew takes its patches' time."""
        base = self._base(graph).knowledge
        if not graph.n_patched:
            return base
        with self._lock:
            kept = self._views.get(id(graph))
        if kept is None:
            statistics = with_patches(base.statistics, graph, self.values)
            kept = graph, laid_over(dataclasses.replace(base, statistics=statistics), graph, self.values)
            with self._lock:
                self._views[id(graph)] = kept
                while len(self._views) > KEPT:
                    self._views.popitem(last=False)
        return kept[1]

    def _base(self, graph: ServingGraph) -> _Base:
        """What is known of the graph below a view, made when it is first asked."""
        key = id(graph.by_user.ptr)
        with self._lock:
            found = self._bases.get(key)
            if found is None:
                known = _ratings(graph.by_user, len(graph.by_item.ptr) - 1, self.values)
                knowledge = Knowledge(known.statistics(), self.estimates.of(known, self.threads))
                found = _Base(graph.by_user, knowledge, ItemSums(knowledge.statistics, self._memory))
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
