"""Checks of what the extraction of subgraphs is asked for."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import DataError

__all__ = ["checked_indices", "checked_limits"]


def checked_indices(side: str, values: ArrayLike, size: int) -> NDArray[np.int32]:
    """Dense indices, int32 [P], of one side of the pairs.

    Raises:
        DataError: if they are no whole numbers, or not in 0..size-1.
    """
    array = np.atleast_1d(np.asarray(values))
    if array.size and array.dtype.kind not in "iu":
        raise DataError(
            f"{side} indices are not whole numbers", got=array.dtype.name, allowed="an integer type"
        )
    if array.size and (array.min() < 0 or array.max() >= size):
        bad = array[(array < 0) | (array >= size)][0]
        raise DataError(f"no such {side} in the graph", got=int(bad), allowed=f"0..{size - 1}")
    return np.array(array, dtype=np.int32)  # a copy: a read-only array would be compiled for anew


def checked_limits(side: str, values: ArrayLike | None, pairs: int) -> NDArray[np.int64]:
    """How many ratings one side of each pair shows, int64 [P]; -1, which stands for all, where None is given.

    Raises:
        DataError: if they are no whole numbers, or not one for each pair.
    """
    array = np.full(pairs, -1) if values is None else np.array(values)
    if array.shape != (pairs,) or (pairs and array.dtype.kind not in "iu"):
        raise DataError(
            f"the {side} limits are not one whole number a pair",
            got=f"{array.dtype.name} {list(array.shape)}",
            allowed=f"int [{pairs}]",
        )
    return array.astype(np.int64)
