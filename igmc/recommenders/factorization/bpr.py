"""The compiled inner loop of BPR: pairwise gradient steps in a fixed order, on one thread."""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner, kernel
from igmc.rng import below, fold

__all__ = ["train_pass"]

TRIES = 30  # draws for an item that the user has not rated, before the step is left out


@inner
def _contains(row, item):
    """Whether a sorted row has the item."""
    low, high = 0, len(row)
    while low < high:
        middle = (low + high) >> 1
        if row[middle] < item:
            low = middle + 1
        else:
            high = middle
    return low < len(row) and row[low] == item


@kernel(any_order=True)
def train_pass(ptr, near, rows, users, items, learns_user, learns_item, rate, decay, key):
    """As many steps as there are pairs, each on a pair drawn at random; returns the mean loss.

    Args:
        ptr, near: int64 [n_users + 1], int32 [m]: the items of each user, sorted.
        rows: int32 [m], their users.
        users, items: float32 [n_users, D] and [n_items, D], changed in place; the last column is the bias,
            which users have not.
        learns_user, learns_item: bool, whose vectors are changed.
        rate, decay: float32, step size and weight of the squared numbers.
        key: uint64, of the draws.
    """
    n_items, width = items.shape
    total, steps = 0.0, 0
    for step in range(len(near)):
        step_key = fold(key, np.uint64(step))
        e = below(step_key, np.uint64(0), np.uint64(len(near)))
        u, i = rows[e], near[e]
        seen = near[ptr[u] : ptr[u + 1]]
        j = i
        for attempt in range(TRIES):
            drawn = np.int32(below(step_key, np.uint64(attempt + 1), np.uint64(n_items)))
            if not _contains(seen, drawn):
                j = drawn
                break
        if j == i:
            continue
        p, q, r = users[u], items[i], items[j]
        difference = q[width - 1] - r[width - 1]
        for k in range(width - 1):
            difference += p[k] * (q[k] - r[k])
        wrong = np.float32(1.0) / (np.float32(1.0) + np.exp(difference))
        total += np.log1p(np.exp(-difference)) if difference > -30 else -difference
        steps += 1
        for k in range(width - 1):
            p_k, q_k, r_k = p[k], q[k], r[k]
            if learns_user[u]:
                p[k] += rate * (wrong * (q_k - r_k) - decay * p_k)
            if learns_item[i]:
                q[k] += rate * (wrong * p_k - decay * q_k)
            if learns_item[j]:
                r[k] -= rate * (wrong * p_k + decay * r_k)
        if learns_item[i]:
            q[width - 1] += rate * (wrong - decay * q[width - 1])
        if learns_item[j]:
            r[width - 1] -= rate * (wrong + decay * r[width - 1])
    return total / max(steps, 1)
