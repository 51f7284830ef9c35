"""GCN: each layer averages over neighbours and the node itself."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch_geometric.nn import GCNConv

from igmc.recommenders.graph.adjacency import product
from igmc.recommenders.graph.config import FeatureConfig
from igmc.recommenders.graph.graph_recommender import GraphRecommender
from igmc.recommenders.graph.jumping_knowledge import JumpingKnowledge

__all__ = ["GCN"]


class _Conv(GCNConv):  # type: ignore[misc]
    def message_and_aggregate(self, adj_t: Tensor, x: Tensor) -> Tensor:
        return product(adj_t, x)


class GCN(GraphRecommender):
    """Layers ``relu(A x W + b)``, with A the adjacency and the identity, normalized by both degrees.

    Kipf & Welling, *Semi-Supervised Classification with Graph Convolutional Networks*, ICLR 2017; the layers
    are stacked as in `JumpingKnowledge`.
    """

    name: ClassVar = "gcn"
    config_class: ClassVar = FeatureConfig
    normalization: ClassVar = "symmetric+self"

    def _network(self) -> nn.Module:
        config = self.config
        layers = (_Conv(config.dim, config.dim, normalize=False) for _ in range(config.layers))
        return JumpingKnowledge(layers, config.dim, config.dropout, batch_norm=config.batch_norm)
