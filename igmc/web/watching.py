"""What a server does, for those who run it: metrics for Prometheus, and a line for each request."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from igmc.files import LineFile
from igmc.live import LiveRatings
from igmc.web.experiment import Experiment

__all__ = ["ARM", "AccessLog", "Metrics", "Watch", "forget_process"]

ARM = "igmc.arm"  # where the scope of a request has the arm that answers it

_Mode = Literal["livesum", "livemin"]  # how values of several processes become one

BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)  # seconds


class Metrics:
    """Counts since the server started, in the text format of Prometheus.

    Where several processes serve, each tells of all: prometheus_client adds up what they leave in the folder
    $PROMETHEUS_MULTIPROC_DIR.

    Args:
        queue: how many requests are processed or wait.
        experiment: what answers, and where ratings are stored.
        files: logs.
    """

    def __init__(
        self, queue: Callable[[], float], experiment: Experiment, files: Sequence[LineFile] = ()
    ) -> None:
        self.shared = "PROMETHEUS_MULTIPROC_DIR" in os.environ
        self._gauges: dict[str, Gauge] = {}
        self._told: list[tuple[Gauge, Callable[[], float]]] = []
        self.registry = CollectorRegistry()
        names = ["method", "path"]
        self._requests = Counter(
            "igmc_requests", "Requests answered.", [*names, "arm", "status"], registry=self.registry
        )
        self._seconds = self._histogram("igmc_request_seconds", "Time until the answer.", [*names, "arm"])
        self._gauge("igmc_queue", "Requests that are processed or waiting.", queue)
        if files:
            lost = "Lines that could not be written to logs."
            self._gauge("igmc_log_lines_lost", lost, lambda: sum(file.lost for file in files))
        if experiment.shadow is not None:
            self._shadow = Counter(
                "igmc_shadow", "Requests offered to the shadow.", ["outcome"], registry=self.registry
            )
            self._shadow_seconds = self._histogram("igmc_shadow_seconds", "Time of the shadow's answers.", [])
        if experiment.lives:
            self._tell_of_stores(experiment)

    def _tell_of_stores(self, experiment: Experiment) -> None:
        first, lives = experiment.lives[0], experiment.lives
        self._gauge("igmc_writes_waiting", "Changes waiting to be stored.", lambda: first.waiting)
        for arm in experiment.all:
            if (live := arm.live) is not None:
                self._gauge(
                    "igmc_applied",
                    "Last applied entry of the log.",
                    partial(_applied, live),
                    "livemin",
                    arm.name,
                )
                self._gauge(
                    "igmc_behind",
                    "Entries stored here and not yet applied.",
                    partial(_behind, first, live),
                    arm=arm.name,
                )
        self._gauge(
            "igmc_database_up",
            "Whether the log can be read.",
            lambda: not any(live.away for live in lives),
            "livemin",
        )

    def _histogram(self, name: str, help: str, labels: list[str]) -> Histogram:
        return Histogram(name, help, labels, buckets=BOUNDS, registry=self.registry)

    def _gauge(
        self,
        name: str,
        help: str,
        value: Callable[[], float],
        mode: _Mode = "livesum",
        arm: str | None = None,
    ) -> None:
        if name not in self._gauges:
            labels = [] if arm is None else ["arm"]
            self._gauges[name] = Gauge(name, help, labels, registry=self.registry, multiprocess_mode=mode)
        gauge = self._gauges[name] if arm is None else self._gauges[name].labels(arm)
        if self.shared:
            self._told.append((gauge, value))
        else:
            gauge.set_function(value)

    def note(self) -> None:
        """Leave the present values for other processes; call it every second or so."""
        for gauge, value in self._told:
            gauge.set(value())

    def seen(self, method: str, path: str, status: int, seconds: float, arm: str) -> None:
        """Count a request; `arm` is empty if none answered it."""
        self._requests.labels(method, path, arm, status).inc()
        self._seconds.labels(method, path, arm).observe(seconds)

    def shadow_seen(self, outcome: str, seconds: float) -> None:
        """Count a request that was offered to the shadow: "answered", "dropped" or "failed"."""
        self._shadow.labels(outcome).inc()
        if outcome == "answered":
            self._shadow_seconds.observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        if not self.shared:
            return generate_latest(self.registry)
        self.note()
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def _applied(live: LiveRatings) -> float:
    return live.state.position


def _behind(first: LiveRatings, live: LiveRatings) -> float:
    return max(0, first.stored - live.state.position)


def forget_process(process: int) -> None:
    """Count the present values of a process that has ended no more; what it has counted stays."""
    multiprocess.mark_process_dead(process)  # type: ignore[no-untyped-call]


class AccessLog:
    """A line of JSON for each request. Addresses are those of the description, so no id stands in it."""

    def __init__(self, file: LineFile) -> None:
        self.file = file

    def seen(self, method: str, path: str, status: int, seconds: float, arm: str) -> None:
        """Write the line of a request."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "method": method,
            "path": path,
            "status": status,
            "ms": round(1e3 * seconds, 1),
            "arm": arm,
        }
        self.file.append(json.dumps(line))


class Watch:
    """Tells others of each request, once it is answered."""

    def __init__(self, app: ASGIApp, tell: tuple[Callable[[str, str, int, float, str], None], ...]) -> None:
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
                one(method, path, status, time.perf_counter() - start, scope.get(ARM, ""))
