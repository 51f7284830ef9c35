"""The package's own threads, in pools that last as long as the process."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache

__all__ = ["cores", "pool"]


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def pool(name: str, threads: int) -> ThreadPoolExecutor:
    """The process's pool of this name with this many threads at most.

    A forked child has no threads but the one that forked, and so makes pools of its own.
    """
    return ThreadPoolExecutor(threads, thread_name_prefix=f"igmc-{name}")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)
