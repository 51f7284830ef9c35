"""What all graph recommenders share: inputs of nodes, propagation, losses, and the embeddings that remain."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from igmc.config import knob
from igmc.errors import ConfigError
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.biases import bias_of, biases_of, folded_biases
from igmc.recommenders.data import Ratings, TrainingData
from igmc.recommenders.graph.adjacency import EDGE_WEIGHTS, Adjacency, edge_weights
from igmc.recommenders.graph.features import NodeFeatures
from igmc.recommenders.graph.gradient import GradientConfig, seeded, train
from igmc.recommenders.graph.nodes import NodeModel
from igmc.recommenders.graph.steps import DAMPING, GraphSteps
from igmc.recommenders.space import OneOf, Range
from igmc.recommenders.stopping import validation_ndcg

__all__ = ["FeatureConfig", "GraphConfig", "GraphRecommender"]

EDGE_WEIGHT = "what an edge weighs: 1, its rating, the rating less its user's mean, or less the older it is"

INPUTS = "what stands for a user or item: a learned vector, features, or their sum"


@dataclass(frozen=True)
class GraphConfig(GradientConfig):
    """A graph neural network on all users and items, and how it is trained."""

    dim: int = knob(64, "width of the input and of each layer", low=1, high=65536)
    layers: int = knob(3, "number of propagation layers", low=1, high=100)
    edge_weight: str = knob("none", EDGE_WEIGHT, choices=EDGE_WEIGHTS)
    half_life: float = knob(365.0, "days in which an edge loses half its weight (recency)", low=1e-6)
    edge_dropout: float = knob(0.0, "share of edges dropped at each step", low=0.0, high=0.99)
    neighbors: tuple[int, ...] | None = knob(
        None, "edges sampled into a node at each layer, from the batch outwards; all if not given", low=1
    )


@dataclass(frozen=True)
class FeatureConfig(GraphConfig):
    """A graph neural network with weights in its layers, on learned ids or features."""

    learning_rate: float = knob(3e-3, "Adam's step size", low=1e-12, high=10.0)
    l2: float = knob(0.01, "weight of the squared inputs of the nodes of a batch", low=0.0)
    layers: int = knob(2, "number of propagation layers", low=1, high=100)
    edge_weight: str = knob("centred", EDGE_WEIGHT, choices=EDGE_WEIGHTS)
    inputs: str = knob("both", INPUTS, choices=("ids", "features", "both"))
    tag_rank: int = knob(32, "width to which tags, and the tag genome, are reduced (features)", low=1)
    dropout: float = knob(0.3, "dropout after each layer", low=0.0, high=0.99)
    weight_decay: float = knob(1e-4, "Adam's decay of all weights but the learned ids", low=0.0)


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
    def chooses(self) -> bool:
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

    def chosen(self) -> GraphConfig:
        config: GraphConfig = self.config
        return config.replace(epochs=self.epochs) if self.n_items else config

    def embeddings(self) -> tuple[Floats, Floats]:
        """Of users, float32 [n_users, D], and of items, [n_items, D]."""
        return self.users, self.items

    @abstractmethod
    def _network(self) -> nn.Module:
        """A fresh one, as `NodeModel` takes it."""

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        config: GraphConfig = self.config
        if config.neighbors is not None and len(config.neighbors) != config.layers:
            raise ConfigError(
                "there are not as many fan-outs as layers", got=config.neighbors, allowed=f"{config.layers}"
            )
        self.known = data.train.columns()
        self.features = {}
        if self.inputs != "ids":
            self.features = NodeFeatures.fit(data, config.tag_rank, self.seed).state()  # type: ignore[attr-defined]
        self.biases = biases_of(data, DAMPING)
        features, graph = self._node_features(), self._graph()
        with seeded(self.seed, self.name):
            model = self._model(features)
            steps = GraphSteps(self, model, graph, data)
            measure = (lambda: self._measure(model, graph, features, data)) if len(data.validation) else None
            self.history, self.epochs = train(
                model,
                model.groups(getattr(config, "weight_decay", 0.0)),
                steps.batches,
                steps.ranking_loss if self.ranks_only else steps.rating_loss,
                measure,
                config,
                monitor,
            )
        self.weights = {name: value.clone() for name, value in model.state_dict().items()}
        self._embed(model, graph, features)

    def _measure(
        self, model: NodeModel, graph: Adjacency, features: dict[str, Tensor], data: TrainingData
    ) -> dict[str, float]:
        self._embed(model, graph, features)
        if self.ranks_only:
            return {"validation_ndcg": validation_ndcg(self._scores, data)}
        error = self._predict(data.validation.user, data.validation.item) - data.validation.rating
        return {"validation_rmse": float(np.sqrt(np.mean(np.square(error, dtype=np.float64))))}

    def _graph(self, known: Ratings | None = None) -> Adjacency:
        """Of some ratings, or all that are known."""
        known, config = Ratings(**self.known) if known is None else known, self.config
        return Adjacency.of(
            known,
            edge_weights(known, config.edge_weight, config.half_life),
            n_users=self.n_users,
            n_items=self.n_items,
            normalization=self.normalization,
        )

    def _node_features(self, known: Ratings | None = None) -> dict[str, Tensor]:
        """By some ratings, or all that are known; empty if only ids are used."""
        if not self.features:
            return {}
        made = NodeFeatures(**self.features).of(Ratings(**self.known) if known is None else known)
        return {side: torch.from_numpy(values) for side, values in made.items()}

    def _model(self, features: dict[str, Tensor]) -> NodeModel:
        widths = tuple(features[side].shape[1] if features else 0 for side in ("user", "item"))
        return NodeModel(
            self._network(), self.config.dim, self.n_users, self.n_items, self.inputs, (widths[0], widths[1])
        )

    def _trained(self, features: dict[str, Tensor]) -> NodeModel:
        """The model as it was trained."""
        with seeded(self.seed, self.name):
            model = self._model(features)
        model.load_state_dict(self.weights)
        return model.eval()

    def _embed(self, model: NodeModel, graph: Adjacency, features: dict[str, Tensor]) -> None:
        """Compute the embeddings of all nodes, over the whole graph."""
        with torch.no_grad():
            _, z = model(torch.arange(len(graph)), graph, features)
        self.users, self.items = z[: self.n_users].numpy(), z[self.n_users :].numpy()
        if self.inputs == "features":
            return
        rated = np.isin(np.arange(self.n_users), self.known["user"])
        stranger = self.users[rated].mean(axis=0) if self.ranks_only else np.float32(0)
        self.users[~rated] = stranger
        self.items[~np.isin(np.arange(self.n_items), self.known["item"])] = 0.0

    def _fold_in(self, support: Ratings) -> None:
        self.biases = folded_biases(self.biases, self.known, support, self.n_users, self.n_items)
        self.known = (Ratings(**self.known) + support).columns()
        features = self._node_features()
        self._embed(self._trained(features), self._graph(), features)

    def _predict(self, user: Indices, item: Indices) -> Floats:
        products: Floats = np.einsum("pd,pd->p", self.users[user], self.items[item])
        if self.ranks_only:
            return products
        return (products + bias_of(self.biases, user, item)).astype(np.float32)

    def _scores(self, users: NDArray[Any]) -> Floats:
        products: Floats = self.users[users] @ self.items.T
        if self.ranks_only:
            return products
        bias = self.biases["mean"] + self.biases["user_bias"][users][:, None] + self.biases["item_bias"]
        scores: Floats = (products + bias).astype(np.float32)
        return scores
