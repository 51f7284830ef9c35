"""Graph neural networks on the whole rating graph."""

from igmc.recommenders.graph.attention import attention_panel
from igmc.recommenders.graph.config import FeatureConfig, GraphConfig
from igmc.recommenders.graph.gat import GAT, Attention, GATConfig
from igmc.recommenders.graph.gcn import GCN
from igmc.recommenders.graph.graphsage import GraphSAGE, GraphSAGEConfig
from igmc.recommenders.graph.lightgcn import LightGCN, LightGCNConfig
from igmc.recommenders.graph.ngcf import NGCF, NGCFConfig

__all__ = [
    "GAT",
    "GCN",
    "NGCF",
    "Attention",
    "FeatureConfig",
    "GATConfig",
    "GraphConfig",
    "GraphSAGE",
    "GraphSAGEConfig",
    "LightGCN",
    "LightGCNConfig",
    "NGCFConfig",
    "attention_panel",
]
