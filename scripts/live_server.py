"""A server that stores ratings, forked from a process that has loaded the run: it starts in a moment.

From there on it is what `igmc-serve --store` runs. For `scripts/live_kills.py` and `scripts/bench_live.py`.
"""

from __future__ import annotations

import multiprocessing
import os
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from igmc.config import ServeConfig
from igmc.inference import Predictor
from igmc.live import LiveRatings
from igmc.web import Experiment, Service, listen, make_app, serve

RUN = "IGMC_LIVE_RUN"  # in the environment of the process that is forked from
PREDICTOR = Predictor.from_run(os.environ[RUN], device="cpu") if RUN in os.environ else None
LIMITS = ServeConfig(timeout=60)


def prepare(run: Path) -> Any:
    """What starts processes that know the run already; it loads it when the first is started."""
    os.environ[RUN] = str(run)
    paths = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # of the process that is forked from
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["live_server"])
    return context


def run_server(store: str, pipe: Any, warm: bool) -> None:
    """Serve until terminated; the port goes into the pipe."""
    if PREDICTOR is None:
        raise SystemExit(f"{RUN} is not set")
    live = LiveRatings(PREDICTOR, store)
    service = Service(lambda: live.predictor, LIMITS)
    app = make_app(Experiment.of(service, live), LIMITS)
    if warm:
        service.warm()
    with listen("127.0.0.1", 0) as listener, live:
        pipe.send(listener.getsockname()[1])
        serve(app, listener, LIMITS)


def start(context: Any, store: str, *, warm: bool = False) -> tuple[BaseProcess, str]:
    """A server that serves, and its address."""
    ours, theirs = context.Pipe()
    process = context.Process(target=run_server, args=(store, theirs, warm), daemon=True)
    process.start()
    theirs.close()
    return process, f"http://127.0.0.1:{ours.recv()}/"
