"""What all graph recommenders share: inputs of nodes, propagation, losses, and the embeddings that remain."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from igmc.config import knob
from igmc.errors import ConfigError
from igmc.recommenders.adjacency import EDGE_WEIGHTS, Adjacency, edge_weights
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.biases import BiasConfig, Biases
from igmc.recommenders.data import Ratings, TrainingData
from igmc.recommenders.features import NodeFeatures
from igmc.recommenders.gradient import GradientConfig, seeded, train, unseen_items
from igmc.recommenders.nodes import NodeModel
from igmc.recommenders.space import OneOf, Range
from igmc.recommenders.stopping import validation_ndcg
from igmc.rng import stream

__all__ = ["FeatureConfig", "GraphConfig", "GraphRecommender"]

DAMPING = 5.0  # of the biases


@dataclass(frozen=True)
class GraphConfig(GradientConfig):
    """A graph neural network on all users and items, and how it is trained."""

    dim: int = knob(64, "width of the input and of each layer", low=1, high=65536)
    layers: int = knob(3, "number of propagation layers", low=1, high=100)
    edge_weight: str = knob(
        "none",
        "what an edge weighs: 1, its rating, the rating less its user's mean, or less the older it is",
        choices=EDGE_WEIGHTS,
    )
    half_life: float = knob(365.0, "days in which an edge loses half its weight (recency)", low=1e-6)
    edge_dropout: float = knob(0.0, "share of edges dropped at each step", low=0.0, high=0.99)
    neighbors: tuple[int, ...] | None = knob(
        None, "edges sampled into a node at each layer, from the batch outwards; all if not given", low=1
    )


@dataclass(frozen=True)
class FeatureConfig(GraphConfig):
    """A graph neural network with weights in its layers, on learned ids or features."""

    inputs: str = knob(
        "ids",
        "what stands for a user or item: a learned vector, features, or their sum",
        choices=("ids", "features", "both"),
    )
    tag_rank: int = knob(32, "width to which tags, and the tag genome, are reduced (features)", low=1)
    dropout: float = knob(0.1, "dropout after each layer", low=0.0, high=0.99)
    weight_decay: float = knob(0.0, "Adam's decay of all weights but the learned ids", low=0.0)


class GraphRecommender(Recommender):
    """Users and items get embeddings from a network over the graph of ratings; ``z_u . z_i`` is the score.

    With the objective "rating", ``mean + b_u + b_i + z_u . z_i``, where the biases are those of
    `igmc.recommenders.biases.Biases` and the network learns what is left, by squared error. At each step the
    edges of its own ratings are taken out of the graph, since the pairs that will be asked have none. With
    "ranking", BPR on pairs of a rated and an unrated item, over the whole graph (He et al., *LightGCN*, SIGIR
    2020); values of ratings then count only as edge weights. All embeddings follow from one pass over the
    whole graph, once a step, or with `neighbors` over a sampled part.

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
        self.biases = _state(Biases(BiasConfig(damping=DAMPING)).fit(data))
        features, graph = self._node_features(), self._graph()
        with seeded(self.seed, self.name):
            model = self._model(features)
            job = _Job(self, model, graph, features)
            measure = (lambda: self._measure(model, graph, features, data)) if len(data.validation) else None
            self.history, self.epochs = train(
                model,
                model.groups(getattr(config, "weight_decay", 0.0)),
                job.ranking_loss if self.ranks_only else job.rating_loss,
                measure,
                config,
                len(data.train),
                stream(self.seed, self.name, "order"),
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

    def _graph(self) -> Adjacency:
        """Of all known ratings."""
        known, config = Ratings(**self.known), self.config
        return Adjacency.of(
            known,
            edge_weights(known, config.edge_weight, config.half_life),
            n_users=self.n_users,
            n_items=self.n_items,
            normalization=self.normalization,
        )

    def _node_features(self) -> dict[str, Tensor]:
        """By the known ratings; empty if only ids are used."""
        if not self.features:
            return {}
        made = NodeFeatures(**self.features).of(Ratings(**self.known))
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
        self.biases = _folded(self.biases, support, self.n_users, self.n_items)
        self.known = (Ratings(**self.known) + support).columns()
        features = self._node_features()
        self._embed(self._trained(features), self._graph(), features)

    def _predict(self, user: Indices, item: Indices) -> Floats:
        products: Floats = np.einsum("pd,pd->p", self.users[user], self.items[item])
        if self.ranks_only:
            return products
        return (products + self._bias(user, item)).astype(np.float32)

    def _scores(self, users: NDArray[Any]) -> Floats:
        products: Floats = self.users[users] @ self.items.T
        if self.ranks_only:
            return products
        bias = self.biases["mean"] + self.biases["user_bias"][users][:, None] + self.biases["item_bias"]
        scores: Floats = (products + bias).astype(np.float32)
        return scores

    def _bias(self, user: NDArray[Any], item: NDArray[Any]) -> NDArray[np.float64]:
        """What is predicted without the network."""
        bias: NDArray[np.float64] = (
            self.biases["mean"] + self.biases["user_bias"][user] + self.biases["item_bias"][item]
        )
        return bias


class _Job:
    """The losses of one training."""

    def __init__(
        self, owner: GraphRecommender, model: NodeModel, graph: Adjacency, features: dict[str, Tensor]
    ) -> None:
        self.model, self.graph, self.features, self.config = model, graph, features, owner.config
        self.n_users, self.n_items, known = owner.n_users, owner.n_items, Ratings(**owner.known)
        self.user, self.item = known.user.astype(np.int64), known.item.astype(np.int64)
        self.seen = np.sort(self.user * self.n_items + self.item)
        left = known.rating - owner._bias(known.user, known.item)
        self.left = torch.from_numpy(left.astype(np.float32))
        self.nodes = np.arange(self.n_users + self.n_items)
        self.rng = stream(owner.seed, owner.name, "draws")

    def rating_loss(self, rows: NDArray[np.int64]) -> Tensor:
        """Squared error of what the biases leave, of the ratings in some rows."""
        x, z = self._states([self.user[rows], self.item[rows] + self.n_users], hide=rows)
        error = (z[0] * z[1]).sum(dim=1) - self.left[rows]
        return error.square().mean() + self._penalty(x, len(rows))

    def ranking_loss(self, rows: NDArray[np.int64]) -> Tensor:
        """``-log sigmoid(s_ui - s_uj)`` for the pairs in some rows, each with an unrated item j."""
        user = self.user[rows]
        other = unseen_items(user, self.seen, self.n_items, self.rng)
        x, z = self._states([user, self.item[rows] + self.n_users, other + self.n_users], hide=None)
        loss = functional.softplus((z[0] * (z[2] - z[1])).sum(dim=1)).mean()
        return loss + self._penalty(x, len(rows))

    def _penalty(self, inputs: list[Tensor], n: int) -> Tensor:
        squared = torch.stack([x.square().sum() for x in inputs]).sum()
        penalty: Tensor = squared * (self.config.l2 / 2 / n)
        return penalty

    def _states(
        self, wanted: list[NDArray[np.int64]], hide: NDArray[np.int64] | None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs and embeddings of some lists of nodes, each float32 [B, .]."""
        config, graph, nodes = self.config, self.graph, self.nodes
        if config.neighbors is not None:
            nodes, graph = graph.sampled(np.concatenate(wanted), config.neighbors, self.rng)
        keep = np.ones(len(graph.source), np.bool_)
        if hide is not None:
            hidden = np.zeros(len(self.user) + 1, np.bool_)  # the last one stands for edges of no rating
            hidden[hide] = True
            keep = ~hidden[graph.rating]
        if config.edge_dropout:
            keep &= self.rng.random(len(keep)) >= config.edge_dropout
        if not keep.all():
            graph = graph.thinned(keep)
        x, z = self.model(torch.from_numpy(nodes), graph, self.features)
        if config.neighbors is not None:
            wanted = [np.searchsorted(nodes, part) for part in wanted]
        places = [torch.from_numpy(part) for part in wanted]
        # Unlike indexing, this adds gradients up in the same order with any number of threads.
        return [functional.embedding(p, x) for p in places], [functional.embedding(p, z) for p in places]


def _folded(state: dict[str, Any], support: Ratings, n_users: int, n_items: int) -> dict[str, Any]:
    model = Biases(BiasConfig(damping=DAMPING))
    model.n_users, model.n_items = n_users, n_items
    for name, value in state.items():
        setattr(model, name, value)
    return _state(model.fold_in(support))


def _state(model: Biases) -> dict[str, Any]:
    return {name: getattr(model, name) for name in Biases.fitted}
