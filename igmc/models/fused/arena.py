"""Memory that a thread writes over again for each batch."""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["ARENA"]

CACHE_LINE = 64
HUGE_PAGE = 2**21


class Arena(threading.local):
    """Each thread's own memory, handed out from the start again after `reset`.

    It lies in huge pages where Linux gives them. New memory for each batch costs a page fault every 4 KiB,
    and a subgraph's states lie in more small pages than the processor holds addresses of: a training step
    took 6 to 19 % longer.
    """

    def __init__(self) -> None:
        self._buffer, self._used = _huge(0), 0

    def reset(self) -> None:
        """Hand out from the start again: what was handed out before is written over."""
        if self._used > len(self._buffer):
            self._buffer = _huge(self._used)
        self._used = 0

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """An array as from `numpy.empty` that begins where a cache line does."""
        size = math.prod(shape) if isinstance(shape, tuple) else shape
        first = self._used
        self._used += -(-size * np.dtype(dtype).itemsize // CACHE_LINE) * CACHE_LINE
        if self._used > len(self._buffer):
            return np.empty(shape, dtype)  # in the arena from the next reset on
        return np.ndarray(shape, dtype, self._buffer, first)


def _huge(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes that begin where a huge page does; NumPy asks for those from 4 MiB on."""
    size = max(-(-size // HUGE_PAGE), 1) * HUGE_PAGE
    buffer = np.empty(size + HUGE_PAGE, np.uint8)
    first = -buffer.ctypes.data % HUGE_PAGE
    return buffer[first : first + size]


ARENA = Arena()
