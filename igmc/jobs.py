"""Where the blocks of a large job are worked on: processes of this machine, or the workers of Ray.

Both are executors of Python's: a job hands out its blocks in the same way to either. A block that was lost
with its worker is done again; since blocks are functions of their number, the result is the same.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from contextlib import contextmanager
from itertools import islice
from typing import Any, ParamSpec, TypeVar

from igmc.errors import ConfigError, IgmcError, MissingExtraError

__all__ = ["LOCAL", "RayExecutor", "check_executor", "drive", "ray_executor"]

P = ParamSpec("P")
T = TypeVar("T")
B = TypeVar("B")

LOCAL = "local"
TRIES = 3  # times that a block is done again after its worker was lost


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
    """

    def __init__(self, ray: Any, workers: int) -> None:
        self.workers = workers
        self._ray, self._running = ray, set[Future[Any]]()
        self._call = ray.remote(max_retries=TRIES)(_call)

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `concurrent.futures.Executor.submit`; what `work` needs must be importable at the workers."""
        told: Future[T] = Future()
        self._running.add(told)

        def settle(done: Future[T]) -> None:
            error = done.exception()
            if error is None:
                told.set_result(done.result())
            else:
                told.set_exception(self._ours(error))
            self._running.discard(told)

        self._call.remote(work, args, kwargs).future().add_done_callback(settle)
        return told

    def shutdown(self, wait_for: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the blocks in flight, of which a job has few."""
        if wait_for:
            wait(list(self._running))

    def _ours(self, error: BaseException) -> BaseException:
        """What `work` has raised, or what has become of its worker."""
        if isinstance(error, self._ray.exceptions.RayTaskError):
            return error.cause if isinstance(error.cause, BaseException) else error
        return IgmcError(
            f"Ray lost a block ({' '.join(str(error).split())[:120]})",
            remedy="run the same command again: it resumes",
        )


@contextmanager
def ray_executor(name: str, workers: int | None = None) -> Iterator[RayExecutor]:
    """Ray's workers while it lasts: those of a cluster, or some that are started on this machine.

    Args:
        name: "ray" for the cluster of $RAY_ADDRESS, or for this machine where that is not set;
            "ray://HOST:PORT" for a cluster by its client port.
        workers: as many as are started, or kept busy; by the processors of the cluster if None.

    Raises:
        MissingExtraError: without Ray.
        IgmcError: if the cluster cannot be reached.
    """
    try:
        import ray
    except ImportError as error:
        raise MissingExtraError("this executor needs Ray", remedy="pip install 'igmc[ray]'") from error
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
        yield RayExecutor(ray, workers or max(1, int(ray.cluster_resources().get("CPU", 1))))
    finally:
        if own:
            ray.shutdown()


def drive(
    executor: Executor,
    work: Callable[[B], T],
    blocks: Iterable[B],
    workers: int,
    done: Callable[[T], object],
) -> None:
    """Hand out blocks in order, at most two a worker at once, and tell `done` what each gives.

    If it is interrupted, the blocks in flight are finished, and the others never begun.
    """
    todo = iter(blocks)
    running: set[Future[T]] = set()
    try:
        while True:
            with _sigint_blocked():
                running |= {executor.submit(work, k) for k in islice(todo, 2 * workers - len(running))}
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                done(future.result())
    except BaseException:
        executor.shutdown(cancel_futures=True)
        raise


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
