"""Readers of rating files: MovieLens releases, Monti sets, and users' own tables."""

from igmc.ratings.raw_ratings import natural_ids
from igmc.ratings.readers.dispatch import (
    HOW_TO_READ,
    looks_like_path,
    read_folder,
    read_path,
    read_ratings,
    refuse_settings,
)
from igmc.ratings.readers.files import decoded, find_file
from igmc.ratings.readers.item_vectors import read_item_vectors
from igmc.ratings.readers.items import item_table
from igmc.ratings.readers.sql import is_sql_url, source_name
from igmc.ratings.usual_names import USUAL

__all__ = [
    "HOW_TO_READ",
    "USUAL",
    "decoded",
    "find_file",
    "is_sql_url",
    "item_table",
    "looks_like_path",
    "natural_ids",
    "read_folder",
    "read_item_vectors",
    "read_path",
    "read_ratings",
    "refuse_settings",
    "source_name",
]
