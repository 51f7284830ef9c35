"""The networks, each behind the same interface: to train, to score, to explain, and to move to other data."""

from igmc.networks.answers import Answers, UncertainScorer
from igmc.networks.checkpoints import load_models
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import NO_NEIGHBOURHOOD, Neighbourhood
from igmc.networks.network import AnyScorer, Network
from igmc.networks.registry import find_network

__all__ = [
    "NO_NEIGHBOURHOOD",
    "Answers",
    "AnyScorer",
    "Job",
    "Neighbourhood",
    "Network",
    "Trained",
    "UncertainScorer",
    "find_network",
    "load_models",
]
