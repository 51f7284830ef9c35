"""What all graph recommenders share: inputs, training, and the embeddings that remain."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.errors import ConfigError
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.biases import fit_biases, fold_in_biases, predict_biases
from igmc.recommenders.graph.adjacency import Adjacency, edge_weights
from igmc.recommenders.graph.config import GraphConfig
from igmc.recommenders.graph.features import NodeFeatures
from igmc.recommenders.graph.node_encoder import GraphInput, NodeEncoder
from igmc.recommenders.graph.objectives import BIAS_DAMPING, RankingObjective, RatingObjective
from igmc.recommenders.graph.training_loop import train
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.torch_seeded import torch_seeded
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.recommenders.validation_ndcg import validation_lists
from igmc.rng import stream

__all__ = ["GraphRecommender"]


class GraphRecommender(Recommender):
    """Users and items get embeddings from a network over the graph of ratings; ``z_u . z_i`` is the score.

    With the objective "rating", ``mean + b_u + b_i + z_u . z_i``, where the biases are those of
    `igmc.recommenders.biases.Biases` and the network learns what is left, by squared error. The training
    ratings are dealt into eight parts, and what is predicted for one part follows from the others alone:
    biases, edges and features, as it will be for the pairs that are asked. With "ranking", BPR on pairs of a
    rated and an unrated item, over the whole graph (He et al., *LightGCN*, SIGIR 2020); values of ratings
    then count only as edge weights. All embeddings follow from one pass over the graph, once a step, or with
    `neighbors` over a sampled part of it.

    Without features, an item without ratings has the embedding 0, and so does a user (rating); or (ranking)
    the mean of all users that have ratings. With features alone it has the embedding of its features, and
    `fold_in` computes all embeddings anew from the known and the new ratings.
    """

    config_class: ClassVar = GraphConfig
    fitted: ClassVar = ("epochs", "users", "items", "biases", "weights", "features", "known")
    normalization: ClassVar[str] = "symmetric"

    epochs: int
    users: Floats
    items: Floats
    biases: dict[str, Any]
    weights: dict[str, Tensor]
    features: dict[str, Any]
    known: dict[str, NDArray[Any]]

    @property
    def ranks_only(self) -> bool:
        return bool(self.config.objective == "ranking")

    @property
    def uses_validation(self) -> bool:
        return True

    @property
    def inputs(self) -> str:
        """What stands for a user or item: "ids", "features" or "both"."""
        return str(getattr(self.config, "inputs", "ids"))

    @property
    def inductive(self) -> bool:  # type: ignore[override]
        """With features alone."""
        return self.inputs == "features"

    def search_space(self) -> dict[str, Range | OneOf]:
        # As in NGCF (rate 1e-4 to 5e-3, dropout 0 to 0.8) and LightGCN (L2 1e-6 to 1e-2, 1 to 4 layers), but
        # with larger rates, since our batches are larger too, and less dropout.
        space: dict[str, Range | OneOf] = {
            "learning_rate": Range(5e-4, 5e-2, log=True),
            "l2": Range(1e-6, 3e-2, log=True),
            "dim": OneOf((32, 64, 128)),
            "edge_dropout": Range(0.0, 0.5),
        }
        if self.config.neighbors is None:  # which has one number for each layer
            space["layers"] = Range(1, 4)
        if hasattr(self.config, "dropout"):
            space["dropout"] = Range(0.0, 0.5)
        return space

    def chosen_config(self) -> GraphConfig:
        config: GraphConfig = self.config
        return config.replace(epochs=self.epochs) if self.n_items else config

    def embeddings(self) -> tuple[Floats, Floats]:
        """Of users, float32 [n_users, D], and of items, [n_items, D]."""
        return self.users, self.items

    @abstractmethod
    def _network(self) -> nn.Module:
        """A fresh one, as `NodeEncoder` takes it."""

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        config: GraphConfig = self.config
        if config.neighbors is not None and len(config.neighbors) != config.layers:
            raise ConfigError(
                "the number of fan-outs differs from the number of layers",
                got=config.neighbors,
                allowed=f"{config.layers}",
            )
        self.known = data.train.columns()
        self.features = {}
        if self.inputs != "ids":
            self.features = NodeFeatures.fit(data, config.tag_rank, self.seed).state()  # type: ignore[attr-defined]
        self.biases = fit_biases(data, BIAS_DAMPING)
        whole, rng = self._input(), stream(self.seed, self.name, "steps")
        with torch_seeded(self.seed, self.name):
            encoder = self._encoder(whole)
            shared = (encoder, config, data, rng)
            objective = (
                RankingObjective(*shared, whole) if self.ranks_only else RatingObjective(*shared, self._input)
            )
            measure = (lambda: self._measure(encoder, whole, data)) if len(data.validation) else None
            self.history, self.epochs = train(encoder, objective, measure, config, monitor)
        self.weights = {name: value.clone() for name, value in encoder.state_dict().items()}
        self._embed(encoder, whole)

    def _measure(self, encoder: NodeEncoder, given: GraphInput, data: TrainingData) -> dict[str, float]:
        self._embed(encoder, given)
        if self.ranks_only:
            return validation_lists(self._scores, data)
        error = self._predict(data.validation.user, data.validation.item) - data.validation.rating
        return {"validation_rmse": float(np.sqrt(np.mean(np.square(error, dtype=np.float64))))}

    def _input(self, known: Ratings | None = None) -> GraphInput:
        """Graph and features by some ratings, or all that are known."""
        known, config = Ratings(**self.known) if known is None else known, self.config
        graph = Adjacency.of(
            known,
            edge_weights(known, config.edge_weight, config.half_life),
            n_users=self.n_users,
            n_items=self.n_items,
            normalization=self.normalization,
        )
        made = NodeFeatures(**self.features).of(known) if self.features else {}
        return GraphInput(graph, {side: torch.from_numpy(values) for side, values in made.items()})

    def _encoder(self, given: GraphInput) -> NodeEncoder:
        """A fresh one for such an input."""
        user, item = (given.features[side].shape[1] if given.features else 0 for side in ("user", "item"))
        return NodeEncoder(
            self._network(), self.config.dim, self.n_users, self.n_items, self.inputs, (user, item)
        )

    def _trained_encoder(self, given: GraphInput) -> NodeEncoder:
        """As it was after training, for such an input."""
        with torch_seeded(self.seed, self.name):
            encoder = self._encoder(given)
        encoder.load_state_dict(self.weights)
        return encoder.eval()

    def _embed(self, encoder: NodeEncoder, given: GraphInput) -> None:
        """Compute the embeddings of all nodes, over the whole graph."""
        with torch.no_grad():
            _, z = encoder(torch.arange(len(given.graph)), given.graph, given.features)
        self.users, self.items = z[: self.n_users].numpy(), z[self.n_users :].numpy()
        if self.inputs == "features":
            return
        rated = np.isin(np.arange(self.n_users), self.known["user"])
        stranger = self.users[rated].mean(axis=0) if self.ranks_only else np.float32(0)
        self.users[~rated] = stranger
        self.items[~np.isin(np.arange(self.n_items), self.known["item"])] = 0.0

    def _fold_in(self, support: Ratings) -> None:
        self.biases = fold_in_biases(self.biases, self.known, support, self.n_users, self.n_items)
        self.known = (Ratings(**self.known) + support).columns()
        given = self._input()
        self._embed(self._trained_encoder(given), given)

    def _predict(self, user: Indices, item: Indices) -> Floats:
        products: Floats = np.einsum("pd,pd->p", self.users[user], self.items[item])
        if self.ranks_only:
            return products
        return (products + predict_biases(self.biases, user, item)).astype(np.float32)

    def _scores(self, users: NDArray[Any]) -> Floats:
        products: Floats = self.users[users] @ self.items.T
        if self.ranks_only:
            return products
        bias = self.biases["mean"] + self.biases["user_bias"][users][:, None] + self.biases["item_bias"]
        scores: Floats = (products + bias).astype(np.float32)
        return scores
