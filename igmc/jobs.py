"""Where the blocks of a large job are worked on: processes of this machine, or the workers of Ray.

Both are executors of Python's: a job hands out its blocks in the same way to either. A block that was lost
with its worker is done again; since blocks are functions of what they are handed, the result is the same.
"""

from __future__ import annotations

import os
import pickle
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from concurrent.futures import FIRST_COMPLETED, Executor, Future
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from igmc.errors import ConfigError, IgmcError, MissingExtraError, WorkerLostError
from igmc.processes import TRIES, ProcessExecutor

__all__ = [
    "LOCAL",
    "Crew",
    "RayExecutor",
    "check_executor",
    "drive",
    "loaded",
    "ray_executor",
    "workers_for",
]

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")

LOCAL = "local"


def check_executor(name: str) -> str:
    """The name of an executor: "local", "ray", or "ray://HOST:PORT".

    Raises:
        ConfigError: on another name.
    """
    if name not in (LOCAL, "ray") and not name.startswith("ray://"):
        raise ConfigError("unknown executor", got=name, allowed="local, ray, ray://HOST:PORT")
    return name


class RayExecutor(Executor):
    """Ray's workers as an executor.

    Args:
        ray: the module, connected.
        workers: blocks that are worked on at once, about.
        finish: when a job is interrupted, wait for the blocks in flight; else they are ended.
    """

    def __init__(self, ray: Any, workers: int, *, finish: bool = True) -> None:
        self.workers = workers
        self._ray, self._finish, self._running = ray, finish, dict[Future[Any], Any]()
        self._call = ray.remote(max_retries=TRIES)(_call)

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `concurrent.futures.Executor.submit`; what `work` needs must be importable at the workers."""
        told: Future[T] = Future()

        def settle(done: Future[T]) -> None:
            error = done.exception()
            if error is None:
                told.set_result(done.result())
            else:
                told.set_exception(self._ours(error))
            self._running.pop(told, None)

        self._running[told] = block = self._call.remote(work, args, kwargs)
        block.future().add_done_callback(settle)
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the blocks in flight, of which a job has few, or end them: see the class."""
        if cancel_futures and not self._finish:
            for block in list(self._running.values()):
                self._ray.cancel(block, force=True)
        if wait:
            futures.wait(list(self._running))

    def _ours(self, error: BaseException) -> BaseException:
        """What `work` has raised, or what has become of its worker."""
        if isinstance(error, self._ray.exceptions.RayTaskError):
            return error.cause if isinstance(error.cause, BaseException) else error
        return WorkerLostError(
            f"Ray lost a block ({' '.join(str(error).split())[:120]})",
            remedy="run the same command again: it resumes",
        )


Crew = ProcessExecutor | RayExecutor


@contextmanager
def workers_for(executor: str, workers: int | None = None) -> Iterator[Crew]:
    """Workers for blocks that take minutes each, while it lasts; an interrupted job ends them where they are.

    Args:
        executor: "local" for processes of this machine; else see `ray_executor`.
        workers: how many; 1 on this machine if None.

    Raises:
        As `ray_executor` and `ProcessExecutor` do.
    """
    if executor == LOCAL:
        with ProcessExecutor(workers or 1) as processes:
            yield processes
    else:
        with ray_executor(executor, workers, finish=False) as ray:
            yield ray


@contextmanager
def ray_executor(name: str, workers: int | None = None, *, finish: bool = True) -> Iterator[RayExecutor]:
    """Ray's workers while it lasts: those of a cluster, or some that are started on this machine.

    Args:
        name: "ray" for the cluster of $RAY_ADDRESS, or for this machine where that is not set;
            "ray://HOST:PORT" for a cluster by its client port.
        workers: as many as are started, or kept busy; by the processors of the cluster if None.
        finish: see `RayExecutor`.

    Raises:
        MissingExtraError: without Ray.
        IgmcError: if the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("this executor needs Ray", extra="ray") from error
    own = not ray.is_initialized()
    if own:
        quiet = {"log_to_driver": False, "configure_logging": False}
        try:
            if name.startswith("ray://"):
                ray.init(name)
            elif "RAY_ADDRESS" in os.environ:
                ray.init(**quiet)
            else:
                ray.init(num_cpus=workers, include_dashboard=False, **quiet)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise IgmcError(
                f"Ray cannot be reached: {' '.join(str(error).split())[:200]}",
                remedy="start it with 'ray start --head', or use --executor local",
            ) from error
    try:
        cluster = max(1, int(ray.cluster_resources().get("CPU", 1)))
        yield RayExecutor(ray, workers or cluster, finish=finish)
    finally:
        if own:
            ray.shutdown()


def drive(
    executor: Executor,
    work: Callable[[B], T],
    blocks: Iterable[B | None],
    workers: int,
    done: Callable[[T], object],
    lost: Callable[[B, WorkerLostError], object] | None = None,
) -> None:
    """Hand out blocks in order, at most two a worker at once, and tell `done` what each gives.

    If it is interrupted, the executor ends or finishes the blocks in flight, and the others never begin.

    Args:
        executor: who works. workers: how many these are.
        work: what is done to a block.
        blocks: None stands for a block that is known only after `done` was told of one in flight.
        done: called in this thread.
        lost: told of a block whose worker died each time; if None, that ends the job.

    Raises:
        Whatever `work` and `done` raise.
    """
    todo = iter(blocks)
    running: dict[Future[T], B] = {}
    try:
        while True:
            with _sigint_blocked():
                for block in islice(todo, 2 * workers - len(running)):
                    if block is None:
                        break
                    running[executor.submit(work, block)] = block
            if not running:
                return
            finished, _ = futures.wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                block = running.pop(future)
                try:
                    value = future.result()
                except WorkerLostError as error:
                    if lost is None:
                        raise
                    lost(block, error)
                else:
                    done(value)
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise


@lru_cache(maxsize=1)
def loaded(load: bytes) -> Any:
    """What a pickled function gives; called once in a process for all blocks that are handed the same one."""
    return pickle.loads(load)()


@contextmanager
def _sigint_blocked() -> Iterator[None]:
    """Processes started within never see Ctrl-C, since they inherit the mask; this one sees it at the end."""
    old = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, old)


def _call(work: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    return work(*args, **kwargs)
