"""Checks of columns from outside: whole numbers within a range, and equal lengths."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import ConfigError, DataError

__all__ = ["check_lengths", "check_min_rating", "check_range", "dense_indices"]


def dense_indices(
    name: str, values: ArrayLike, size: int, *, message: str | None = None
) -> NDArray[np.int32]:
    """Dense indices as a new int32 [n] array, from whole numbers of any type.

    Args:
        name: "user" or "item", for messages.
        values: n whole numbers, or a single one.
        size: number of users or items.
        message: replaces the usual message for an index out of range.

    Raises:
        DataError: if they are not a list of whole numbers, or not in 0..size-1.
    """
    given = np.atleast_1d(np.asarray(values))
    if given.ndim != 1:
        raise DataError(f"{name} indices are not a list", got=list(given.shape), allowed="one dimension")
    if given.size and given.dtype.kind not in "iu":
        raise DataError(
            f"{name} indices are not whole numbers", got=given.dtype.name, allowed="an integer type"
        )
    article = "an" if name[0] in "aeio" else "a"  # "a user"
    check_range(given, size, message or f"{article} {name} index is out of range")
    return given.astype(np.int32)


def check_range(values: NDArray[Any], size: int, message: str) -> None:
    """Raise unless n whole numbers all are in 0..size-1.

    Args:
        values: int [n].
        size: one more than the greatest that is allowed.
        message: what is out of range.

    Raises:
        DataError: with the message and the first number out of range.
    """
    if values.size and (values.min() < 0 or values.max() >= size):
        first = values[(values < 0) | (values >= size)][0]
        raise DataError(message, got=int(first), allowed=f"0..{size - 1}")


def check_lengths(**columns: Any) -> None:
    """Raise unless all columns are of one length.

    Raises:
        DataError: naming them.
    """
    lengths = {name: len(column) for name, column in columns.items()}
    if len(set(lengths.values())) > 1:
        raise DataError("the columns differ in length", got=lengths, allowed="one length")


def check_min_rating(min_rating: float | None, *, implicit: bool) -> None:
    """Raise a ConfigError on a `min_rating` that would do nothing."""
    if min_rating is not None and not implicit:
        raise ConfigError(
            "min_rating only goes with implicit data",
            got=f"{min_rating:g}",
            remedy="add --implicit (in Python implicit=True), or omit it",
        )
