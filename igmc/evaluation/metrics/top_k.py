"""The best items of each user, and what lists of items must be like to be measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from igmc.errors import ConfigError, DataError
from igmc.ratings import pair_keys

__all__ = ["canonical", "checked_lengths", "checked_lists", "entry_keys", "rank_items"]

Top = NDArray[np.int32]

_LOWEST = np.iinfo(np.int64).min


def rank_items(scores: ArrayLike, hidden: sparse.csr_array, k: int) -> Top:
    """The k best items of each user, best first, int32 [U, k]; of equal scores, the lower item index first.

    Rows with fewer than k items that are not hidden end in -1. The order is exact: score and index are packed
    into one int64, all different, whose order is the one wanted, and only the k largest are sorted.

    Args:
        scores: float [U, n_items], finite; compared as float32.
        hidden: [U, n_items]; a stored entry, of any value, hides the item from that user.
        k: length of the lists, in 1..n_items.

    Raises:
        DataError: on shapes that differ or a score that is not finite.
        ConfigError: if k is out of range.

    >>> rank_items([[1.0, 3.0, 1.0, 2.0]], sparse.csr_array([[0, 0, 0, 1]]), 2).tolist()
    [[1, 0]]
    """
    given, hidden = np.asarray(scores), canonical("hidden", hidden)
    if given.ndim != 2 or given.shape != hidden.shape:
        raise DataError("the scores have the wrong shape", got=given.shape, allowed=str(hidden.shape))
    if given.dtype.kind not in "fiu":
        raise DataError("the scores are not numbers", got=given.dtype.name)
    n = given.shape[1]
    k = checked_lengths([k], n)[0]
    values = given.astype(np.float32, order="C")
    if not np.isfinite(values).all():
        raise DataError("a score is not a finite number", remedy="check that the model has not diverged")
    values += 0.0  # makes -0.0 equal to 0.0 bit by bit
    bits = values.view(np.int32)
    # Floats compare as their bits do once those below the sign are flipped for the negative ones.
    bits ^= (bits >> 31) & 0x7FFFFFFF
    keys = bits.astype(np.int64) << 32
    keys |= np.arange(n - 1, -1, -1)
    row = np.repeat(np.arange(len(keys)), np.diff(hidden.indptr))
    keys[row, hidden.indices] = _LOWEST  # below the key of any finite score
    best = keys if k == n else np.partition(keys, n - k, axis=1)[:, n - k :]
    best = np.sort(best, axis=1)[:, ::-1]
    return np.where(best == _LOWEST, -1, n - 1 - (best & 0xFFFFFFFF)).astype(np.int32)


def checked_lengths(ks: Sequence[int], longest: int | None) -> list[int]:
    """Lengths of lists, ascending and without repetition.

    Raises:
        ConfigError: without any, or on one that is not in 1..longest; None sets no upper limit.
    """
    allowed = "whole numbers from 1" if longest is None else f"whole numbers in 1..{longest}"
    if not len(ks):
        raise ConfigError("no length K of a list is given", allowed=allowed)
    for k in ks:
        whole = isinstance(k, int | np.integer) and not isinstance(k, bool)
        if not whole or k < 1 or (longest is not None and k > longest):
            raise ConfigError("the length K of a list is out of range", got=k, allowed=allowed)
    return sorted({int(k) for k in ks})


def checked_lists(top: ArrayLike, n_items: int) -> Top:
    """Lists of items, int32 [U, L], in 0..n_items-1, or -1 where a list has ended.

    Raises:
        DataError: if they are anything else.
    """
    lists = np.asarray(top)
    if lists.ndim != 2 or lists.dtype.kind not in "iu":
        got = f"{lists.dtype.name} {lists.shape}"
        raise DataError("the lists are not a table of items", got=got, allowed="int [U, L]")
    if lists.size and (lists.min() < -1 or lists.max() >= n_items):
        worst = int(lists.min() if lists.min() < -1 else lists.max())
        raise DataError("an item of a list is out of range", got=worst, allowed=f"-1..{n_items - 1}")
    return lists.astype(np.int32)


def canonical(name: str, pairs: sparse.csr_array) -> sparse.csr_array:
    """The same stored entries, each once and in order; the argument is left as it is.

    Raises:
        DataError: if it is no sparse table.
    """
    if not sparse.issparse(pairs) or pairs.ndim != 2:
        raise DataError(
            f"the {name} pairs are not a sparse table", got=type(pairs).__name__, allowed="a CSR array"
        )
    table = sparse.csr_array(pairs)
    if not table.has_canonical_format:
        table = table.copy()
        table.sum_duplicates()
    return table


def entry_keys(pairs: sparse.csr_array) -> NDArray[np.int64]:
    """`igmc.ratings.table.pair_keys` of the stored entries of a canonical table, int64, ascending."""
    row = np.repeat(np.arange(pairs.shape[0], dtype=np.int32), np.diff(pairs.indptr))
    return pair_keys(row, pairs.indices, pairs.shape[1])
