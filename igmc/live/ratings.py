"""A predictor that follows a log of ratings, and takes new ones into it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from igmc.inference import Predictor
from igmc.live.applying import applied
from igmc.live.entries import Change, DatabaseAwayError, Entry, Receipt
from igmc.live.log import RatingLog
from igmc.live.writer import Writer

__all__ = ["LiveRatings", "State"]

logger = logging.getLogger(__name__)

POLL = 0.02  # seconds between two polls for entries of other processes
AWAY = 1.0  # seconds between two tries while the database is away
PIECE = 200_000  # entries that are read from the database at once


class State(NamedTuple):
    """The state after an entry of the log; immutable.

    Attributes:
        position: of that entry.
        predictor: what answers.
    """

    position: int
    predictor: Predictor


class LiveRatings:
    """The state of a log, kept up to date by a thread of its own; any number of threads may use it.

    Existing entries are read and applied at construction. Later each entry is applied once, in order,
    whichever process stored it.

    Args:
        predictor: the run, without the log.
        store: see `igmc.live.database.open_database`.

    Raises:
        IgmcError: if the store cannot be used with this run.
    """

    def __init__(self, predictor: Predictor, store: str) -> None:
        self.store, self._log = store, RatingLog(store)
        self._log.bind(predictor.scale.values.tolist())
        self.state = _replayed(self._log, predictor)
        self._log.close()  # it opens again where it is followed: no connection outlives a fork
        self.away = self.stuck = ""  # why the log cannot be read; why an entry of it cannot be applied
        self._end, self._wake = threading.Event(), threading.Event()
        self._moved = threading.Condition()
        self._swap = threading.Lock()
        self._writer = Writer(RatingLog(store), self._wake.set)
        self._thread = threading.Thread(target=self._work, name="igmc-follower", daemon=True)

    @property
    def predictor(self) -> Predictor:
        """The current state; take it once for each request."""
        return self.state.predictor

    @property
    def waiting(self) -> int:
        """Changes waiting to be stored."""
        return self._writer.waiting

    @property
    def stored(self) -> int:
        """The last entry that was stored here; 0 if there is none."""
        return self._writer.position

    def __enter__(self) -> LiveRatings:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Begin to follow the log, and to store changes."""
        self._writer.start()
        self._thread.start()

    def close(self) -> None:
        """Store the waiting changes, and stop."""
        self._writer.close()
        self._end.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join()
        self._log.close()

    def write(self, change: Change) -> Future[Receipt]:
        """See `Writer.submit`."""
        return self._writer.submit(change)

    def reached(self, position: int, timeout: float) -> bool:
        """Wait until an entry is applied; returns whether it is."""
        self._wake.set()
        with self._moved:
            return self._moved.wait_for(lambda: self.state.position >= position, timeout)

    def caught_up(self, timeout: float) -> bool:
        """Wait until all is applied that is stored now, by whichever process; False after the timeout, or if
        the database is away.
        """
        try:
            with RatingLog(self.store) as log:
                return self.reached(log.position(), timeout)
        except DatabaseAwayError:
            return False

    def swap(self, predictor: Predictor, warm: Callable[[Predictor], object] | None = None) -> None:
        """Switch to another run; the old one answers requests until the new one has caught up with the log.

        Args:
            predictor: the run, without the log.
            warm: called with the new state before it answers, so that its first request is fast.

        Raises:
            IgmcError: if the store cannot be used with it; the old one stays then.
        """
        with RatingLog(self.store) as log:
            log.bind(predictor.scale.values.tolist())
            state = _replayed(log, predictor)
        if warm is not None:
            warm(state.predictor)
        with self._swap:
            self.state, self.stuck = state, ""
        self._wake.set()

    def _work(self) -> None:
        while not self._end.is_set():
            self._wake.clear()
            try:
                more = self._step()
                self.away = ""
            except DatabaseAwayError as error:
                if not self.away:
                    logger.warning("%s", error)
                self.away = str(error)
                self._end.wait(AWAY)
                continue
            except Exception as error:
                if not self.stuck:
                    logger.exception("an entry of the log cannot be applied")
                self.stuck = str(error)
                self._end.wait(AWAY)
                continue
            if not more:
                self._wake.wait(POLL)

    def _step(self) -> bool:
        """Apply new entries of the log; returns whether there were any."""
        with self._swap:
            before = self.state
        entries = self._log.read(before.position)
        if not entries:
            return False
        after = State(entries[-1].position, applied(before.predictor, entries))
        with self._swap:
            if self.state is before:  # else another run was swapped in meanwhile; it catches up next
                self.state, self.stuck = after, ""
        with self._moved:
            self._moved.notify_all()
        return True


def _replayed(log: RatingLog, predictor: Predictor) -> State:
    """What is known after all entries of a log."""
    start = time.perf_counter()
    entries: list[Entry] = []
    while piece := log.read(entries[-1].position if entries else 0, PIECE):
        entries += piece
    if not entries:
        return State(0, predictor)
    found = State(entries[-1].position, applied(predictor, entries, replay=True))
    logger.info("%d entries of the log replayed in %.1f s", len(entries), time.perf_counter() - start)
    return found
