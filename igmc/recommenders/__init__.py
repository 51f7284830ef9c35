"""All recommenders behind one interface: fit on known ratings, then rate pairs or rank items."""

from igmc.recommenders.base import Monitor, Recommender
from igmc.recommenders.registry import RECOMMENDERS, load_recommender, make_recommender, recommender_class
from igmc.recommenders.search_space import (
    OneOf,
    Range,
    SearchSpace,
    checked_space,
    parse_space,
    with_settings,
)
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = [
    "RECOMMENDERS",
    "Monitor",
    "OneOf",
    "Range",
    "Ratings",
    "Recommender",
    "SearchSpace",
    "TrainingData",
    "checked_space",
    "load_recommender",
    "make_recommender",
    "parse_space",
    "recommender_class",
    "with_settings",
]
