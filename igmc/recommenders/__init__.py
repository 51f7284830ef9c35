"""All recommenders behind one interface: fit on known ratings, then rate pairs or rank items."""

from igmc.recommenders.base import Monitor, Recommender
from igmc.recommenders.data import Ratings, TrainingData
from igmc.recommenders.registry import RECOMMENDERS, load_recommender, make_recommender, recommender_class
from igmc.recommenders.space import OneOf, Space, changed, checked_space, parse_space

__all__ = [
    "RECOMMENDERS",
    "Monitor",
    "OneOf",
    "Ratings",
    "Recommender",
    "Space",
    "TrainingData",
    "changed",
    "checked_space",
    "load_recommender",
    "make_recommender",
    "parse_space",
    "recommender_class",
]
