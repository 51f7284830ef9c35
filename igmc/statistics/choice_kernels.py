"""Which neighbours stay under a cap: those with the greatest keys, ``|P| / (N + 20)``.

For a few pairs of a target the keys of each pair's neighbours are compared; for many, all nodes are ranked.
"""

from __future__ import annotations

import numpy as np

from igmc.compiled import inner
from igmc.rng import mix64

__all__ = ["least_key", "lowest_rank", "ranks_of"]

AGREEMENT_DAMPING = np.float32(20)  # shared ratings
_TIE = 2.0**-40  # below any difference between two keys that matters


@inner
def least_key(near, first, last, target, sums, by_place, keys, best, count):
    """Write each neighbour's key; returns the least of the `count` greatest, and of how many more it is one.

    Of keys that are equal to the last bit the first ones in the row are too many, as in `ranks_of`.
    """
    n = 0
    for q in range(first, last):
        if near[q] == target:
            continue
        keys[q - first] = _key(near[q], sums[q - first] if by_place else sums[near[q]])
        best[n] = keys[q - first]
        n += 1
    if count >= n:
        return -1.0, 0
    least, reaching = _select(best, n, n - count), 0
    for q in range(first, last):
        reaching += near[q] != target and keys[q - first] >= least
    return least, reaching - count


@inner
def _key(node, shared):
    """``|P| / (N + 20)``, and something below any difference that matters, by the node."""
    agreement = np.abs(shared[3]) / (shared[0] + AGREEMENT_DAMPING)
    return agreement + np.float64(mix64(np.uint64(node)) >> np.uint64(40)) * _TIE * 2.0**-24


@inner
def ranks_of(sums):
    """The place of each node among all, by its key, ascending; of equal keys, by the node."""
    keys = np.empty(len(sums))
    for node in range(len(sums)):
        keys[node] = _key(node, sums[node])
    ranks = np.empty(len(sums), np.int64)
    ranks[np.argsort(keys, kind="mergesort")] = np.arange(len(sums))
    return ranks


@inner
def lowest_rank(near, first, last, target, ranks, count):
    """The lowest of the `count` highest ranks of a row: its ranks as a set of bits, counted from the top."""
    if count >= last - first:
        return np.int64(0)
    bits = np.zeros(len(ranks) // 64 + 1, np.uint64)
    for q in range(first, last):
        if near[q] != target:
            rank = ranks[near[q]]
            bits[rank >> 6] |= np.uint64(1) << np.uint64(rank & 63)
    left = count
    for word in range(len(bits) - 1, -1, -1):
        for bit in range(63, -1, -1):
            if bits[word] == 0:
                break
            if bits[word] >> np.uint64(bit) & np.uint64(1):
                left -= 1
                if left == 0:
                    return np.int64(64 * word + bit)
    return np.int64(0)


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
