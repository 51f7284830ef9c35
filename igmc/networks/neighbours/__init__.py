"""The neighbours network: predictions from closed-form statistics of the neighbours of a pair."""

from igmc.networks.neighbours.estimates import GraphEstimates
from igmc.networks.neighbours.estimates_choice import choose_estimates
from igmc.networks.neighbours.graph_knowledge import known_ratings
from igmc.networks.neighbours.network import NETWORK
from igmc.networks.neighbours.scoring import NeighbourScorer

__all__ = ["NETWORK", "GraphEstimates", "NeighbourScorer", "choose_estimates", "known_ratings"]
