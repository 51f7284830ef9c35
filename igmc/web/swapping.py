"""Another run in place of the one that is served, without a pause."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from igmc.config import ServeConfig
from igmc.errors import IgmcError
from igmc.inference import Predictor
from igmc.live import LiveRatings
from igmc.web.service import Service

__all__ = ["Served"]

logger = logging.getLogger(__name__)


class Served:
    """The run that is served, and another one later.

    Args:
        load: gives the predictor of the run as it is on the disk now.
        store: where ratings are stored; see `igmc.live.LiveRatings`. None to store none.
        name: of the arm, for the log.

    Raises:
        IgmcError: if the run or the store cannot be used.
    """

    def __init__(self, load: Callable[[], Predictor], store: str | None = None, name: str = "A") -> None:
        self._load, self._busy, self.name = load, threading.Lock(), name
        self._predictor = load()
        self.live = None if store is None else LiveRatings(self._predictor, store)

    def __call__(self) -> Predictor:
        """What answers now."""
        return self._predictor if self.live is None else self.live.predictor

    def reload(self) -> bool:
        """Load the run again, and let it answer once it is ready; whether it does.

        The old one answers meanwhile, and goes on if the new one cannot be used. A second call while the
        first is at work does nothing.
        """
        if not self._busy.acquire(blocking=False):
            return False
        try:
            predictor = self._load()
            if self.live is not None:
                self.live.swap(predictor, _warm)
            else:
                _warm(predictor)
            self._predictor = predictor
        except IgmcError as error:
            logger.error("%s: the new run cannot be served; the old one stays: %s", self.name, error)
            return False
        except Exception:
            logger.exception("%s: the new run cannot be served; the old one stays", self.name)
            return False
        finally:
            self._busy.release()
        logger.info("%s: another run is served, %d ratings known", self.name, self().graph.n_ratings)
        return True

    def on_signal(self, *_: object) -> None:
        """As a handler of SIGHUP: reload in a thread, as answers go on."""
        threading.Thread(target=self.reload, name="igmc-reload", daemon=True).start()


def _warm(predictor: Predictor) -> None:
    """See `Service.warm`; an id that answers cannot hold is found here too."""
    Service(predictor, ServeConfig()).warm()
