"""Randomness as an argument: named NumPy streams, and a counter hash that is equal in Python and Numba.

Nothing in igmc seeds a global generator. Whatever is random is a function of the run's seed and of a name
or a counter, so results do not depend on the number of workers, on blocks, or on where a run was resumed.
"""

from __future__ import annotations

import zlib

import numpy as np

from igmc.compiled import shared

__all__ = ["below", "fold", "mix64", "pair_key", "stream"]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)
_ONE, _27, _30, _31 = np.uint64(1), np.uint64(27), np.uint64(30), np.uint64(31)


def stream(seed: int, *names: str | int) -> np.random.Generator:
    """An independent generator for one purpose, such as ``stream(seed, "split")``.

    >>> bool(stream(1, "split").random() == stream(1, "init").random())
    False
    """
    words = [name if isinstance(name, int) else zlib.crc32(name.encode()) for name in names]
    # Without the count, ("x",) and ("x", 0) would be one stream: NumPy pads short seeds with zeros.
    return np.random.default_rng([len(words), seed, *words])


@shared
def mix64(x):
    """SplitMix64's finalizer (Steele, Lea & Flood, OOPSLA 2014): uint64 -> uint64, scalars or arrays."""
    x = (x ^ (x >> _30)) * _MIX_1
    x = (x ^ (x >> _27)) * _MIX_2
    return x ^ (x >> _31)


@shared
def fold(key, value):
    """The key of draw number `value` under `key`; all uint64, scalars or arrays."""
    return mix64(key + (value + _ONE) * _GOLDEN)


@shared
def pair_key(seed, epoch, user, item):
    """The key under which all choices for one pair in one epoch are drawn; all uint64."""
    return fold(fold(fold(mix64(seed), epoch), user), item)


@shared
def below(key, counter, bound):
    """A number in 0..bound-1 for one counter; all uint64. The modulo bias is under bound / 2**64."""
    return fold(key, counter) % bound
