"""The package's own threads, in pools that last as long as the process, and how many torch and BLAS have.

Small torch operations want one thread: those of an OpenMP team go on spinning after each of them, and take a
core from the kernels (measured at half the speed on two cores). OpenMP and MKL keep the size of a team for
each thread that starts one. `torch.set_num_threads` sets it for the calling thread, and as the default, which
a thread takes over when it first needs torch. So work that goes to threads of our own, which have one thread
of torch from the start, needs no lock, and changes nobody else's number. (A thread that first needs torch in
the very moment in which one of ours starts may take over its 1. Work that set the number for as long as it
lasts would leave a 1 with all that come to torch meanwhile.)

The BLAS of NumPy and SciPy has one number for the whole process, and its threads spin too: with as many as
there are cores, two, sampling took 1.7 times as long, and over 14 times beside a process that wanted a core.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any, ParamSpec, TypeVar

import torch
from threadpoolctl import ThreadpoolController

__all__ = ["away", "cores", "one_blas_thread", "one_torch_thread", "own_thread", "pool", "set_torch_threads"]

P = ParamSpec("P")
T = TypeVar("T")

MOST = 64  # calls of `away` at once; more wait for one to end

_SETTING = threading.Lock()


class _Thread(threading.local):
    own = False  # whether it is one of ours


_THREAD = _Thread()


def cores() -> int:
    """How many cores this process may use: its share, where torchrun has started several on one machine.

    Processes that were given cores of their own, fewer than torchrun has, keep all of those.
    """
    own = _allowed(0)
    ranks, rank = (int(os.environ.get(name, "1")) for name in ("LOCAL_WORLD_SIZE", "LOCAL_RANK"))
    if ranks < 2 or own < _allowed(os.getppid()):
        return own
    return max(1, own // ranks + (rank < own % ranks))


def _allowed(process: int) -> int:
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    try:
        return len(os.sched_getaffinity(process))
    except OSError:  # it has ended
        return os.cpu_count() or 1


def away(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """The result of ``work(...)`` on a thread of our own, while this one, unless it is of that kind, waits.

    A signal that meets the main thread inside of a kernel would end in a SystemError. And what an interrupt
    leaves behind keeps its thread, and so the thread's memory, until it ends.
    """
    if _THREAD.own:
        return work(*args, **kwargs)
    return pool("work", MOST, own_thread).submit(work, *args, **kwargs).result()


@cache
def pool(name: str, threads: int, start: Callable[[], None] | None = None) -> ThreadPoolExecutor:
    """The process's pool of this name with this many threads at most, each of which calls `start` first.

    A forked child has no threads but the one that forked, and so makes pools of its own.
    """
    return ThreadPoolExecutor(threads, thread_name_prefix=f"igmc-{name}", initializer=start)


def set_torch_threads(count: int) -> int:
    """Set how many threads torch has in this thread, and in no other; returns how many it had before."""
    with _SETTING:
        default = _in_new_thread(torch.get_num_threads)
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        _in_new_thread(torch.set_num_threads, default)
    return before


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """While it lasts, torch has one thread here, so that no sum depends on how many there are."""
    before = set_torch_threads(1)
    try:
        yield
    finally:
        set_torch_threads(before)


class _Blas:
    """How many calls want one thread of BLAS at the moment, and the limit that is set meanwhile."""

    calls = 0
    limit: AbstractContextManager[Any]


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """While it lasts, BLAS has one thread in this process; for many small products, on whatever threads.

    Calls may overlap: the last one to end restores the number from before the first one. A limit that
    somebody else has set with threadpoolctl may stay.
    """
    with _SETTING:
        if not _Blas.calls:
            _Blas.limit = _set_blas(_limited)
        _Blas.calls += 1
    try:
        yield
    finally:
        with _SETTING:
            _Blas.calls -= 1
            if not _Blas.calls:
                _set_blas(_Blas.limit.__exit__, None, None, None)


def _set_blas(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Always on the same thread: threadpoolctl lets no other one change the number that a thread has set."""
    return pool("blas", 1).submit(work, *args, **kwargs).result()


def _limited() -> AbstractContextManager[Any]:
    """The limit, set. Libraries are looked up again, since one may have been loaded after the last limit."""
    found: AbstractContextManager[Any] = ThreadpoolController().select(user_api="blas").limit(limits=1)
    found.__enter__()
    return found


def own_thread() -> None:
    """Make the calling thread, just started, one of ours: `away` stays in it, where torch has one thread."""
    _THREAD.own = True
    set_torch_threads(1)


def _in_new_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    with ThreadPoolExecutor(1) as new:
        return new.submit(work, *args, **kwargs).result()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)
    os.register_at_fork(
        before=_SETTING.acquire, after_in_parent=_SETTING.release, after_in_child=_SETTING.release
    )
