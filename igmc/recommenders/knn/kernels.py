"""The compiled inner loops of `igmc.recommenders.knn`; one thread, ties in the order of indices.

Rows are the side that is compared (items for item-kNN), columns the other side.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel

__all__ = [
    "COSINE",
    "PEARSON",
    "PHI",
    "Neighbours",
    "SparseRows",
    "similar_rows",
    "weigh_pairs",
    "weigh_row",
]

COSINE, PEARSON, PHI = 0, 1, 2


class SparseRows(NamedTuple):
    """What stands in the rows of a sparse matrix: row k in places ptr[k]..ptr[k + 1]-1."""

    ptr: NDArray[np.int64]  # [rows + 1]
    near: NDArray[np.int32]  # the column of each number
    value: NDArray[np.float64]


class Neighbours(NamedTuple):
    """The nearest rows of each row, best first, or of one row."""

    near: NDArray[np.int32]  # [rows, kept], -1 where none is left; or [kept]
    weight: NDArray[np.float32]  # the same shape, their similarities


@inner
def _compare(kind, n_columns, both, dot, left, right):
    """The similarity of two rows, ``dot / sqrt(left right)``, 0 where it is not defined.

    For PHI, the correlation of 0s and 1s, each of the three less what independent rows would have.

    Args:
        both: number of columns that both have. dot: sum of the products over these.
        left, right: sums of squares, over these columns for PEARSON, over all for COSINE; numbers of columns
            for PHI.
    """
    if kind == PHI:
        dot -= left * right / n_columns
        left -= left * left / n_columns
        right -= right * right / n_columns
    return dot / np.sqrt(left * right) if left > 1e-12 and right > 1e-12 else 0.0


@kernel
def similar_rows(chosen, rows, columns, kind, shrinkage, kept):
    """The most similar other rows of some rows, best first.

    Args:
        chosen: int [T], the rows whose neighbours are asked.
        rows, columns: `SparseRows` of the matrix and of its transpose.
        kind: COSINE, PEARSON (over common columns) or PHI (of what is stored, not of values).
        shrinkage: a similarity over n common columns counts ``n / (n + shrinkage)`` of itself.
        kept: most neighbours of a row.

    Returns:
        int32 [T, kept], -1 where there are no more of positive similarity; float32 [T, kept].
    """
    row_ptr, row_near, row_value = rows
    col_ptr, col_near, col_value = columns
    n_rows, n_columns = len(row_ptr) - 1, len(col_ptr) - 1
    near = np.full((len(chosen), kept), -1, np.int32)
    weight = np.zeros((len(chosen), kept), np.float32)
    squares = np.zeros(n_rows)
    for row in range(n_rows):
        for e in range(row_ptr[row], row_ptr[row + 1]):
            squares[row] += row_value[e] ** 2 if kind != PHI else 1.0
    both, dot = np.zeros(n_rows, np.int64), np.zeros(n_rows)
    left, right = np.zeros(n_rows), np.zeros(n_rows)
    for t in range(len(chosen)):
        row = chosen[t]
        both[:], dot[:], left[:], right[:] = 0, 0.0, 0.0, 0.0
        for e in range(row_ptr[row], row_ptr[row + 1]):
            column, a = row_near[e], row_value[e]
            for f in range(col_ptr[column], col_ptr[column + 1]):
                other, b = col_near[f], col_value[f]
                both[other] += 1
                dot[other] += a * b
                left[other] += a * a
                right[other] += b * b
        both[row] = 0
        found = np.flatnonzero(both)
        similarity = np.empty(len(found), np.float32)  # so that rounding breaks no ties
        for k in range(len(found)):
            other = found[k]
            if kind == PEARSON:
                value = _compare(kind, n_columns, both[other], dot[other], left[other], right[other])
            else:
                common = dot[other] if kind == COSINE else float(both[other])
                value = _compare(kind, n_columns, both[other], common, squares[row], squares[other])
            similarity[k] = value * both[other] / (both[other] + shrinkage)
        _keep_best(found, similarity, near[t], weight[t])
    return near, weight


@inner
def _keep_best(found, similarity, near, weight):
    """The positive similarities, the greatest first, equal ones in the order of indices."""
    # The bits of positive floats are ordered as they are; sorting plain integers compiles and runs fast.
    keys = similarity.view(np.int32).astype(np.int64) << 32
    for k in range(len(keys)):
        keys[k] += len(keys) - 1 - k
    keys.sort()
    for place in range(min(len(near), len(keys))):
        k = len(keys) - 1 - (keys[len(keys) - 1 - place] & 0xFFFFFFFF)
        if similarity[k] <= 0:
            break
        near[place] = found[k]
        weight[place] = similarity[k]


@kernel
def weigh_pairs(row, column, neighbours, columns, most):
    """For P pairs, ``sum_k w_k v_k`` and ``sum_k w_k`` over the `most` nearest rows k that have the column.

    Args:
        row, column: int [P], equal columns next to each other.
        neighbours: `Neighbours` of all rows; w are their weights.
        columns: `SparseRows` of the transpose; v are its values.

    Returns:
        float64 [P] each.
    """
    near, weight = neighbours
    col_ptr, col_near, col_value = columns
    total, weights = np.zeros(len(row)), np.zeros(len(row))
    value, stamp = np.zeros(len(near)), np.full(len(near), -1, np.int64)
    for p in range(len(row)):
        if p == 0 or column[p] != column[p - 1]:
            for e in range(col_ptr[column[p]], col_ptr[column[p] + 1]):
                value[col_near[e]] = col_value[e]
                stamp[col_near[e]] = column[p]
        used = 0
        for place in range(near.shape[1]):
            other = near[row[p], place]
            if other < 0 or used == most:
                break
            if stamp[other] == column[p]:
                total[p] += weight[row[p], place] * value[other]
                weights[p] += weight[row[p], place]
                used += 1
    return total, weights


@kernel
def weigh_row(neighbours, rows, n_columns, most):
    """What `weigh_pairs` gives for all columns of one row, whose `Neighbours` are given."""
    near, weight = neighbours
    row_ptr, row_near, row_value = rows
    total, weights, used = np.zeros(n_columns), np.zeros(n_columns), np.zeros(n_columns, np.int64)
    for place in range(len(near)):
        if near[place] < 0:
            break
        for e in range(row_ptr[near[place]], row_ptr[near[place] + 1]):
            column = row_near[e]
            if used[column] < most:
                total[column] += weight[place] * row_value[e]
                weights[column] += weight[place]
                used[column] += 1
    return total, weights
