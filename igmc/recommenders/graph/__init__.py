"""Graph neural networks on the whole rating graph."""

from igmc.recommenders.graph.attention import attention_panel
from igmc.recommenders.graph.gat import GAT
from igmc.recommenders.graph.gcn import GCN
from igmc.recommenders.graph.graphsage import GraphSAGE
from igmc.recommenders.graph.lightgcn import LightGCN
from igmc.recommenders.graph.ngcf import NGCF

__all__ = ["GAT", "GCN", "NGCF", "GraphSAGE", "LightGCN", "attention_panel"]
