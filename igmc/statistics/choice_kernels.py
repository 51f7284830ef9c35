"""Which neighbours stay under a cap: those with the greatest keys, ``|P| / (N + 20)``."""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner
from igmc.rng import mix64

__all__ = ["choose", "make_choice"]

_TIE = 2.0**-40  # below any difference between two keys that matters


@inner
def make_choice(count, most):
    """Room to choose `count` of at most `most` neighbours: keys, places, and keys to be put in order."""
    room = min(2 * count + 64, most)
    return np.empty(room), np.empty(room, np.int64), np.empty(room)


@inner
def choose(near, first, last, target, agreement, by_place, count, choice):
    """Put the places of the `count` neighbours with the greatest keys in ``choice[1]``, ascending; returns n.

    Of keys that are equal to the last bit the first ones in the row are too many.

    Args:
        near: the row of neighbours first..last-1; the target is none.
        agreement: of each node, or, with `by_place`, of that in each place of the row, with the target.
        choice: of `make_choice`, for as many.
    """
    keys, places, best = choice
    n, least = 0, -1.0  # of the keys so far, the one that the `count` greatest have
    for q in range(first, last):
        if near[q] == target:
            continue
        key = np.float64(agreement[q - first] if by_place else agreement[near[q]])
        if key + _TIE < least:
            continue
        key += np.float64(mix64(np.uint64(near[q])) >> np.uint64(40)) * _TIE * 2.0**-24
        if key < least:
            continue
        if n == len(keys):
            n, least = _trim(keys, places, best, n, count)
            if key < least:
                continue
        keys[n], places[n] = key, q
        n += 1
    if n > count:
        n, least = _trim(keys, places, best, n, count)
    return n


@inner
def _trim(keys, places, best, n, count):
    """Keep the `count` greatest of n keys, in their order; returns how many that are, and the least."""
    best[:n] = keys[:n]
    least = _select(best, n, n - count)
    surplus = -count
    for k in range(n):
        surplus += keys[k] >= least
    kept = 0
    for k in range(n):
        if keys[k] < least:
            continue
        if surplus and keys[k] == least:
            surplus -= 1
            continue
        keys[kept], places[kept] = keys[k], places[k]
        kept += 1
    return kept, least


@inner
def _select(values, n, k):
    """The value that would stand at place k if the first n were sorted (Hoare's quickselect, in place)."""
    low, high = 0, n - 1
    while low < high:
        pivot = values[(low + high) // 2]
        left, right = low, high
        while left <= right:
            while values[left] < pivot:
                left += 1
            while values[right] > pivot:
                right -= 1
            if left <= right:
                values[left], values[right] = values[right], values[left]
                left += 1
                right -= 1
        if k <= right:
            high = right
        elif k >= left:
            low = left
        else:
            break
    return values[k]
