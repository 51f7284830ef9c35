"""Ratings as the ranker reads them: a row for each user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.ratings import Split

__all__ = ["rating_matrix"]


def rating_matrix(split: Split, rows: NDArray[np.int64]) -> sparse.csr_array:
    """Ratings, float32 [n_users, n_items], as the levels of the scale stand for them; columns ascending.

    Args:
        split: of a run.
        rows: int64, of its table: which ratings.
    """
    table = split.table
    rating = split.scale.values[split.scale.encode(table.rating[rows])].astype(np.float32)
    shape = len(table.users), len(table.items)
    matrix = sparse.csr_array((rating, (table.user[rows], table.item[rows])), shape=shape)
    matrix.sort_indices()
    return matrix
