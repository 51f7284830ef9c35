"""What is said of the items of a MovieLens release in words: users' tags, and the tag genome."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from igmc.errors import DataError
from igmc.ratings.ids import IdTable

if TYPE_CHECKING:
    from scipy import sparse

__all__ = ["find_tags"]


def find_tags(folder: Path, items: IdTable) -> Callable[[], dict[str, sparse.csr_array]] | None:
    """What reads the files of tags in a folder, or None if there are none.

    It returns float32 arrays [n_items, T]: of ``tags.csv``, as "tags", the number of users that gave an item
    a tag, whatever its case; of ``genome-scores.csv``, as "genome", the relevance of each tag, 0..1 (Vig, Sen
    & Riedl, *The Tag Genome*, 2012). Columns are tags in ascending order; items that were not rated, and
    lines without a relevance, are left out.

    Raises:
        DataError: when called, if a file is malformed.
    """
    paths = {"tags": folder / "tags.csv", "genome": folder / "genome-scores.csv"}
    found = {name: path for name, path in paths.items() if path.exists()}
    return partial(_read, found, items) if found else None


def _read(paths: dict[str, Path], items: IdTable) -> dict[str, sparse.csr_array]:
    readers = {"tags": _tags, "genome": _genome}
    return {name: readers[name](path, items) for name, path in paths.items()}


def _tags(path: Path, items: IdTable) -> sparse.csr_array:
    frame = _columns(path, {"userId": str, "movieId": np.int64, "tag": str})
    frame["tag"] = frame["tag"].str.strip().str.lower()
    frame = frame.drop_duplicates(["userId", "movieId", "tag"])
    codes, words = pd.factorize(frame["tag"], sort=True)
    return _counted(items, frame["movieId"], codes, np.ones(len(frame)), len(words))


def _genome(path: Path, items: IdTable) -> sparse.csr_array:
    frame = _columns(path, {"movieId": np.int64, "tagId": np.int64, "relevance": np.float64})
    codes, tags = pd.factorize(frame["tagId"], sort=True)
    return _counted(items, frame["movieId"], codes, frame["relevance"].to_numpy(), len(tags))


def _columns(path: Path, types: dict[str, type]) -> pd.DataFrame:
    try:
        missing = {"relevance": [""]} if "relevance" in types else None
        frame = pd.read_csv(
            path, usecols=list(types), dtype=types, keep_default_na=False, na_values=missing
        ).dropna()
    except (ValueError, OverflowError) as error:  # which pandas' parser errors are
        raise DataError(
            f"{path} is malformed ({error})",
            allowed=f"the columns {', '.join(types)}, as in the official file",
            remedy="move its folder away and fetch the data set again",
        ) from error
    return frame


def _counted(
    items: IdTable, ids: pd.Series, columns: np.ndarray, values: np.ndarray, width: int
) -> sparse.csr_array:
    from scipy import sparse

    distinct, inverse = np.unique(ids.to_numpy(), return_inverse=True)
    rows = items.encode(distinct.tolist())[inverse]
    known = rows >= 0
    entries = values[known].astype(np.float32), (rows[known], columns[known])
    return sparse.csr_array(sparse.coo_array(entries, shape=(len(items), width)))
