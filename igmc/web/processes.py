"""Several processes that serve one socket: forked after warm-up, so that they share the run in memory."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator

from igmc.errors import ConfigError, IgmcError

__all__ = ["run_processes"]

logger = logging.getLogger(__name__)

_NAMES = ("SIGCHLD", "SIGHUP", "SIGINT", "SIGTERM")
SIGNALS = {getattr(signal, name) for name in _NAMES if hasattr(signal, name)}
EARLY = 5.0  # seconds; a process that ends before has failed to start
ORPHAN = 0.5  # seconds between two looks for the first process
MOST_EARLY = 3  # such ends, one after the other, after which the server gives up


def run_processes(
    count: int,
    work: Callable[[], object],
    reload: Callable[[], bool],
    ended: Callable[[int], object] = lambda process: None,
) -> None:
    """Serve in forked processes until SIGTERM or SIGINT; then wait until they have ended.

    A process that dies is started again; if this one is killed, the others end. On SIGHUP the run is loaded
    again, here; new processes then take the place of the old ones, which finish what is in flight.

    Args:
        count: of the processes.
        work: serves, in a process of its own, until SIGTERM.
        reload: loads the run again; whether it can be served.
        ended: called with the id of each process that has ended.

    Raises:
        ConfigError: where a process cannot be forked.
        IgmcError: if processes die as soon as they are started.
    """
    if not hasattr(os, "fork"):
        raise ConfigError("this system cannot fork", got=f"--processes {count}", allowed="--processes 1")
    running: dict[int, float] = {}  # process -> when it was started
    replaced: set[int] = set()  # those of them that end, since another run is served
    early = 0
    with _blocked() as before:
        try:
            for _ in range(count):
                _start(work, before, running)
            while True:
                number = signal.sigwait(SIGNALS)
                if number in (signal.SIGINT, signal.SIGTERM):
                    return
                if number == signal.SIGHUP and reload():
                    replaced |= set(running)
                    for _ in range(count):
                        _start(work, before, running)
                    _end(replaced)
                for process, status in _reaped(running):
                    lasted = time.monotonic() - running.pop(process)
                    ended(process)
                    if process in replaced:
                        replaced.remove(process)
                        continue
                    early = early + 1 if lasted < EARLY else 0
                    logger.warning("process %d ended (%s); another one starts", process, _why(status))
                    if early > MOST_EARLY:
                        raise IgmcError(
                            "the server processes end as soon as they start",
                            got=_why(status),
                            remedy="serve with --processes 1 to see why",
                        )
                    _start(work, before, running)
        finally:
            _end(running)
            for process in list(running):
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(process, 0)
                ended(process)


@contextlib.contextmanager
def _blocked() -> Iterator[set[signal.Signals]]:
    """Signals wait to be taken one by one; gives the mask from before."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield {signal.Signals(number) for number in before}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start(work: Callable[[], object], mask: set[signal.Signals], running: dict[int, float]) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    first = os.getpid()
    process = os.fork()
    if process:
        running[process] = time.monotonic()
        return
    code = 1
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # the first process answers it
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        threading.Thread(target=_end_with, args=(first,), name="igmc-orphan", daemon=True).start()
        work()
        code = 0
    except BaseException:
        logger.exception("a process of the server has failed")
    finally:
        os._exit(code)  # what the first process cleans up at its end is not ours


def _end_with(first: int) -> None:
    """End this process when the first one was killed: nobody would replace it, and the port stays taken."""
    while os.getppid() == first:
        time.sleep(ORPHAN)
    os.kill(os.getpid(), signal.SIGTERM)


def _end(processes: Iterable[int]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGTERM)


def _reaped(running: dict[int, float]) -> Iterator[tuple[int, int]]:
    for process in list(running):
        with contextlib.suppress(ChildProcessError):
            found, status = os.waitpid(process, os.WNOHANG)
            if found:
                yield process, status


def _why(status: int) -> str:
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}" if code < 0 else f"exit code {code}"
