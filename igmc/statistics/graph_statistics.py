r"""Closed-form statistics of a rating graph: biases, residuals and dispersions.

With mean \mu, biases b_u and b_i by alternating ridge regression, and damping \lambda = 5,

.. math:: b_i = \frac{\sum_u (r_{ui} - \mu - b_u)}{n_i + \lambda}, \quad
          b_u = \frac{\sum_i (r_{ui} - \mu - b_i)}{n_u + \lambda}, \quad
          e_{ui} = \frac{r_{ui} - \mu - b_u - b_i}{\sigma},

where \sigma is the root mean square of what the biases leave. The dispersion of a node with n ratings is
:math:`(\sum e^2 + \lambda) / (n + \lambda)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.compiled import inner, kernel
from igmc.errors import DataError
from igmc.statistics.rows import NODE_FACTS, SideRows, no_patch

__all__ = ["DAMPING", "GraphStatistics"]

DAMPING = 5.0  # ratings
SWEEPS = 15  # of the alternating regression; each of the last changes biases by less than 1e-4
LEAST_DEVIATION = 1e-3  # as a share of the span of the scale; where biases explain everything


@dataclass(frozen=True, eq=False)
class GraphStatistics:
    """What closed forms know of a rating graph. Make one with `of_ratings`; it never changes.

    Attributes:
        mean: of all ratings; of the scale where there are none.
        deviation: root mean square of what the biases leave, greater than 0.
        users, items: the rows of both sides.
    """

    mean: float
    deviation: float
    users: SideRows
    items: SideRows

    @property
    def n_ratings(self) -> int:
        return len(self.users.near)

    @classmethod
    def of_ratings(
        cls,
        user: NDArray[np.int32],
        item: NDArray[np.int32],
        rating: ArrayLike,
        *,
        n_users: int,
        n_items: int,
        span: float,
    ) -> Self:
        """The statistics of n ratings, in time proportional to n.

        Args:
            user, item: int32 [n], dense indices; no pair twice.
            rating: float [n].
            n_users, n_items: sizes of the graph.
            span: highest less lowest rating of the scale; the deviation is a thousandth of it at least.

        Raises:
            DataError: if a rating is not finite.
        """
        values = np.asarray(rating, np.float64)
        if not np.isfinite(values).all():
            raise DataError("a rating of the graph is not a finite number")
        mean = float(values.mean()) if len(values) else 0.0
        # Dealt out by item and then by user, each row comes out in ascending order.
        by_user_ptr, by_user_near, by_user_left = _dealt(user, item, values - mean, n_users)
        rows = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(by_user_ptr))
        by_item_ptr, by_item_near, by_item_left = _dealt(by_user_near, rows, by_user_left, n_items)
        rows = np.repeat(np.arange(n_items, dtype=np.int32), np.diff(by_item_ptr))
        by_user_ptr, by_user_near, by_user_left = _dealt(by_item_near, rows, by_item_left, n_users)
        user_bias, item_bias = _biases(
            by_user_ptr, by_user_near, by_user_left, by_item_ptr, by_item_near, by_item_left, DAMPING, SWEEPS
        )
        left = by_user_left - np.repeat(user_bias, np.diff(by_user_ptr)) - item_bias[by_user_near]
        deviation = max(float(np.sqrt(np.mean(left**2))) if len(left) else 0.0, LEAST_DEVIATION * span)
        other = by_item_left - np.repeat(item_bias, np.diff(by_item_ptr)) - user_bias[by_item_near]
        return cls(
            mean,
            deviation,
            _side(by_user_ptr, by_user_near, left / deviation, user_bias / deviation),
            _side(by_item_ptr, by_item_near, other / deviation, item_bias / deviation),
        )


def _side(
    ptr: NDArray[np.int64],
    near: NDArray[np.int32],
    residual: NDArray[np.float64],
    bias: NDArray[np.float64],
) -> SideRows:
    n = np.diff(ptr)
    squares = np.bincount(np.repeat(np.arange(len(n)), n), residual**2, minlength=len(n))
    facts = np.empty((len(n), NODE_FACTS), np.float32)
    facts[:, 0], facts[:, 1], facts[:, 2] = bias, (squares + DAMPING) / (n + DAMPING), np.log1p(n)
    return SideRows(ptr, near, residual.astype(np.float32), facts, no_patch())


@kernel
def _dealt(rows, near, values, size):
    """Compressed rows of n entries; each row keeps the order in which its entries come."""
    ptr = np.zeros(size + 1, np.int64)
    for k in range(len(rows)):
        ptr[rows[k] + 1] += 1
    for k in range(size):
        ptr[k + 1] += ptr[k]
    at = ptr[:-1].copy()
    to_near, to_values = np.empty(len(rows), np.int32), np.empty(len(rows), np.float64)
    for k in range(len(rows)):
        place = at[rows[k]]
        at[rows[k]] = place + 1
        to_near[place], to_values[place] = near[k], values[k]
    return ptr, to_near, to_values


@kernel
def _biases(user_ptr, user_near, user_left, item_ptr, item_near, item_left, damping, sweeps):
    """Alternate the two regressions, items first; `left` is the rating less the mean."""
    user_bias, item_bias = np.zeros(len(user_ptr) - 1), np.zeros(len(item_ptr) - 1)
    for _ in range(sweeps):
        _regress(item_ptr, item_near, item_left, user_bias, damping, item_bias)
        _regress(user_ptr, user_near, user_left, item_bias, damping, user_bias)
    return user_bias, item_bias


@inner
def _regress(ptr, near, left, other, damping, bias):
    """bias_k = sum over the row of k of (left - other[near]) / (n_k + damping)."""
    for k in range(len(ptr) - 1):
        total = 0.0
        for at in range(ptr[k], ptr[k + 1]):
            total += left[at] - other[near[at]]
        bias[k] = total / (ptr[k + 1] - ptr[k] + damping)
