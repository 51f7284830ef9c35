"""Scoring of pairs, on any view of the rating graph and from any thread.

Threads extract the subgraphs of one piece of the pairs while the models score the piece before it.
"""

from __future__ import annotations

import copy
import itertools
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from math import inf
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from igmc.config import ExtractConfig
from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, ServingGraph, Subgraphs, extract_subgraphs
from igmc.loading import Batch, SideFeatures
from igmc.models import IGMC
from igmc.threads import away, cores, pool
from igmc.training import predict_batches

__all__ = ["Scorer"]

PIECE = 128  # pairs that are cut out and read off together, at most
LEAST = 16  # and at least, where more and smaller pieces would occupy more threads


class Scorer:
    """The models of a run, with all they need to score pairs; safe to call from many threads.

    If a cap or a ratio makes subgraphs samples, model k reads sample k, so that the mean over the models also
    averages over samples. This extracts more subgraphs, but costs no more forward passes;
    `scripts/average_draws.py` measures the gain.

    With the fused kernels (on a CPU, layers of one width), a score depends, to the last bit, only on the
    pair, the graph, the models and their order; not on other pairs, the number of threads or concurrent
    calls. Elsewhere this holds up to float32 rounding.

    Args:
        models: of the M checkpoints, on `device`; their order says which sample each of them reads.
        extract: what a subgraph is, as the models were trained.
        seed: of the sampling of subgraphs, that of the run.
        device: of the models.
        threads: that cut subgraphs; all cores if None. How many the models take on a CPU is up to them.
        side: side features of users, float32 [n_users, F], and of items, float32 [n_items, G]; later users
            and items have zeros, which means unknown.
    """

    def __init__(
        self,
        models: Sequence[IGMC],
        extract: ExtractConfig,
        *,
        seed: int,
        device: torch.device,
        threads: int | None = None,
        side: SideFeatures | None = None,
    ) -> None:
        self.models, self.extract, self.seed, self.device = tuple(models), extract, seed, device
        self._draws = range(len(self.models))
        self._threads = threads or cores()
        self._side = side

    def score(
        self,
        graph: BipartiteGraph | ServingGraph,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        *,
        time: NDArray[np.int64] | None = None,
        deadline: float = inf,
    ) -> NDArray[np.float32]:
        """Predictions of the M models for P pairs, float32 [M, P], not clipped.

        Args:
            graph: the known ratings; a pair's own rating is never used.
            user, item: int [P], dense indices in the graph's range.
            time: ignored; see `igmc.networks.AnyScorer`.
            deadline: on the clock of `time.monotonic`. A thread cannot be stopped from outside, and the list
                that a request asks for may take scores of all items.

        Raises:
            DataError: on an index out of range.
            TimeoutError: if the deadline has passed before a piece of at most 128 pairs.
        """
        return self._read(self._batches(graph, user, item), deadline)

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
        """As `score`, for one user whose ratings lie over those `known`; here it makes no difference."""
        return self.score(graph, np.full(len(item), user, np.int32), item, deadline=deadline)

    def follow(
        self, known: ServingGraph, graph: ServingGraph, users: NDArray[np.int32], items: NDArray[np.int32]
    ) -> None:
        """See `igmc.networks.AnyScorer.follow`: subgraphs are cut from any view, which needs no care."""

    def warm(self, graph: ServingGraph) -> None:
        """See `igmc.networks.AnyScorer.warm`: subgraphs of different pairs share nothing."""

    def at(self, time: int) -> Self:
        """See `igmc.networks.AnyScorer.at`: these models read no dates.

        Raises:
            ConfigError: always.
        """
        raise ConfigError("this network reads no dates", got=f"a time, {time}", remedy="omit the time")

    def only(self, model: int) -> Self:
        """The scorer of one of the models, which keeps to the sample that it reads among the others."""
        one = copy.copy(self)
        one.models, one._draws = self.models[model : model + 1], self._draws[model : model + 1]
        return one

    def cut(self, graph: BipartiteGraph | ServingGraph, user: ArrayLike, item: ArrayLike) -> list[Subgraphs]:
        """The subgraphs of P pairs that the models read: one for each model, or, where all are equal, one.

        Raises:
            DataError: on an index out of range.
        """
        cut = extract_subgraphs(graph, user, item, self.extract, seed=self.seed, epoch=self._draws[0])
        if not _sampled(cut, self.extract):
            return [cut]
        others = self._draws[1:]
        return [
            cut,
            *(extract_subgraphs(graph, user, item, self.extract, seed=self.seed, epoch=k) for k in others),
        ]

    def read(self, parts: Iterable[Subgraphs], *, deadline: float = inf) -> NDArray[np.float32]:
        """As `score`, for subgraphs that are cut out already, a part of the P pairs after the other.

        All models read the same ones. The deadline may pass before any of the parts.
        """
        return self._read(([self._batch(part)] for part in parts), deadline)

    def gradients(self, subgraphs: Subgraphs) -> NDArray[np.float32]:
        """By how much the mean prediction of each pair changes with what a rating counts, float32 [E].

        The derivative with respect to the `edge_weight` of `IGMC`, where all are 1.

        Args:
            subgraphs: of P pairs, E ratings in all.
        """
        return away(self._gradients, self._batch(subgraphs), subgraphs.n_edges)

    def _gradients(self, batch: Batch, n_edges: int) -> NDArray[np.float32]:
        there = batch.to(self.device)
        weight = torch.ones(n_edges, device=self.device, requires_grad=True)
        total = torch.zeros(n_edges, device=self.device)
        for model in self.models:
            total += torch.autograd.grad(model(there, weight).sum(), weight)[0]
        found: NDArray[np.float32] = (total / len(self.models)).cpu().numpy()
        return found

    def _read(self, batches: Iterable[Sequence[Batch]], deadline: float) -> NDArray[np.float32]:
        """Predictions for the pairs of all batches, each of them one batch for all models or one for each."""
        parts = [np.empty((len(self.models), 0), np.float32)]
        for samples in batches:
            if time.monotonic() > deadline:
                raise TimeoutError
            parts.append(away(self._read_piece, samples))
        return np.concatenate(parts, axis=1)

    def _read_piece(self, samples: Sequence[Batch]) -> NDArray[np.float32]:
        """Predictions for the pairs of one batch for all models, or of one for each, float32 [M, P]."""
        readers = [self.models] if len(samples) == 1 else [[model] for model in self.models]
        return np.concatenate(
            [
                predict_batches(models, [batch], self.device)
                for models, batch in zip(readers, samples, strict=True)
            ]
        )

    def _batches(
        self, graph: BipartiteGraph | ServingGraph, user: NDArray[np.int32], item: NDArray[np.int32]
    ) -> Iterator[list[Batch]]:
        pairs = len(user)
        count = max(-(-pairs // PIECE), min(self._threads, -(-pairs // LEAST)))
        bounds = [pairs * k // count for k in range(count + 1)] if pairs else []
        pieces = [slice(low, high) for low, high in itertools.pairwise(bounds)]
        cutters = pool("cut", self._threads)
        # The caller only waits: a signal that meets the main thread inside of a kernel ends in a SystemError.
        waiting = deque(
            cutters.submit(self._cut_batches, graph, user[p], item[p]) for p in pieces[: self._threads + 1]
        )
        try:
            for piece in pieces[self._threads + 1 :]:
                samples = waiting.popleft().result()
                waiting.append(cutters.submit(self._cut_batches, graph, user[piece], item[piece]))
                yield samples
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _cut_batches(
        self, graph: BipartiteGraph | ServingGraph, user: NDArray[np.int32], item: NDArray[np.int32]
    ) -> list[Batch]:
        return [self._batch(subgraphs) for subgraphs in self.cut(graph, user, item)]

    def _batch(self, subgraphs: Subgraphs) -> Batch:
        side = None
        if self._side is not None:
            users, items = self._side
            side = np.concatenate(
                [_features(users, subgraphs.user), _features(items, subgraphs.item)], axis=1
            )
        return Batch.from_subgraphs(subgraphs, np.zeros(len(subgraphs), np.float32), side=side)


def _sampled(subgraphs: Subgraphs, extract: ExtractConfig) -> bool:
    """Whether another draw could have given another subgraph of any pair: by the ratio, or at the cap."""
    cap = extract.max_nodes_per_hop
    if extract.sample_ratio < 1 or cap is None:
        return extract.sample_ratio < 1
    labels = 2 * extract.hops + 2
    for ptr, label in (
        (subgraphs.user_ptr, subgraphs.user_label),
        (subgraphs.item_ptr, subgraphs.item_label),
    ):
        pair = np.repeat(np.arange(len(subgraphs)), np.diff(ptr))
        if np.bincount(pair * labels + label, minlength=1).max() >= cap:
            return True
    return False


def _features(known: NDArray[np.float32], index: NDArray[np.int32]) -> NDArray[np.float32]:
    rows = np.zeros((len(index), known.shape[1]), np.float32)
    there = index < len(known)
    rows[there] = known[index[there]]
    return rows
