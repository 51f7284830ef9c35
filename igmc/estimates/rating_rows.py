"""Ratings by rows, and the arrays of vectors that kernels read, padded to whole registers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.estimates.sampling_kernels import Others, RatingRows
from igmc.threads import pool

__all__ = ["in_threads", "others_of", "padded", "parts_of", "rows_of", "weights_of"]

T = TypeVar("T")
Floats = NDArray[np.float32]

PARTS = 8  # that the rows are dealt out in, whatever the number of threads


def rows_of(row: NDArray[np.int32], column: NDArray[np.int32], target: ArrayLike, n_rows: int) -> RatingRows:
    """The ratings by rows, ascending within each; `target` in standard deviations."""
    order = np.lexsort((column, row))
    ptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=n_rows))])
    return RatingRows(ptr, column[order].astype(np.int32), np.asarray(target, np.float32)[order])


def weights_of(ptr: NDArray[np.int64]) -> Floats:
    """``|N|^-1/2`` of each row, 0 where it has no ratings."""
    count = np.diff(ptr)
    return np.where(count > 0, 1.0 / np.sqrt(np.maximum(count, 1)), 0.0).astype(np.float32)


def padded(values: NDArray[Any], width: int) -> Floats:
    """Rows of float32, with zeros up to the next multiple of 8 that is at least `width`."""
    n, given = values.shape
    found = np.zeros((n, -(-width // 8) * 8), np.float32)
    found[:, :given] = values
    return found


def others_of(theta: Floats, factors: int) -> Others:
    """Vectors [n, W] as the kernels read those of the other side: factors and biases apart."""
    return Others(padded(theta[:, :factors], factors), np.ascontiguousarray(theta[:, factors]))


def parts_of(ptr: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Runs of rows with about as many ratings each; always the same ones."""
    n = len(ptr) - 1
    # A row costs about as much as some ten ratings besides its own.
    cost = ptr + 10 * np.arange(n + 1)
    bounds = np.searchsorted(cost, np.linspace(0, cost[-1], PARTS + 1))
    bounds[0], bounds[-1] = 0, n
    return [(int(a), int(b)) for a, b in pairwise(bounds) if a < b]


def in_threads(threads: int, work: Callable[..., T], calls: Iterable[tuple[Any, ...]]) -> list[T]:
    """The results of ``work(*call)``, in order."""
    if threads == 1:
        return [work(*call) for call in calls]
    futures = [pool("estimates", threads).submit(work, *call) for call in calls]
    return [future.result() for future in futures]
