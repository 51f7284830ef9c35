"""Log lines on stderr that leave progress bars whole."""

from __future__ import annotations

import logging
import sys
import time

from igmc.cli.heartbeat import Heartbeat

__all__ = ["shows_progress", "start_logging", "stop_logging"]


class _StderrHandler(logging.Handler):
    """Writes above the progress bar instead of into it."""

    def emit(self, record: logging.LogRecord) -> None:
        from tqdm import tqdm

        try:
            tqdm.write(self.format(record), file=sys.stderr)
        except Exception:
            self.handleError(record)


def start_logging(*, verbose: bool, quiet: bool, heartbeat: bool = True) -> None:
    """Send the logs of igmc to stderr: warnings if `quiet`, debug lines with time and origin if `verbose`.

    Where stderr is no terminal, a work that says nothing for 30 seconds says that it goes on; but for
    `heartbeat`, which a server sets to False, as it mostly waits.
    """
    logger = logging.getLogger("igmc")
    stop_logging()
    handler = _StderrHandler(logging.DEBUG if verbose else logging.WARNING if quiet else logging.INFO)
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s" if verbose else "%(message)s"
    handler.setFormatter(logging.Formatter(line))
    logger.addHandler(handler)
    # The level stands at the handler: what the terminal hides may still go into the run's log.txt.
    logger.setLevel(logging.DEBUG if verbose else logging.INFO)
    if heartbeat and not quiet and not sys.stderr.isatty():  # a terminal shows bars
        beating = Heartbeat(time.monotonic())
        logger.addHandler(beating)
        beating.start()


def stop_logging() -> None:
    """Undo `start_logging`."""
    logger = logging.getLogger("igmc")
    for old in [one for one in logger.handlers if isinstance(one, _StderrHandler | Heartbeat)]:
        logger.removeHandler(old)
        old.close()


def shows_progress(*, quiet: bool) -> bool:
    """Whether bars make sense: not when asked to be quiet, nor into a file or pipe."""
    return not quiet and sys.stderr.isatty()
