"""What training a graph recommender minimizes: batches of training ratings, and a loss for each objective."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from igmc.recommenders.biases import fit_biases, predict_biases
from igmc.recommenders.graph.config import GraphConfig
from igmc.recommenders.graph.node_encoder import GraphInput, NodeEncoder
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["BIAS_DAMPING", "Objective", "RankingObjective", "RatingObjective", "sample_unrated"]

Rows = NDArray[np.int64]
FOLDS = 8
BIAS_DAMPING = 5.0
TRIES = 30  # draws of an item that the user has not rated; what has been rated by then counts as unrated


class Objective(ABC):
    """Batches of training ratings, and the loss of each.

    Args:
        encoder: what is trained.
        config: of the training.
        data: whose validation part is not looked at.
        rng: of batches, negative items and sampled or dropped edges.

    Attributes:
        fold: int64 [n], the fold of each training rating; a batch is of one fold.
    """

    def __init__(
        self, encoder: NodeEncoder, config: GraphConfig, data: TrainingData, rng: np.random.Generator
    ) -> None:
        self.encoder, self.config, self.rng = encoder, config, rng
        self.n_users, self.n_items = data.n_users, data.n_items
        self.user, self.item = data.train.user.astype(np.int64), data.train.item.astype(np.int64)
        self.fold = np.zeros(len(data.train), np.int64)

    def batches(self) -> Iterator[Rows]:
        """All training ratings by number, each once, in batches of at most `batch_size`."""
        for fold in self.rng.permutation(self.fold.max() + 1):
            rows = self.rng.permutation(np.flatnonzero(self.fold == fold))
            yield from np.array_split(rows, math.ceil(len(rows) / self.config.batch_size))

    @abstractmethod
    def loss(self, rows: Rows) -> Tensor:
        """Mean loss of a batch, L2 penalty included.

        Args:
            rows: int64 [B], numbers of training ratings, as `batches` gives them.
        """

    def _encoded(self, given: GraphInput, wanted: list[Rows]) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and embeddings of some lists of nodes, each float32 [B, .]."""
        config, graph, nodes = self.config, given.graph, np.arange(len(given.graph))
        if config.neighbors is not None:
            nodes, graph = graph.sampled(np.concatenate(wanted), config.neighbors, self.rng)
            wanted = [np.searchsorted(nodes, part) for part in wanted]
        if config.edge_dropout:
            graph = graph.thinned(self.rng.random(len(graph.source)) >= config.edge_dropout)
        x, z = self.encoder(torch.from_numpy(nodes), graph, given.features)
        places = [torch.from_numpy(part) for part in wanted]
        # Unlike indexing, this adds gradients up in the same order with any number of threads.
        return [functional.embedding(p, x) for p in places], [functional.embedding(p, z) for p in places]

    def _penalty(self, inputs: list[Tensor], n: int) -> Tensor:
        squared = torch.stack([x.square().sum() for x in inputs]).sum()
        penalty: Tensor = squared * (self.config.l2 / 2 / n)
        return penalty


class RatingObjective(Objective):
    """Squared error of what the biases leave of a rating.

    The ratings are dealt into folds, and the biases, the features and the graph that a batch is predicted
    from are those of the other folds. Else a model learns to copy ratings that it has seen, and trusts too
    much in means and biases of few ratings.

    Args:
        input_of: the graph and the features that follow from some ratings.
    """

    def __init__(
        self,
        encoder: NodeEncoder,
        config: GraphConfig,
        data: TrainingData,
        rng: np.random.Generator,
        input_of: Callable[[Ratings], GraphInput],
    ) -> None:
        super().__init__(encoder, config, data, rng)
        self.known, self.input_of = data.train, input_of
        self.fold = rng.permutation(np.arange(len(data.train)) % FOLDS)
        self.residual = torch.from_numpy(self._residuals(data))
        self._current: tuple[int, GraphInput] | None = None

    def loss(self, rows: Rows) -> Tensor:
        given = self._without(int(self.fold[rows[0]]))
        x, z = self._encoded(given, [self.user[rows], self.item[rows] + self.n_users])
        error = (z[0] * z[1]).sum(dim=1) - self.residual[torch.from_numpy(rows)]
        return error.square().mean() + self._penalty(x, len(rows))

    def _residuals(self, data: TrainingData) -> NDArray[np.float32]:
        """Each rating less what the biases of the other folds predict; 0 if there are no others."""
        residual = np.zeros(len(data.train), np.float32)
        for fold in range(self.fold.max() + 1):
            mine, others = self.fold == fold, self._others(fold)
            if len(others):
                biases = fit_biases(replace(data, train=others), BIAS_DAMPING)
                predicted = predict_biases(biases, self.user[mine], self.item[mine])
                residual[mine] = self.known.rating[mine] - predicted
        return residual

    def _others(self, fold: int) -> Ratings:
        rows = self.fold != fold
        return Ratings(**{name: column[rows] for name, column in self.known.columns().items()})

    def _without(self, fold: int) -> GraphInput:
        """Graph and features of the other folds alone: edge weights of all would tell of this one."""
        if self._current is None or self._current[0] != fold:
            self._current = fold, self.input_of(self._others(fold))
        return self._current[1]


class RankingObjective(Objective):
    """``-log sigmoid(s_ui - s_uj)`` for each rated pair (u, i), with an unrated item j (BPR).

    Args:
        given: the graph and the features of all training ratings.
    """

    def __init__(
        self,
        encoder: NodeEncoder,
        config: GraphConfig,
        data: TrainingData,
        rng: np.random.Generator,
        given: GraphInput,
    ) -> None:
        super().__init__(encoder, config, data, rng)
        self.given = given
        self.rated = np.sort(self.user * self.n_items + self.item)

    def loss(self, rows: Rows) -> Tensor:
        user = self.user[rows]
        unrated = sample_unrated(user, self.rated, self.n_items, self.rng)
        wanted = [user, self.item[rows] + self.n_users, unrated + self.n_users]
        x, z = self._encoded(self.given, wanted)
        loss = functional.softplus((z[0] * (z[2] - z[1])).sum(dim=1)).mean()
        return loss + self._penalty(x, len(rows))


def sample_unrated(user: Rows, rated: Rows, n_items: int, rng: np.random.Generator) -> Rows:
    """For each user an item drawn uniformly from those that the user has not rated, int64 [B].

    A user who has rated nearly everything may get a rated item.

    Args:
        user: int64 [B].
        rated: the pairs rated, as ``user * n_items + item``, int64, ascending.
        n_items: number of items.
        rng: of the draws.
    """
    drawn = rng.integers(n_items, size=len(user))
    for _ in range(TRIES):
        key = user * n_items + drawn
        place = np.minimum(np.searchsorted(rated, key), len(rated) - 1)
        bad = np.flatnonzero(rated[place] == key)
        if not len(bad):
            break
        drawn[bad] = rng.integers(n_items, size=len(bad))
    return drawn
