"""The neighbours network: ratings read off closed-form statistics of the neighbours of a pair."""

from igmc.networks.neighbours.estimates import GraphEstimates
from igmc.networks.neighbours.network import NETWORK
from igmc.networks.neighbours.scoring import NeighbourScorer, known_ratings

__all__ = ["NETWORK", "GraphEstimates", "NeighbourScorer", "known_ratings"]
