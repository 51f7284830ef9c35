"""The networks, behind one interface for training, scoring, explanation and transfer."""

from igmc.networks.answers import Answers, DescribedScorer, UncertainScorer
from igmc.networks.checkpoints import load_models
from igmc.networks.job import Job, Trained
from igmc.networks.neighbourhood import NO_NEIGHBOURHOOD, Neighbourhood
from igmc.networks.network import AnyScorer, Network
from igmc.networks.ranker import RankerScorer
from igmc.networks.registry import find_network

__all__ = [
    "NO_NEIGHBOURHOOD",
    "Answers",
    "AnyScorer",
    "DescribedScorer",
    "Job",
    "Neighbourhood",
    "Network",
    "RankerScorer",
    "Trained",
    "UncertainScorer",
    "find_network",
    "load_models",
]
