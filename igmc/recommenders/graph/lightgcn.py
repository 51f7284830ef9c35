"""LightGCN: matrix factorization whose vectors are smoothed over the graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch_geometric.nn import LGConv

from igmc.config import knob
from igmc.recommenders.graph.adjacency import Adjacency, product
from igmc.recommenders.graph.config import OBJECTIVE, GraphConfig
from igmc.recommenders.graph.graph_recommender import GraphRecommender

__all__ = ["LightGCN", "LightGCNConfig"]


@dataclass(frozen=True)
class LightGCNConfig(GraphConfig):
    """LightGCN, trained to rank unless told otherwise."""

    objective: str = knob("ranking", OBJECTIVE, choices=("rating", "ranking"))
    dim: int = knob(128, "width of the embeddings and of each layer", low=1, high=65536)
    learning_rate: float = knob(0.01, "learning rate of Adam", low=1e-12, high=10.0)
    l2: float = knob(0.003, "L2 penalty on the input embeddings of a batch", low=0.0)
    layers: int = knob(2, "number of propagation layers", low=1, high=100)
    epochs: int = knob(150, "maximum number of epochs", low=1)
    patience: int = knob(20, "stop after this many epochs without a better validation score", low=1)


class _Conv(LGConv):  # type: ignore[misc]
    def message_and_aggregate(self, adj_t: Tensor, x: Tensor) -> Tensor:
        return product(adj_t, x)


class _Smoothing(nn.Module):
    def __init__(self, layers: int) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Conv(normalize=False) for _ in range(layers))

    def forward(self, x: Tensor, graph: Adjacency) -> Tensor:
        states = [x]
        for layer in self.layers:
            states.append(layer(states[-1], graph.matrix))
        return torch.stack(states).mean(dim=0)


class LightGCN(GraphRecommender):
    """``z = mean over k = 0..K of A^k x``, with A the adjacency normalized by both degrees.

    He et al., *LightGCN: Simplifying and Powering Graph Convolution Network for Recommendation*, SIGIR 2020.
    """

    name: ClassVar = "lightgcn"
    config_class: ClassVar = LightGCNConfig

    def _network(self) -> nn.Module:
        return _Smoothing(self.config.layers)
