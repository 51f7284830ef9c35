"""Worker processes of this machine for jobs that take minutes: one that dies is replaced, its job done again.

Python's own pool is lost as a whole when one of its processes is killed. Here each worker is a pool of one
process, held by a thread that hands it one job after the other.
"""

from __future__ import annotations

import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from types import FrameType
from typing import NoReturn, ParamSpec, TypeVar

from igmc.errors import ConfigError, IgmcError, WorkerLostError

__all__ = ["GUARD", "TRIES", "ProcessExecutor", "end_with_parent"]

P = ParamSpec("P")
T = TypeVar("T")

GUARD = 'under `if __name__ == "__main__":`'
TRIES = 3  # times that a job is done again after its worker was lost
GRACE = 5.0  # seconds that a worker has to clean up when it is told to end
_TERMINATED = 143  # exit code


class ProcessExecutor(Executor):
    """Worker processes that share the cores of this one.

    In a script, use it only under ``if __name__ == "__main__":``, since workers import the script again.

    Args:
        workers: how many, 1 or more. Each starts with its first job.

    Raises:
        ConfigError: in one of its own workers.
    """

    def __init__(self, workers: int) -> None:
        if getattr(multiprocessing.current_process(), "_inheriting", False):
            raise ConfigError("a worker process cannot start others", remedy=f"put the call {GUARD}")
        self.workers = workers
        self._numbers = itertools.count()
        self._threads = ThreadPoolExecutor(workers, "igmc-job", initializer=self._take_cores)
        self._own = threading.local()
        self._pools: dict[int, ProcessPoolExecutor] = {}  # by the id of their process
        self._lock = threading.Lock()
        self._ended = False

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `concurrent.futures.Executor.submit`.

        The future raises `WorkerLostError` when the job has been tried four times and its worker died each
        time, and IgmcError if no worker can be started.
        """
        return self._threads.submit(self._done, partial(work, *args, **kwargs))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the jobs at work; with `cancel_futures`, end them and their processes."""
        late = threading.Timer(GRACE, self._send_all, (signal.SIGKILL,))
        if cancel_futures:
            self._ended = True
            self._send_all(signal.SIGTERM)
            late.start()
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for pool in list(self._pools.values()):
            pool.shutdown(wait)
        late.cancel()

    def _send_all(self, number: int) -> None:
        with self._lock:
            for process in self._pools:
                _send(process, number)

    def _take_cores(self) -> None:
        """Give this thread its share of the cores, which the processes that it starts inherit."""
        number = next(self._numbers)
        if hasattr(os, "sched_setaffinity"):
            cores = sorted(os.sched_getaffinity(0))
            os.sched_setaffinity(0, cores[number :: self.workers] or [cores[number % len(cores)]])

    def _done(self, work: Callable[[], T]) -> T:
        """What a job gives, in the process of this thread."""
        for _ in range(1 + TRIES):
            process = self._process()
            try:
                return self._pools[process].submit(work).result()
            except (BrokenProcessPool, SystemExit):  # killed, or told to end
                self._own.process = None
                self._drop(process)
        raise WorkerLostError(
            f"a worker process died {1 + TRIES} times over the same job, usually for lack of memory",
            remedy="run the same command again with fewer --workers: it resumes",
        )

    def _process(self) -> int:
        """The id of this thread's process, which is started if there is none."""
        found: int | None = getattr(self._own, "process", None)
        if found is None and not self._ended:
            context = multiprocessing.get_context("spawn")  # fork would copy the locks of other threads
            pool = ProcessPoolExecutor(1, context, _start)
            # Ctrl-C is for this process alone; the first pool of a program unblocks it in passing.
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                found = pool.submit(os.getpid).result()
            except BrokenProcessPool as error:
                raise IgmcError(
                    "a worker process died as it started",
                    remedy=f"give it more memory, or use fewer --workers; from a script, call it {GUARD}",
                ) from error
            with self._lock:
                self._pools[found] = pool
            self._own.process = found
        if found is None or self._ended:
            raise SystemExit(_TERMINATED)
        return found

    def _drop(self, process: int) -> None:
        late = threading.Timer(GRACE, _send, (process, signal.SIGKILL))
        late.start()
        self._pools[process].shutdown()
        late.cancel()
        with self._lock:
            del self._pools[process]


def end_with_parent() -> None:
    """End this worker when its parent is gone: it would wait for ever for a job."""
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _send(process: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def _start() -> None:
    end_with_parent()
    # Raised, so that what is at work removes its temporary files.
    signal.signal(signal.SIGTERM, _terminate)


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(_TERMINATED)


def _wait_for_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
