"""The server that runs an application, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
import threading
from collections.abc import Iterator
from functools import partial

import uvicorn
from fastapi import FastAPI

from igmc.config import ServeConfig
from igmc.errors import IgmcError
from igmc.web.connections import Connection, most_connections, on_loop_error

__all__ = ["listen", "serve"]

BACKLOG = 256  # connections that the system holds until they are accepted
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Server(uvicorn.Server):
    """A server for which a signal to stop is no failure: it answers what is in flight, then `run` returns."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_exception_handler(on_loop_error)
        await super().startup(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self.handle_exit) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; who connects waits for `serve`.

    Args:
        host: an address of this machine, or a name of one.
        port: 0 for any that is free.

    Raises:
        IgmcError: if the address is not there or taken.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind, protocol)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(BACKLOG)
    except OSError as error:
        absent = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        raise IgmcError(
            f"cannot listen on {host}, port {port}: {error.strerror or error}",
            remedy="choose a --host that this machine has, such as 127.0.0.1"
            if absent
            else "choose another --port, or 0 for any that is free",
        ) from error
    return found


def serve(app: FastAPI, listener: socket.socket, limits: ServeConfig) -> None:
    """Answer requests until SIGTERM or SIGINT; then finish those in flight, and return.

    Args:
        app: see `igmc.web.app.make_app`.
        listener: of `listen`; it is closed in the end.
        limits: those of `app`; requests in flight get `timeout` seconds to end.
    """
    config = uvicorn.Config(
        app,
        http=partial(Connection, head_timeout=limits.timeout, most=most_connections()),  # type: ignore[arg-type]
        ws="none",
        backlog=BACKLOG,
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        lifespan="on",
        timeout_keep_alive=5,
        timeout_graceful_shutdown=int(limits.timeout) + 1,
    )
    _Server(config).run(sockets=[listener])
