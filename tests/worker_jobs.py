"""Jobs that tests hand to workers, and what tests ask of these, in a module that is quick to import."""

import os
import signal
import time
from pathlib import Path

from igmc.errors import ConfigError


def killed_once(mark: str, number: int) -> int:
    """The square of a number; the worker that comes first to 3 is killed."""
    if number == 3 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number**2


def refused(number: int) -> int:
    raise ConfigError("no such number", got=number, allowed="none", remedy="ask for another")


def told_to_end_once(mark: str, number: int) -> int:
    if number == 1 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    return number**2


def killed(number: int) -> int:
    if number == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def asleep(folder: str, number: int) -> None:
    """Says that it has begun, and when it is told to end; works on whatever it is told if the number is 1."""
    mark = Path(folder) / f"{os.getpid()}"
    try:
        mark.touch()
        time.sleep(60)
    finally:
        mark.with_suffix(".left").touch()
        if number == 1:
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            time.sleep(60)


def where(_: int) -> tuple[int, frozenset[int]]:
    time.sleep(0.2)
    return os.getpid(), frozenset(os.sched_getaffinity(0))


def lives(process: int) -> bool:
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] not in "ZX"


def until(condition, seconds=60.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class KillsOnce:
    """Kills the first process that unpickles it."""

    def __init__(self, mark):
        self.mark = mark

    def __setstate__(self, state):
        self.__dict__ = state
        if not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
