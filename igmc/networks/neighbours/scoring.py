"""Scoring of pairs by the neighbours network, on any view of the rating graph and from any thread."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Sequence
from math import inf
from time import monotonic
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes, ServingGraph
from igmc.intervals import IntervalModel, known_counts, pair_inputs
from igmc.loading import MEMORY, CrossFit, Knowledge, NeighbourBatch, Probe
from igmc.models import NeighboursEnsemble
from igmc.networks.answers import Answers
from igmc.networks.neighbours.estimates import NO_ESTIMATES, GraphEstimates
from igmc.networks.neighbours.graph_knowledge import GraphKnowledge, checked_nodes, known_ratings
from igmc.ratings import RatingScale, SideInformation
from igmc.statistics import InputNorms, NeighbourRows
from igmc.threads import away, cores

__all__ = ["NeighbourScorer"]

PIECE = 10_000  # pairs whose inputs are made at once


class NeighbourScorer:
    """The models of a run, with all they need to score pairs; safe to call from many threads.

    A score depends only on the pair, the graph and the models, not on other pairs or concurrent calls.

    Args:
        models: of the M checkpoints, on `device`.
        values: float [L], the rating of each level of the graphs, ascending.
        cap: neighbours of each side at most.
        device: of the models.
        estimates: that the models read, their `side` too, and where those of some graph may be kept.
        dates: "past" or "both", where the models read dates; None where they do not.
        times: when the ratings of the graphs were given, as far as that is known; ratings that came later
            are as new as the newest of these.
        threads: that read inputs, and that read them off on a CPU; all cores if None.
        memory: bytes that the shared sums of items may take; see `ItemSums`.
        norms: of the inputs on the graphs that are asked; those that the model was trained with if None.
        intervals: around the predictions on the graphs of the run; None if it has none.
    """

    def __init__(
        self,
        models: Sequence[NeighboursEnsemble],
        values: NDArray[np.float64],
        *,
        cap: int,
        device: torch.device,
        estimates: GraphEstimates = NO_ESTIMATES,
        dates: str | None = None,
        times: RatingTimes | None = None,
        threads: int | None = None,
        memory: int = MEMORY,
        norms: InputNorms | None = None,
        intervals: IntervalModel | None = None,
    ) -> None:
        self.models, self.cap, self.device, self.intervals = tuple(models), cap, device, intervals
        self.norms = norms if norms is not None else self.models[0].norms
        self.threads = threads or cores()
        self.known = GraphKnowledge(values, estimates, dates, times, threads=self.threads, memory=memory)
        self.side = estimates.side
        self._time: int | None = None
        for model in self.models:
            model.eval()

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """See `igmc.networks.AnyScorer.score`; the deadline is looked at after each 10,000 pairs."""
        return self.answers(graph, user, item, time=time, deadline=deadline).score

    def answers(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        known: ServingGraph | None = None,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> Answers:
        """See `igmc.networks.answers.UncertainScorer`."""
        view = graph if isinstance(graph, ServingGraph) else ServingGraph.of(graph)
        if known is not None and len(user):
            return self._answers_for_user(known, view, int(user[0]), item, time, deadline)
        return self._answers(view, user, item, time, deadline)

    def _answers(
        self,
        view: ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None,
        deadline: float,
    ) -> Answers:
        time = self._asked_at(time, len(user))
        users, items = checked_nodes("user", user, view.n_users), checked_nodes("item", item, view.n_items)
        found = Answers.room(len(self.models), len(users))
        knowledge = self.known.of(view)
        own = self.known.rated(view, users, items)  # to be asked without their rating
        others = np.flatnonzero(~own)
        for low in range(0, len(others), PIECE):
            _hurry(deadline)
            piece = others[low : low + PIECE]
            at = None if time is None else time[piece]
            found.put(piece, self._answer(knowledge, users[piece], items[piece], at))
        for place in np.flatnonzero(own):
            _hurry(deadline)
            pair = slice(place, place + 1)
            without = self.known.without(knowledge, view, view, int(users[place]), int(items[place]))
            at = None if time is None else time[pair]
            found.put(pair, self._answer(without, users[pair], items[pair], at))
        return found

    def score_user(
        self,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """See `igmc.networks.AnyScorer.score_user`.

        The user's ratings are laid over what is known too, and move what is known of nobody else: that takes
        time that goes by the user's ratings and the items asked.
        """
        return self._answers_for_user(known, graph, user, item, time, deadline).score

    def _answers_for_user(
        self,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None,
        deadline: float,
    ) -> Answers:
        items = checked_nodes("item", item, graph.n_items)
        time = self._asked_at(time, len(items))
        found = Answers.room(len(self.models), len(items))
        own = self.known.with_user(known, graph, user)
        rated = self.known.rated_by(user, known, graph, items)
        apart = rated & self.known.sees_own  # what is known must be made without the rating that is asked
        walked = bool(rated[~apart].any())
        others = np.flatnonzero(~apart)
        for low in range(0, len(others), PIECE):
            _hurry(deadline)
            piece = others[low : low + PIECE]
            at = None if time is None else time[piece]
            inputs = self.known.read_user(own, known, user, items[piece], at, walked=walked, **self._how)
            found.put(piece, self._read_off(own, inputs))
        for place in np.flatnonzero(apart):
            _hurry(deadline)
            at = None if time is None else time[place : place + 1]
            knowledge, inputs = self.inputs(known, graph, user, int(items[place]), at)
            found.put(slice(place, place + 1), self._read_off(knowledge, inputs))
        return found

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """See `igmc.networks.AnyScorer.follow`."""
        self.known.follow(known, graph, users, items)

    def warm(self, graph: ServingGraph) -> None:
        """See `igmc.networks.AnyScorer.warm`: what the items with the most ratings share."""
        self.known.warm(graph)

    def at(self, time: int) -> Self:
        """See `igmc.networks.AnyScorer.at`.

        Raises:
            ConfigError: if the models read no dates.
        """
        if self.known.dates is None:
            raise ConfigError(
                "this run was trained without dates", got=f"a time, {time}", remedy="omit the time"
            )
        other = copy.copy(self)
        other._time = time
        return other

    def answer(self, knowledge: Knowledge, inputs: NeighbourRows) -> NDArray[np.float32]:
        """What the models make of some inputs, in ratings, float32 [M, P]."""
        return self._read_off(knowledge, inputs).score

    def _read_off(self, knowledge: Knowledge, inputs: NeighbourRows) -> Answers:
        """The same, with the spread by the first model, whose intervals they are."""
        both = [away(model.member_steps, NeighbourBatch.whole(inputs)) for model in self.models]
        steps = np.stack([step for step, _ in both])
        found = Answers.room(*steps.shape)
        found.score[:] = inputs.base + np.float32(knowledge.deviation) * steps
        if self.intervals is None:
            return found
        told = pair_inputs(inputs, both[0][1], steps[0], knowledge.statistics.mean, knowledge.deviation)
        spread = self.intervals.spread(told, *known_counts(inputs, self.norms), knowledge.deviation)
        return dataclasses.replace(found, spread=spread)

    def inputs(
        self,
        known: ServingGraph,
        graph: ServingGraph,
        user: int,
        item: int,
        time: NDArray[np.int64] | None = None,
    ) -> tuple[Knowledge, NeighbourRows]:
        """What is known for one pair, and the inputs that `score_user` answers it by."""
        own, items = self.known.with_user(known, graph, user), np.array([item], np.int32)
        rated = bool(self.known.rated_by(user, known, graph, items)[0])
        if rated:
            own = self.known.without(own, known, graph, user, item)
        at = self._asked_at(time, 1)
        return own, self.known.read_user(own, known, user, items, at, walked=rated, **self._how)

    def on(
        self, graph: BipartiteGraph, scale: RatingScale, *, seed: int, times: RatingTimes | None = None
    ) -> NeighbourScorer:
        """The scorer for another graph of as many levels, with the norms of the inputs there."""
        folds = CrossFit(
            known_ratings(graph, scale, times),
            self.known.estimates.names,
            newcomers=0.0,
            pairs=0,
            seed=seed,
            dates=self.known.dates,
            threads=self.threads,
            fits=1,
        )
        return NeighbourScorer(
            self.models,
            scale.values,
            cap=self.cap,
            device=self.device,
            estimates=self.known.estimates.elsewhere(),
            dates=self.known.dates,
            times=times,
            threads=self.threads,
            memory=self.known.memory,
            norms=Probe.norms(folds, cap=self.cap, threads=self.threads),
        )

    def with_side(self, side: SideInformation) -> Self:
        """See `igmc.networks.answers.DescribedScorer`."""
        other = copy.copy(self)
        other.known, other.side = self.known.with_side(side), side
        return other

    def with_models(self, models: Sequence[NeighboursEnsemble]) -> NeighbourScorer:
        """The scorer of other models on the same graphs, with the same norms."""
        other = copy.copy(self)  # what is known of the graphs depends on no model
        other.models = tuple(model.eval() for model in models)
        other.intervals = None  # which are of the models that they were measured with
        return other

    def _asked_at(self, time: NDArray[np.int64] | None, count: int) -> NDArray[np.int64] | None:
        return np.full(count, self._time) if time is None and self._time is not None else time

    def _answer(
        self,
        knowledge: Knowledge,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        time: NDArray[np.int64] | None,
    ) -> Answers:
        inputs = knowledge.read(user, item, time, threads=self.threads, **self._how)
        return self._read_off(knowledge, inputs)

    @property
    def _how(self) -> dict[str, Any]:
        return {"cap": self.cap, "norms": self.norms}


def _hurry(deadline: float) -> None:
    if monotonic() > deadline:
        raise TimeoutError
