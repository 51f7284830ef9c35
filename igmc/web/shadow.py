"""A run that answers the same requests for the log only, while there is nothing else to do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from igmc.errors import IgmcError
from igmc.experiments import Answer
from igmc.ratings import RawId
from igmc.web import schemas, score_schemas
from igmc.web.experiment import Experiment
from igmc.web.service import Service
from igmc.web.wire_ids import sent

__all__ = ["WAITING", "Shadow"]

logger = logging.getLogger(__name__)

WAITING = 8  # answers to compute, at most; older ones would only compete with later requests

_Items = list[tuple[RawId, float]]


class Shadow:
    """One thread that computes what the shadow would have answered.

    A request is dropped, not delayed, when all threads of the server are at work or too many wait here.

    Args:
        experiment: with a shadow, and a log.
        timeout: seconds after which an answer is given up.
        busy: whether all threads of the server are at work.
        tell: called with "answered", "dropped" or "failed", and the seconds that it took.
    """

    def __init__(
        self,
        experiment: Experiment,
        timeout: float,
        busy: Callable[[], bool],
        tell: Callable[[str, float], None],
    ) -> None:
        self._experiment, self._timeout, self._busy, self._tell = experiment, timeout, busy, tell
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="igmc-shadow")
        self._waiting, self._lock = 0, threading.Lock()

    def offer(self, shown: Answer, asked: schemas.Asker) -> None:
        """Answer a request too, or drop it; returns at once.

        Args:
            shown: what was answered to it.
            asked: the request.
        """
        with self._lock:
            taken = self._waiting < WAITING and not self._busy()
            self._waiting += taken
        if taken:
            try:
                self._pool.submit(self._answer, shown, asked)
            except RuntimeError:  # the server stops
                taken = False
        if not taken:
            self._tell("dropped", 0.0)

    def close(self) -> None:
        """Begin nothing more; what has begun ends by its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _answer(self, shown: Answer, asked: schemas.Asker) -> None:
        start, outcome = time.monotonic(), "failed"
        try:
            if self._experiment.shadow is not None:
                answer = _computed(self._experiment.shadow.service, shown, asked, start + self._timeout)
                self._experiment.record_shadow(shown, *answer)
                outcome = "answered"
        except TimeoutError:
            outcome = "dropped"
        except IgmcError as error:  # such as an item that only the other run knows
            logger.debug("the shadow cannot answer: %s", error)
        except Exception:
            logger.exception("the shadow failed")
        finally:
            with self._lock:
                self._waiting -= 1
            self._tell(outcome, time.monotonic() - start)


def _computed(
    service: Service, shown: Answer, asked: schemas.Asker, deadline: float
) -> tuple[_Items, _Items]:
    """The shadow's answer, and what it predicts for the items that were shown, where these are others."""
    if isinstance(asked, schemas.ListRequest):
        listed: _Items = [(one.item_id, one.score or 0.0) for one in service.recommend(asked, deadline).items]
        again = score_schemas.ScoreRequest.model_construct(
            user_id=asked.user_id,
            ratings=asked.ratings,
            round=asked.round,
            item_ids=[sent(item) for item, _ in shown.items],
        )
        who = asked.user_id is not None or asked.ratings is not None
        scores = service.score(again, deadline).scores if who and shown.items else []
        return listed, [(one.item_id, one.score) for one in scores]
    if isinstance(asked, score_schemas.ScoreRequest):
        return [(one.item_id, one.score) for one in service.score(asked, deadline).scores], []
    if isinstance(asked, schemas.ExplanationRequest):
        again = score_schemas.ScoreRequest.model_construct(
            user_id=asked.user_id, ratings=asked.ratings, round=asked.round, item_ids=[asked.item_id]
        )
        return [(one.item_id, one.score) for one in service.score(again, deadline).scores], []
    raise TypeError(f"no shadow of {type(asked).__name__}")
