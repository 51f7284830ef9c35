"""What all draws say of pairs; vectors as in `folding_kernels`."""

from __future__ import annotations

import numpy as np

from igmc.compiled import kernel
from igmc.estimates.solving import LANES
from igmc.simd import add, fma, load, splat, total

__all__ = ["pair_moments"]


@kernel
def pair_moments(user, item, users, items, draws, mean, variance):
    """Mean and variance over draws of ``p_u . q_i + b_u + b_i``.

    Args:
        user, item: int64 [P], rows of `users` and `items`.
        users, items: float32 [G, n, D, 8].
        draws: their number.
        mean, variance: float32 [P], written.
    """
    groups, n_users, width = users.shape[0], users.shape[1], users.shape[2]
    n_items, factors = items.shape[1], width - 1
    share = np.float32(1.0 / draws)
    for p in range(len(user)):
        sums = squares = splat(LANES, 0.0)
        for group in range(groups):
            left, right = (group * n_users + user[p]) * width, (group * n_items + item[p]) * width
            value = add(load(LANES, users, left + factors), load(LANES, items, right + factors))
            for k in range(factors):
                value = fma(load(LANES, users, left + k), load(LANES, items, right + k), value)
            sums, squares = add(sums, value), fma(value, value, squares)
        mean[p] = total(sums) * share
        variance[p] = max(total(squares) * share - mean[p] * mean[p], np.float32(0.0))
