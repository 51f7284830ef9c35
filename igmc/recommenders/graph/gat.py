"""GAT: each layer averages over neighbours by weights that it learns to compute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv

from igmc.config import knob
from igmc.errors import ConfigError, DataError
from igmc.recommenders.base import Monitor
from igmc.recommenders.graph.adjacency import Adjacency
from igmc.recommenders.graph.config import FeatureConfig
from igmc.recommenders.graph.graph_recommender import GraphRecommender
from igmc.recommenders.graph.jumping_knowledge import JumpingKnowledge
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.threads import one_torch_thread

__all__ = ["GAT", "Attention", "GATConfig"]


@dataclass(frozen=True)
class GATConfig(FeatureConfig):
    """A graph attention network; its layers are slow, so they are fewer and narrower."""

    dim: int = knob(32, "width of the embeddings and of each layer, over all heads", low=1, high=65536)
    layers: int = knob(1, "number of propagation layers", low=1, high=100)
    heads: int = knob(2, "attention heads per layer; must divide dim", low=1, high=1024)


@dataclass(frozen=True, eq=False)
class Attention:
    """How much a node looks at each of its neighbours; for each node and head, the weights sum to 1.

    Attributes:
        to_user, to_item: float32 [layers, n, heads]: the weight of the item in the user's mean, and of the
            user in the item's mean, for each of n known ratings.
        user, item: int32 [n], the pairs.
    """

    user: NDArray[np.int32]
    item: NDArray[np.int32]
    to_user: NDArray[np.float32]
    to_item: NDArray[np.float32]


class _Attending(JumpingKnowledge):
    def __init__(self, config: GATConfig) -> None:
        dim, heads = config.dim, config.heads
        self.edge_dim = None if config.edge_weight == "none" else 1
        layers = (
            GATv2Conv(dim, dim // heads, heads=heads, edge_dim=self.edge_dim, add_self_loops=False)
            for _ in range(config.layers)
        )
        super().__init__(layers, dim, config.dropout, batch_norm=config.batch_norm)

    def propagate(self, layer: nn.Module, x: Tensor, graph: Adjacency) -> Tensor:
        out: Tensor = layer(x, graph.edges, self._weights(graph))
        return out

    def attention(self, x: Tensor, graph: Adjacency) -> list[Tensor]:
        """Of each layer, float32 [E, heads], in the order of the edges."""
        found = []
        for layer, norm in zip(self.layers, self.norms, strict=True):
            out, (_, weights) = layer(x, graph.edges, self._weights(graph), return_attention_weights=True)
            x = torch.relu(norm(out))
            found.append(weights)
        return found

    def _weights(self, graph: Adjacency) -> Tensor | None:
        return None if self.edge_dim is None else torch.from_numpy(graph.weight)[:, None]


class GAT(GraphRecommender):
    """Layers ``relu(sum_j a_ij W_2 x_j)``, ``a_ij = softmax_j(a . leaky_relu(W_1 x_i + W_2 x_j + e w_ij))``.

    Brody, Alon & Yahav, *How Attentive are Graph Attention Networks?*, ICLR 2022; the layers are stacked as
    in `JumpingKnowledge`. What an edge weighs is an input of the attention.
    """

    name: ClassVar = "gat"
    config_class: ClassVar = GATConfig
    normalization: ClassVar = "none"

    def search_space(self) -> dict[str, Range | OneOf]:
        # Narrower than the others, since its layers are slow; any of the heads divides any of the widths.
        return super().search_space() | {"dim": OneOf((16, 32, 64)), "heads": OneOf((1, 2, 4))}

    def _network(self) -> nn.Module:
        if self.config.dim % self.config.heads:
            raise ConfigError(
                "the heads do not divide the width",
                got=self.config.heads,
                allowed=f"divisors of {self.config.dim}",
            )
        return _Attending(self.config)

    # With more threads, the sums over neighbours would depend on how many there are.
    @one_torch_thread()
    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        super()._fit(data, monitor)

    @one_torch_thread()
    def _fold_in(self, support: Ratings) -> None:
        super()._fold_in(support)

    @one_torch_thread()
    def attention(self) -> Attention:
        """The attention weights of all known ratings.

        Raises:
            DataError: if it has not been fitted.
        """
        if not self.n_items:
            raise DataError(f"{self.name} has not been fitted", remedy="call fit first")
        given = self._input()
        graph, encoder = given.graph, self._trained_encoder(given)
        with torch.no_grad():
            x, _ = encoder(torch.arange(len(graph)), graph, given.features)
            network: Any = encoder.network
            weights = torch.stack(network.attention(x, graph)).numpy()
        user, item = self.known["user"], self.known["item"]
        into_user = graph.target < self.n_users
        sides = []
        for chosen in (into_user, ~into_user):
            side = np.empty((len(weights), len(user), weights.shape[2]), np.float32)
            side[:, graph.rating[chosen]] = weights[:, chosen]
            sides.append(side)
        return Attention(user, item, *sides)
