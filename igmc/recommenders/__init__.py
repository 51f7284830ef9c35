"""All recommenders behind one interface: fit on known ratings, then rate pairs or rank items.

Inside of igmc they are `Recommender`, on dense indices. For everybody else each of them is a `Model`, on raw
ids and DataFrames, by its name here: ``igmc.recommenders.MF``, ``igmc.recommenders.ItemKNN``, ...
"""

from typing import Any

from igmc.recommenders.base import Monitor, Recommender
from igmc.recommenders.model import MODELS, Model, fit, model_class
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
    "MODELS",
    "RECOMMENDERS",
    "Model",
    "Monitor",
    "OneOf",
    "Range",
    "Ratings",
    "Recommender",
    "SearchSpace",
    "TrainingData",
    "checked_space",
    "fit",
    "load_recommender",
    "make_recommender",
    "model_class",
    "parse_space",
    "recommender_class",
    "with_settings",
]


def __getattr__(name: str) -> Any:
    if name in MODELS:
        return model_class(MODELS[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, *MODELS])
