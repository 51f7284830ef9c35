"""The steps of training a graph recommender: which ratings, over which graph, and with which loss."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from igmc.recommenders.biases import bias_of, biases_of
from igmc.recommenders.data import Ratings, TrainingData
from igmc.recommenders.graph.adjacency import Adjacency
from igmc.recommenders.graph.gradient import unseen_items
from igmc.recommenders.graph.nodes import NodeModel
from igmc.rng import stream

if TYPE_CHECKING:
    from igmc.recommenders.graph.base import GraphRecommender

__all__ = ["DAMPING", "GraphSteps"]

Rows = NDArray[np.int64]
FOLDS = 8
DAMPING = 5.0  # of the biases


class GraphSteps:
    """Batches of training ratings and their losses.

    With the objective "rating" the ratings are dealt into folds. A batch is of one fold, and the biases, the
    features and the graph it is predicted from are those of the other folds. Else a model learns to copy
    ratings that it has seen, and trusts too much in means and biases of few ratings.

    Args:
        owner: what is trained.
        model: its network.
        graph: of all training ratings.
        data: whose validation part is not looked at.
    """

    def __init__(
        self, owner: GraphRecommender, model: NodeModel, graph: Adjacency, data: TrainingData
    ) -> None:
        self.owner, self.model, self.config = owner, model, owner.config
        self.known, self.n_users, self.n_items = data.train, data.n_users, data.n_items
        self.user, self.item = data.train.user.astype(np.int64), data.train.item.astype(np.int64)
        self.nodes = np.arange(len(graph))
        self.rng = stream(owner.seed, owner.name, "steps")
        self.graph, self.features = graph, owner._node_features()
        self.fold, self.entered = np.zeros(len(data.train), np.int64), 0
        if owner.ranks_only:
            self.seen = np.sort(self.user * self.n_items + self.item)
        else:
            self.fold = self.rng.permutation(np.arange(len(data.train)) % FOLDS)
            self.entered = -1
            self.left = torch.from_numpy(self._left(data))

    def batches(self) -> Iterator[Rows]:
        """All training ratings by number, each once, in batches."""
        for fold in self.rng.permutation(self.fold.max() + 1):
            rows = self.rng.permutation(np.flatnonzero(self.fold == fold))
            yield from np.array_split(rows, math.ceil(len(rows) / self.config.batch_size))

    def rating_loss(self, rows: Rows) -> Tensor:
        """Squared error of what the biases leave, of the ratings in some rows of one fold."""
        self._enter(int(self.fold[rows[0]]))
        x, z = self._states([self.user[rows], self.item[rows] + self.n_users])
        error = (z[0] * z[1]).sum(dim=1) - self.left[torch.from_numpy(rows)]
        return error.square().mean() + self._penalty(x, len(rows))

    def ranking_loss(self, rows: Rows) -> Tensor:
        """``-log sigmoid(s_ui - s_uj)`` for the pairs in some rows, each with an unrated item j."""
        user = self.user[rows]
        other = unseen_items(user, self.seen, self.n_items, self.rng)
        x, z = self._states([user, self.item[rows] + self.n_users, other + self.n_users])
        loss = functional.softplus((z[0] * (z[2] - z[1])).sum(dim=1)).mean()
        return loss + self._penalty(x, len(rows))

    def _left(self, data: TrainingData) -> NDArray[np.float32]:
        """Each rating less what the biases of the other folds predict."""
        left = np.empty(len(data.train), np.float32)
        for fold in range(self.fold.max() + 1):
            mine, others = self.fold == fold, self._others(fold)
            if len(others):
                state = biases_of(replace(data, train=others), DAMPING)
                left[mine] = self.known.rating[mine] - bias_of(state, self.user[mine], self.item[mine])
            else:
                left[mine] = 0.0
        return left

    def _others(self, fold: int) -> Ratings:
        rows = self.fold != fold
        return Ratings(**{name: column[rows] for name, column in self.known.columns().items()})

    def _enter(self, fold: int) -> None:
        """Make graph and features of the other folds alone: edge weights of all would tell of this one."""
        if fold != self.entered:
            self.entered, others = fold, self._others(fold)
            self.graph, self.features = self.owner._graph(others), self.owner._node_features(others)

    def _penalty(self, inputs: list[Tensor], n: int) -> Tensor:
        squared = torch.stack([x.square().sum() for x in inputs]).sum()
        penalty: Tensor = squared * (self.config.l2 / 2 / n)
        return penalty

    def _states(self, wanted: list[Rows]) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and embeddings of some lists of nodes, each float32 [B, .]."""
        config, graph, nodes = self.config, self.graph, self.nodes
        if config.neighbors is not None:
            nodes, graph = graph.sampled(np.concatenate(wanted), config.neighbors, self.rng)
            wanted = [np.searchsorted(nodes, part) for part in wanted]
        if config.edge_dropout:
            graph = graph.thinned(self.rng.random(len(graph.source)) >= config.edge_dropout)
        x, z = self.model(torch.from_numpy(nodes), graph, self.features)
        places = [torch.from_numpy(part) for part in wanted]
        # Unlike indexing, this adds gradients up in the same order with any number of threads.
        return [functional.embedding(p, x) for p in places], [functional.embedding(p, z) for p in places]
