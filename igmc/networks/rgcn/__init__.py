"""The network of the IGMC paper: predictions from enclosing subgraphs."""

from igmc.networks.rgcn.network import NETWORK
from igmc.networks.rgcn.scoring import Scorer

__all__ = ["NETWORK", "Scorer"]
