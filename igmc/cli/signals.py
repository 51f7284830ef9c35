"""SIGTERM and Ctrl-C end a command wherever they hit, also where Python would swallow them."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

__all__ = ["TERMINATED", "heard"]

TERMINATED = 143  # exit code
_SOON = 0.01  # seconds


@contextmanager
def heard() -> Iterator[None]:
    """SIGTERM raises SystemExit(143) within; neither that nor KeyboardInterrupt is lost.

    What a handler raises in a destructor or in the callback of a weak reference, Python prints and ignores.
    It is raised again then, as soon as that one has returned.
    """
    lost: list[BaseException] = []
    hook = sys.unraisablehook

    def noticed(what: Any) -> None:
        error = what.exc_value
        ends = isinstance(error, KeyboardInterrupt) or (
            isinstance(error, SystemExit) and error.code == TERMINATED
        )
        if not ends:
            hook(what)
            return
        lost.append(error)
        # Not here: what a hook raises is ignored too.
        signal.setitimer(signal.ITIMER_REAL, _SOON)

    def again(number: int, frame: FrameType | None) -> None:
        if lost:
            raise lost.pop()

    before = {
        number: signal.signal(number, handler)
        for number, handler in ((signal.SIGTERM, _terminate), (signal.SIGALRM, again))
    }
    sys.unraisablehook = noticed
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        sys.unraisablehook = hook
        for number, handler in before.items():
            signal.signal(number, handler)
    if lost:
        raise lost.pop()


def _terminate(number: int, frame: FrameType | None) -> NoReturn:
    raise SystemExit(TERMINATED)
