"""What a server does, for those who run it: metrics for Prometheus, and a line for each request."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal, TextIO

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from igmc.live import LiveRatings

__all__ = ["AccessLog", "Metrics", "Watch", "forget_process"]

_Mode = Literal["livesum", "livemin"]  # how values of several processes become one

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Metrics:
    """Counts since the server started, in the text format of Prometheus.

    Where several processes serve, each tells of all: prometheus_client adds up what they leave in the folder
    $PROMETHEUS_MULTIPROC_DIR.

    Args:
        queue: how many requests are processed or wait.
        live: where ratings are stored; None without a store.
    """

    def __init__(self, queue: Callable[[], float], live: LiveRatings | None) -> None:
        self.shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._told: list[tuple[Gauge, Callable[[], float]]] = []
        self.registry = CollectorRegistry()
        names = ["method", "path"]
        self._requests = Counter(
            "igmc_requests", "Requests that were answered.", [*names, "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "igmc_request_seconds", "Time to the answer.", names, buckets=BOUNDS, registry=self.registry
        )
        self._gauge("igmc_queue", "Requests for the models that are processed or wait.", queue)
        if live is not None:
            self._gauge("igmc_writes_waiting", "Changes that wait to be stored.", lambda: live.waiting)
            self._gauge(
                "igmc_applied",
                "Last entry of the log that is applied.",
                lambda: live.state.position,
                "livemin",
            )
            self._gauge("igmc_behind", "Entries stored here that are not applied yet.", lambda: live.behind)
            self._gauge("igmc_database_up", "Whether the log can be read.", lambda: not live.away, "livemin")

    def _gauge(self, name: str, help: str, value: Callable[[], float], mode: _Mode = "livesum") -> None:
        gauge = Gauge(name, help, registry=self.registry, multiprocess_mode=mode)
        if self.shared:
            self._told.append((gauge, value))
        else:
            gauge.set_function(value)

    def note(self) -> None:
        """Leave the present values for other processes; call it every second or so."""
        for gauge, value in self._told:
            gauge.set(value())

    def seen(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(method, path, status).inc()
        self._seconds.labels(method, path).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        if not self.shared:
            return generate_latest(self.registry)
        self.note()
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def forget_process(process: int) -> None:
    """Count the present values of a process that has ended no more; what it has counted stays."""
    multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


class AccessLog:
    """A line of JSON for each request. Addresses are those of the description, so no id stands in it."""

    def __init__(self, file: TextIO) -> None:
        self._file, self._lock = file, threading.Lock()

    def seen(self, method: str, path: str, status: int, seconds: float) -> None:
        """Write the line of a request."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": method,
            "path": path,
            "status": status,
            "ms": round(1e3 * seconds, 1),
        }
        with self._lock:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


class Watch:
    """Tells others of each request, once it is answered."""

    def __init__(self, app: ASGIApp, tell: tuple[Callable[[str, str, int, float], None], ...]) -> None:
        self.app, self.tell = app, tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        start, status = time.perf_counter(), 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, watched)
        finally:
            # The router leaves its route here; what it has not met, such as a wrong token, has none.
            route: Any = scope.get("route")
            path = getattr(route, "path_format", None) or getattr(route, "path", None) or "other"
            method = scope["method"] if path != "other" else "other"
            for one in self.tell:
                one(method, path, status, time.perf_counter() - start)
