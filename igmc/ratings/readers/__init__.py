"""Readers of rating files: MovieLens releases, Monti sets, tables of one's own."""

from igmc.ratings.readers.columns import USUAL
from igmc.ratings.readers.dispatch import looks_like_path, read_folder, read_path
from igmc.ratings.readers.files import decoded, find_file
from igmc.ratings.readers.parquet import read_parquet
from igmc.ratings.readers.raw_ratings import natural_ids
from igmc.ratings.readers.text import read_text

__all__ = [
    "USUAL",
    "decoded",
    "find_file",
    "looks_like_path",
    "natural_ids",
    "read_folder",
    "read_parquet",
    "read_path",
    "read_text",
]
