"""Changes of concurrent requests, stored together: one wait for the disk serves them all."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import NamedTuple

from igmc.live.entries import Change, DatabaseAwayError, KeyReusedError, Receipt
from igmc.live.log import RatingLog

__all__ = ["QueueFullError", "Writer"]

logger = logging.getLogger(__name__)

MOST = 256  # changes in one transaction
WAITING = 2048  # changes that may wait


class QueueFullError(Exception):
    """More changes are waiting than the database can store in a few seconds."""


class _Asked(NamedTuple):
    change: Change
    answer: Future[Receipt]


class Writer:
    """A thread that stores changes in the order in which they were submitted.

    Args:
        log: of this thread alone.
        stored: called after each transaction.
    """

    def __init__(self, log: RatingLog, stored: Callable[[], None]) -> None:
        self._log, self._stored = log, stored
        self.position = 0  # of the last entry that was stored here
        self._asked: queue.Queue[_Asked | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._work, name="igmc-writer", daemon=True)

    @property
    def waiting(self) -> int:
        """Number of waiting changes."""
        return self._asked.qsize()

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Store the waiting changes, and stop."""
        if self._thread.is_alive():
            self._asked.put(None)
            self._thread.join()
        self._log.close()

    def submit(self, change: Change) -> Future[Receipt]:
        """A future of the receipt, done once the change is stored durably.

        It may end in a `KeyReusedError` or a `DatabaseAwayError`; after the latter the change may be stored
        nevertheless, and only its key tells.

        Raises:
            QueueFullError: if too many wait.
        """
        answer: Future[Receipt] = Future()
        try:
            self._asked.put_nowait(_Asked(change, answer))
        except queue.Full:
            raise QueueFullError from None
        return answer

    def _work(self) -> None:
        while (first := self._asked.get()) is not None:
            batch, last = [first], False
            while len(batch) < MOST and not last:
                try:
                    more = self._asked.get_nowait()
                except queue.Empty:
                    break
                if more is None:
                    last = True
                else:
                    batch.append(more)
            self._append([asked for asked in batch if asked.answer.set_running_or_notify_cancel()])
            if last:
                return

    def _append(self, batch: list[_Asked]) -> None:
        try:
            answers = self._log.append([asked.change for asked in batch])
            if any(draft.kind == "erase" for asked in batch for draft in asked.change.drafts):
                self._log.scrub()
        except Exception as error:
            if not isinstance(error, DatabaseAwayError):
                logger.exception("ratings could not be stored")
            for asked in batch:
                asked.answer.set_exception(error)
            return
        places = [answer.position for answer in answers if isinstance(answer, Receipt)]
        self.position = max([self.position, *places])
        self._stored()
        for asked, answer in zip(batch, answers, strict=True):
            if isinstance(answer, KeyReusedError):
                asked.answer.set_exception(answer)
            else:
                asked.answer.set_result(answer)
