"""The settings of the graph recommenders: of the network, of its inputs, and of its training."""

from __future__ import annotations

from dataclasses import dataclass

from igmc.config import Config, knob
from igmc.recommenders.graph.adjacency import EDGE_WEIGHTS

__all__ = ["INPUTS", "OBJECTIVE", "FeatureConfig", "GraphConfig"]

OBJECTIVE = (
    "'rating' predicts ratings (squared error), 'ranking' orders items (BPR), taking every rating as a like"
)
EDGE_WEIGHT = "weight of an edge: 1, the rating, the rating minus its user's mean, or a decay with its age"
INPUTS = "input of a user or item: an embedding, features, or their sum"


@dataclass(frozen=True)
class GraphConfig(Config):
    """A graph neural network on all users and items, and how it is trained."""

    objective: str = knob("rating", OBJECTIVE, choices=("rating", "ranking"))
    learning_rate: float = knob(1e-3, "learning rate of Adam", low=1e-12, high=10.0)
    l2: float = knob(1e-4, "L2 penalty on the input embeddings of a batch", low=0.0)
    batch_size: int = knob(
        8192, "ratings per step; with objective 'rating' at most an eighth of all ratings", low=1
    )
    epochs: int = knob(100, "maximum number of epochs", low=1)
    patience: int = knob(10, "stop after this many epochs without a better validation score", low=1)
    dim: int = knob(64, "width of the embeddings and of each layer", low=1, high=65536)
    layers: int = knob(3, "number of propagation layers", low=1, high=100)
    edge_weight: str = knob("none", EDGE_WEIGHT, choices=EDGE_WEIGHTS)
    half_life: float = knob(365.0, "days after which an edge has half its weight (recency)", low=1e-6)
    edge_dropout: float = knob(0.0, "fraction of edges dropped at each step", low=0.0, high=0.99)
    neighbors: tuple[int, ...] | None = knob(
        None, "neighbours sampled per node at each layer, from the batch outwards; all if not set", low=1
    )


@dataclass(frozen=True)
class FeatureConfig(GraphConfig):
    """A graph neural network with weights in its layers, on learned ids or features."""

    learning_rate: float = knob(3e-3, "learning rate of Adam", low=1e-12, high=10.0)
    l2: float = knob(0.01, "L2 penalty on the input embeddings of a batch", low=0.0)
    layers: int = knob(2, "number of propagation layers", low=1, high=100)
    edge_weight: str = knob("centred", EDGE_WEIGHT, choices=EDGE_WEIGHTS)
    inputs: str = knob("both", INPUTS, choices=("ids", "features", "both"))
    tag_rank: int = knob(32, "dimension to which tags and the tag genome are reduced (features)", low=1)
    batch_norm: bool = knob(False, "batch normalization of each layer before its activation", late=True)
    dropout: float = knob(0.3, "dropout after each layer", low=0.0, high=0.99)
    weight_decay: float = knob(1e-4, "weight decay of Adam, for all weights but the embeddings", low=0.0)
