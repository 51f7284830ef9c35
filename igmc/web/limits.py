"""What a request may take: bytes, places in the queue, time; and how it is turned away beyond that."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from igmc.config import ServeConfig
from igmc.threads import own_thread

__all__ = ["RETRY_AFTER", "BodyLimit", "BusyError", "Gate", "LateError", "send_problem"]

_CLOSE = ((b"connection", b"close"),)  # else the rest of the body would be read, to be thrown away
RETRY_AFTER = 1  # seconds; a request takes well under one

T = TypeVar("T")


class BusyError(Exception):
    """All threads work and the queue is full."""


class LateError(Exception):
    """There was no answer in time."""


class Gate:
    """A few threads that work off the event loop, and a queue before them that does not grow without bound.

    A request that is given up while it waits is never begun. One that has begun keeps its place until its
    thread is free again, which it should soon be: the task is told the deadline.

    Args:
        limits: threads, queue and timeout.
    """

    def __init__(self, limits: ServeConfig) -> None:
        self._pool = ThreadPoolExecutor(limits.threads, "igmc-serve", initializer=own_thread)
        self._threads, self._places = limits.threads, limits.threads + limits.queue
        self._timeout = limits.timeout
        self._taken = 0
        self._lock = threading.Lock()

    @property
    def full(self) -> bool:
        """Whether no thread is free."""
        return self._taken >= self._threads

    @property
    def taken(self) -> int:
        """Requests that are being worked on or wait."""
        return self._taken

    async def run(self, task: Callable[[float], T]) -> T:
        """What a task returns, called in a thread with its deadline on the clock of `time.monotonic`.

        Raises:
            BusyError: if there is no place in the queue.
            LateError: if there was no answer in time, or the task ended with a TimeoutError.
        """
        with self._lock:
            if self._taken >= self._places:
                raise BusyError
            self._taken += 1
        try:
            future = self._pool.submit(task, time.monotonic() + self._timeout)
        except RuntimeError:  # the server stops
            self._leave()
            raise BusyError from None
        future.add_done_callback(lambda _: self._leave())
        try:
            return await asyncio.wait_for(asyncio.wrap_future(future), self._timeout)
        except TimeoutError:
            raise LateError from None

    def close(self) -> None:
        """Begin nothing more; what has begun ends by its deadline."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _leave(self) -> None:
        with self._lock:
            self._taken -= 1


class BodyLimit:
    """Reads the body of a request before anything else does, up to a size and for a time."""

    def __init__(self, app: ASGIApp, limits: ServeConfig) -> None:
        self.app, self.most, self.timeout = app, limits.max_body, limits.timeout

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        declared = dict(scope["headers"]).get(b"content-length", b"0")
        try:
            body = None
            if not (declared.isdigit() and int(declared[:20]) > self.most):
                body = await asyncio.wait_for(self._read(receive), self.timeout)
        except TimeoutError:
            detail = f"the body of the request did not arrive within {self.timeout:g} s"
            await send_problem(send, 408, detail, _CLOSE)
            return
        except ConnectionError:
            return
        if body is None:
            detail = f"the body of the request is too large; allowed: at most {self.most} bytes"
            await send_problem(send, 413, detail, _CLOSE)
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, replay, send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body; None if it is too large."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            body += message.get("body", b"")
            if len(body) > self.most:
                return None
            if not message.get("more_body", False):
                return bytes(body)


async def send_problem(
    send: Send, status: int, detail: str, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Answer with a `igmc.web.schemas.Problem`, from where there is no framework yet."""
    body = json.dumps({"detail": detail}).encode()
    fixed = ((b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": [*fixed, *headers]})
    await send({"type": "http.response.body", "body": body})
