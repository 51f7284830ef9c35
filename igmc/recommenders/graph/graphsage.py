"""GraphSAGE: each layer maps a node and the mean of its neighbours, each by weights of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn
from torch_geometric.nn import SAGEConv

from igmc.config import knob
from igmc.recommenders.graph.adjacency import product
from igmc.recommenders.graph.config import INPUTS, FeatureConfig
from igmc.recommenders.graph.graph_recommender import GraphRecommender
from igmc.recommenders.graph.jumping_knowledge import JumpingKnowledge

__all__ = ["GraphSAGE", "GraphSAGEConfig"]


@dataclass(frozen=True)
class GraphSAGEConfig(FeatureConfig):
    """GraphSAGE, on features alone unless told otherwise, which makes it inductive."""

    inputs: str = knob("features", INPUTS, choices=("ids", "features", "both"))
    l2: float = knob(0.001, "L2 penalty on the input embeddings of a batch", low=0.0)


class _Conv(SAGEConv):  # type: ignore[misc]
    def message_and_aggregate(self, adj_t: Tensor, x: tuple[Tensor, Tensor]) -> Tensor:
        return product(adj_t, x[0])


class GraphSAGE(GraphRecommender):
    """Layers ``relu(W_1 x_i + W_2 sum_j w_ij x_j / sum_j |w_ij| + b)``.

    Hamilton, Ying & Leskovec, *Inductive Representation Learning on Large Graphs*, NeurIPS 2017, whose mean
    is weighted here by `edge_weight`; the layers are stacked as in `JumpingKnowledge`.
    """

    name: ClassVar = "graphsage"
    config_class: ClassVar = GraphSAGEConfig
    normalization: ClassVar = "mean"

    def _network(self) -> nn.Module:
        config = self.config
        # The matrix holds the weights of the mean, so the layer has to add up.
        layers = (_Conv(config.dim, config.dim, aggr="sum") for _ in range(config.layers))
        return JumpingKnowledge(layers, config.dim, config.dropout, batch_norm=config.batch_norm)
