"""Side features of users and items, from their side information."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset

if TYPE_CHECKING:
    import pandas as pd
    from scipy import sparse

__all__ = ["info_features", "side_features"]

Floats = NDArray[np.float32]


def side_features(dataset: Dataset) -> tuple[Floats, Floats]:
    """Features of all users and of all items, built from info and graphs, never from ratings.

    Returns:
        float32 [n_users, F] and float32 [n_items, G]: numbers standardized to mean 0 and variance 1 (0 where
        missing), one column for each gender, occupation and genre (0 or 1), and the rows of the side graph.
        The width is 0 if there is no side information.

    Raises:
        DataError: if there is no side information at all.
    """
    users = _side(dataset.user_info, dataset.user_graph, len(dataset.table.users))
    items = _side(dataset.item_info, dataset.item_graph, len(dataset.table.items))
    if users.shape[1] == 0 and items.shape[1] == 0:
        raise DataError(
            f"the data set {dataset.name} has no side features",
            allowed="age, gender, occupation of users; year, genres of items; or side graphs",
            remedy="train without --side-features",
        )
    return users, items


def info_features(info: pd.DataFrame | None, size: int) -> Floats:
    """Features from a table as in `Dataset`, float32 [size, F]; F is 0 if nothing is known.

    Age and year are standardized, 0 where missing; there is a column of 0 and 1 for each gender, occupation
    and genre.
    """
    blocks = [np.zeros((size, 0), dtype=np.float32)]
    if info is not None:
        blocks += [_standardized(info[name]) for name in ("age", "year") if name in info]
        blocks += [_flags(info[name]) for name in ("gender", "occupation", "genres") if name in info]
    return np.concatenate(blocks, axis=1)


def _side(info: pd.DataFrame | None, graph: sparse.csr_array | None, size: int) -> Floats:
    known = info_features(info, size)
    return known if graph is None else np.concatenate([known, graph.toarray().astype(np.float32)], axis=1)


def _standardized(column: pd.Series) -> Floats:
    numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
    known = np.isfinite(numbers)
    spread = numbers[known].std() if known.any() else 0.0
    if spread == 0:
        return np.zeros((len(numbers), 1), dtype=np.float32)
    scaled = (numbers - numbers[known].mean()) / spread
    return np.where(known, scaled, 0.0).astype(np.float32)[:, None]


def _flags(column: pd.Series) -> Floats:
    """A column for each distinct word, in ascending order; a cell may hold several, separated by ``|``."""
    cells = [set(cell.split("|")) - {""} for cell in column.fillna("").tolist()]
    place = {word: k for k, word in enumerate(sorted(set().union(*cells)))}
    flags = np.zeros((len(cells), len(place)), dtype=np.float32)
    for row, words in enumerate(cells):
        flags[row, [place[word] for word in words]] = 1.0
    return flags
