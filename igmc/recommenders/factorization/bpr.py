"""The compiled inner loop of BPR: pairwise gradient steps in a fixed order, on one thread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.rng import below, fold

__all__ = ["Likes", "Vectors", "train_pass"]

TRIES = 30  # draws for an item that the user has not rated, before the step is left out


class Likes(NamedTuple):
    """The m pairs that are learned from."""

    ptr: NDArray[np.int64]  # [n_users + 1], where each user's stand
    item: NDArray[np.int32]  # [m], ascending within a user
    user: NDArray[np.int32]  # [m]


class Vectors(NamedTuple):
    """``(p_u, 0)`` and ``(q_i, b_i)``, and which of them are changed."""

    users: NDArray[np.float32]  # [n_users, D]
    items: NDArray[np.float32]  # [n_items, D]
    learns_user: NDArray[np.bool_]  # [n_users]
    learns_item: NDArray[np.bool_]  # [n_items]


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
def train_pass(likes, vectors, rate, decay, key):
    """As many steps as there are pairs, each on a pair (u, i) drawn at random; returns the mean loss.

    With j drawn among the items that u has not rated, ``x = p_u . (q_i - q_j) + b_i - b_j`` and
    ``g = 1 / (1 + exp(x))``, a step goes down the gradient of ``loss = -log sigmoid(x)`` and of
    decay / 2 times the squared numbers (Rendle et al., UAI 2009):

        p_u += rate (g (q_i - q_j) - decay p_u)
        q_i += rate (g p_u - decay q_i)             b_i += rate (g - decay b_i)
        q_j -= rate (g p_u + decay q_j)             b_j -= rate (g + decay b_j)

    Args:
        likes: `Likes`.
        vectors: `Vectors`, changed in place.
        rate, decay: float32.
        key: uint64, of the draws.
    """
    ptr, near, rows = likes
    users, items, learns_user, learns_item = vectors
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
        x = q[width - 1] - r[width - 1]
        for k in range(width - 1):
            x += p[k] * (q[k] - r[k])
        g = np.float32(1.0) / (np.float32(1.0) + np.exp(x))
        total += np.log1p(np.exp(-x)) if x > -30 else -x
        steps += 1
        for k in range(width - 1):
            p_k, q_k, r_k = p[k], q[k], r[k]
            if learns_user[u]:
                p[k] += rate * (g * (q_k - r_k) - decay * p_k)
            if learns_item[i]:
                q[k] += rate * (g * p_k - decay * q_k)
            if learns_item[j]:
                r[k] -= rate * (g * p_k + decay * r_k)
        if learns_item[i]:
            q[width - 1] += rate * (g - decay * q[width - 1])
        if learns_item[j]:
            r[width - 1] -= rate * (g + decay * r[width - 1])
    return total / max(steps, 1)
