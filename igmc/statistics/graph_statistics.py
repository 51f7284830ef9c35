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
        values = np.asarray(rating)
        values = values.astype(np.float64) if values.dtype != np.float32 else values
        if not np.isfinite(values).all():
            raise DataError("a rating of the graph is not a finite number")
        mean = float(values.astype(np.float64).mean()) if len(values) else 0.0
        if not np.all(user[1:] >= user[:-1]):
            ptr, item, values = dealt(user, item, values, n_users)
            user = np.repeat(np.arange(n_users, dtype=np.int32), np.diff(ptr))
        # Dealt out by item and then by user, each row comes out in ascending order.
        items = dealt(item, user, values, n_items)
        owner = np.repeat(np.arange(n_items, dtype=np.int32), np.diff(items[0]))
        users = dealt(items[1], owner, items[2], n_users)
        del owner, user, item, values
        user_bias, item_bias = _biases(*users, *items, mean, DAMPING, SWEEPS)
        left = _left(*users, mean, user_bias, item_bias, False)
        deviation = max(float(np.sqrt(np.mean(left**2))) if len(left) else 0.0, LEAST_DEVIATION * span)
        user_rows = _side(users[0], users[1], left, deviation, user_bias)
        del users
        left = _left(*items, mean, item_bias, user_bias, True)
        return cls(mean, deviation, user_rows, _side(items[0], items[1], left, deviation, item_bias))

    def residuals(
        self, user: NDArray[np.int32], item: NDArray[np.int32], rating: ArrayLike
    ) -> NDArray[np.float32]:
        """What the biases leave of n ratings, float32 [n], in units of the deviation.

        Args:
            user, item: int32 [n], of the graph, or of the patches over it; rating: float [n].
        """
        left = (np.asarray(rating, np.float64) - self.mean) / self.deviation
        left -= self.users.biases(user)
        left -= self.items.biases(item)
        return np.asarray(left, np.float32)


def _side(
    ptr: NDArray[np.int64],
    near: NDArray[np.int32],
    left: NDArray[np.float64],
    deviation: float,
    bias: NDArray[np.float64],
) -> SideRows:
    n = np.diff(ptr)
    residual, squares = _residuals(ptr, left, deviation)
    facts = np.empty((len(n), NODE_FACTS), np.float32)
    facts[:, 0], facts[:, 1], facts[:, 2] = bias / deviation, (squares + DAMPING) / (n + DAMPING), np.log1p(n)
    return SideRows(ptr, near, residual, facts, no_patch())


@kernel
def dealt(rows, near, values, size):
    """Compressed rows of n entries; each row keeps the order in which its entries come."""
    ptr = np.zeros(size + 1, np.int64)
    for k in range(len(rows)):
        ptr[rows[k] + 1] += 1
    for k in range(size):
        ptr[k + 1] += ptr[k]
    at = ptr[:-1].copy()
    to_near, to_values = np.empty(len(rows), near.dtype), np.empty(len(rows), values.dtype)
    for k in range(len(rows)):
        place = at[rows[k]]
        at[rows[k]] = place + 1
        to_near[place], to_values[place] = near[k], values[k]
    return ptr, to_near, to_values


@kernel
def _biases(user_ptr, user_near, user_rating, item_ptr, item_near, item_rating, mean, damping, sweeps):
    """Alternate the two regressions, items first."""
    user_bias, item_bias = np.zeros(len(user_ptr) - 1), np.zeros(len(item_ptr) - 1)
    for _ in range(sweeps):
        _regress(item_ptr, item_near, item_rating, mean, user_bias, damping, item_bias)
        _regress(user_ptr, user_near, user_rating, mean, item_bias, damping, user_bias)
    return user_bias, item_bias


@inner
def _regress(ptr, near, rating, mean, other, damping, bias):
    """bias_k = sum over the row of k of (rating - mean - other[near]) / (n_k + damping)."""
    for k in range(len(ptr) - 1):
        total = 0.0
        for at in range(ptr[k], ptr[k + 1]):
            total += rating[at] - mean - other[near[at]]
        bias[k] = total / (ptr[k + 1] - ptr[k] + damping)


@kernel
def _left(ptr, near, rating, mean, bias, other, others_first):
    """What the biases leave of each rating; the users' goes first, so that both sides have one result."""
    left = np.empty(len(near))
    for k in range(len(ptr) - 1):
        for at in range(ptr[k], ptr[k + 1]):
            first, second = (other[near[at]], bias[k]) if others_first else (bias[k], other[near[at]])
            left[at] = rating[at] - mean - first - second
    return left


@kernel
def _residuals(ptr, left, deviation):
    """What is left of each rating, in deviations, and the sum of squares of each row."""
    residual, squares = np.empty(len(left), np.float32), np.zeros(len(ptr) - 1)
    for k in range(len(ptr) - 1):
        for at in range(ptr[k], ptr[k + 1]):
            e = left[at] / deviation
            residual[at] = e
            squares[k] += e * e
    return residual, squares
