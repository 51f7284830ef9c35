"""How many connections the server keeps, and how long one may take to say what it wants."""

from __future__ import annotations

import asyncio
import errno
import logging
import resource
import time
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Connection", "most_connections", "on_loop_error"]

logger = logging.getLogger(__name__)

RESERVED = 128  # descriptors that are left for files, libraries and the event loop
MOST = 4096  # connections, however many descriptors there are
QUIET = 60.0  # seconds between two lines on descriptors that are used up

_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: 59\r\n"
    b"retry-after: 1\r\nconnection: close\r\n\r\n"
    b'{"detail":"the server has too many connections; try again"}'
)


def most_connections() -> int:
    """So many that the process has descriptors left for what else it opens; 1 or more."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST if soft == resource.RLIM_INFINITY else max(1, min(MOST, soft - RESERVED))


class Connection(H11Protocol):
    """An HTTP/1.1 connection that is closed unless a whole request head arrives in time; one of so many.

    uvicorn's own timeout counts only while nothing at all is sent, so that a client that sends a byte now and
    then, or connects and says nothing, holds a descriptor for ever.

    Args:
        head_timeout: seconds for the head of a request, from the connection or the answer before it.
        most: connections at once; one more is answered with 503 and closed.
        more: of uvicorn.
    """

    def __init__(self, *, head_timeout: float, most: int, **more: Any) -> None:
        super().__init__(**more)
        self.head_timeout, self.most = head_timeout, most
        self._head: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(_FULL)
            transport.close()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._await_head()

    def _await_head(self) -> None:
        self._stop()
        self._head = self.loop.call_later(self.head_timeout, self._late)

    def _late(self) -> None:
        """Close, unless a request is being worked on; its own limits hold then."""
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _stop(self) -> None:
        if self._head is not None:
            self._head.cancel()
            self._head = None


def on_loop_error(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio could not hand to anybody: descriptors used up are told once a minute, in one line."""
    global _told
    error = context.get("exception")
    if not (isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)):
        loop.default_exception_handler(context)
        return
    now = time.monotonic()
    if now - _told >= QUIET:
        _told = now
        logger.error(
            "no file descriptor is left for a new connection (%s): raise ulimit -n; the server tries again",
            error,
        )


_told = -QUIET  # when that was told last, on the clock of time.monotonic
