"""Kernels of `igmc.ranking.closed_forms`: the scores of all items for some users."""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner, kernel

__all__ = ["item_forms", "standardize", "user_forms"]


@kernel
def item_forms(shown, liked, place, weak, strong, cosine, walk, low_pass, out):
    """Put what the items of B users say of all others into `out`, float32 [B, 6, n].

    The six are ease_weak, ease_strong, cosine, walk, low_pass and liking. Each row of weights is read once.

    Args:
        shown: (ptr, item) of B users, CSR; liked: float32, the ratings there, less the user's mean.
        place: int64 [n_items], which of the n an item is; -1 for none.
        weak, strong, walk: float32 [n, n]; cosine: (ptr, item, weight), CSR.
        low_pass: float32 [n, r] and [r, n], whose product it is.
    """
    ptr, items = shown
    near, other, similarity = cosine
    left, right = low_pass
    n, rank = out.shape[2], left.shape[1]
    part = np.empty(rank, np.float32)
    for b in range(len(ptr) - 1):
        own = out[b]
        own[:] = 0
        part[:] = 0
        for q in range(ptr[b], ptr[b + 1]):
            i = place[items[q]]
            if i < 0:
                continue
            _add(own[0], weak[i])
            _add_both(own[1], own[5], strong[i], liked[q])
            for k in range(near[i], near[i + 1]):
                own[2, other[k]] += similarity[k]
            _add(own[3], walk[i])
            _add(part, left[i])
        for r in range(rank):
            weight = part[r]
            for j in range(n):
                own[4, j] += weight * right[r, j]


@inner
def _add(total, values):
    for j in range(len(total)):
        total[j] += values[j]


@inner
def _add_both(total, weighted, values, weight):
    for j in range(len(total)):
        total[j] += values[j]
        weighted[j] += weight * values[j]


@kernel
def user_forms(shown, own_row, raters, rated, few, many, out):
    """Put what the users most similar to B users have rated into `out`, float32 [B, 2, n_items].

    Args:
        shown: (ptr, item) of B users, CSR; own_row: int64 [B], the user among those known; -1 for none.
        raters: (ptr, user, weight), CSR by item; rated: (ptr, item), CSR by user.
        few, many: users that count; ties with the last one count too.
    """
    ptr, items = shown
    first, user, weight = raters
    start, item = rated
    users = len(start) - 1
    similar = np.empty(users, np.float32)
    for b in range(len(ptr) - 1):
        similar[:] = 0
        for q in range(ptr[b], ptr[b + 1]):
            for k in range(first[items[q]], first[items[q] + 1]):
                similar[user[k]] += weight[k]
        if 0 <= own_row[b] < users:
            similar[own_row[b]] = 0
        least_few, least_many = _least(similar, few), _least(similar, many)
        out[b] = 0
        for v in range(users):
            s = similar[v]
            if s == 0 or s < least_many:
                continue
            for k in range(start[v], start[v + 1]):
                out[b, 1, item[k]] += s
            if s >= least_few:
                for k in range(start[v], start[v + 1]):
                    out[b, 0, item[k]] += s


@inner
def _least(values, most):
    """The least of the `most` largest values; 0 if there are no more."""
    if len(values) <= most:
        return np.float32(0)
    return np.partition(values, len(values) - most)[len(values) - most]


@kernel
def standardize(raw, place, form, out):
    """Put each row of raw, [B, F, n], less its mean over all items, by their deviation, into `out`.

    Args:
        place: int64 [n], the items that the n are; those of all others are 0.
        form: int64 [F], where each stands in `out`, float32 [B, n_items, forms].
    """
    total = out.shape[1]
    for b in range(raw.shape[0]):
        for f in range(raw.shape[1]):
            values = raw[b, f]
            mean = 0.0
            for value in values:
                mean += value
            mean /= total
            square = (total - len(values)) * mean * mean
            for value in values:
                square += (value - mean) ** 2
            spread = max(np.sqrt(square / total), 1e-9)
            rest = np.float32(-mean / spread)
            for j in range(total):
                out[b, j, form[f]] = rest
            for k in range(len(values)):
                out[b, place[k], form[f]] = (values[k] - mean) / spread
