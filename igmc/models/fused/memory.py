"""Memory that a thread writes over again from batch to batch.

Kept, and in huge pages, it made a training step of 50 subgraphs of ML-100K 2 to 20 % shorter than new memory
in small pages for each step; how much went by the process.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["HugePages", "last_kept"]

P = ParamSpec("P")
T = TypeVar("T")

CACHE_LINE = 64
HUGE_PAGE = 2**21


class HugePages:
    """Empty arrays side by side, in huge pages where Linux gives them.

    The states and messages of a large subgraph take hundreds of small ones.
    """

    def __init__(self) -> None:
        self._left = np.empty(0, np.uint8)

    def empty(self, shape: int | tuple[int, ...], dtype: DTypeLike = np.float32) -> NDArray[Any]:
        """An array as from `numpy.empty` that begins where a cache line does."""
        size = (math.prod(shape) if isinstance(shape, tuple) else shape) * np.dtype(dtype).itemsize
        if size > len(self._left):
            self._left = _new(size)
        array = self._left[:size].view(dtype).reshape(shape)
        self._left = self._left[-(-size // CACHE_LINE) * CACHE_LINE :]
        return array


def _new(size: int) -> NDArray[np.uint8]:
    """At least `size` bytes from the start of a huge page on; NumPy asks for those from 4 MiB on."""
    buffer = np.empty((size // HUGE_PAGE + 2) * HUGE_PAGE, np.uint8)
    return buffer[-buffer.ctypes.data % HUGE_PAGE :]


def last_kept(make: Callable[P, T]) -> Callable[P, T]:
    """Each thread gets what `make` gave it last, as long as the arguments stay the same.

    New memory would cost a page fault for each page.
    """
    last = threading.local()

    @wraps(make)
    def get(*args: P.args, **kwargs: P.kwargs) -> T:
        if getattr(last, "args", None) != (args, kwargs):
            last.args = last.value = None  # let it go before there is the next
            last.value = make(*args, **kwargs)
            last.args = args, kwargs
        value: T = last.value
        return value

    return get
