"""Known data sets: what they are called, where they lie, how they are downloaded."""

from igmc.ratings.sources.catalogue import DATASETS, canonical_name
from igmc.ratings.sources.locate import fetch, home_dir, locate

__all__ = ["DATASETS", "canonical_name", "fetch", "home_dir", "locate"]
