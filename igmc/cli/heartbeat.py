"""A log line now and then from a long work that has nothing to say."""

from __future__ import annotations

import logging
import threading
import time

from igmc.progress import current_work

__all__ = ["SILENCE", "Heartbeat"]

logger = logging.getLogger(__name__)

SILENCE = 30.0  # seconds


class Heartbeat(logging.Handler):
    """Hears all lines of a logger, and says that the work goes on after 30 seconds without one.

    Args:
        now: the time at its start, in seconds on the clock of `time.monotonic`.
    """

    def __init__(self, now: float) -> None:
        super().__init__(logging.INFO)
        self._begun = self._heard = now
        self._ended = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self._heard = time.monotonic()

    def beat(self, now: float) -> float:
        """Say so if it is time to; the seconds after which to look again."""
        quiet = now - self._heard
        if quiet < SILENCE:
            return SILENCE - quiet
        self._heard = now
        minutes, seconds = divmod(round(now - self._begun), 60)
        spent = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
        work = current_work()
        logger.info("still at work after %s%s", spent, f": {work}" if work else "")
        return SILENCE

    def start(self) -> None:
        """Look at the time in a thread that ends with the process."""
        threading.Thread(target=self._run, name="igmc heartbeat", daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._ended.set()
        super().close()

    def _run(self) -> None:
        wait = SILENCE
        while not self._ended.wait(wait):
            wait = self.beat(time.monotonic())
