"""``igmc-serve``: the JSON API and the page, over a trained run."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import start_logging
from igmc.cli.model_options import checkpoint_options, make_predictor, model_options
from igmc.cli.options import running_options
from igmc.cli.output import emit
from igmc.cli.sections import knob_option
from igmc.config import ServeConfig
from igmc.errors import MissingExtraError
from igmc.files import check_run

__all__ = ["serve_command"]

logger = logging.getLogger(__name__)

_EXTRA = ("fastapi", "prometheus_client", "pydantic", "starlette", "uvicorn")


@click.command(
    "serve",
    cls=TeachingCommand,
    short_help="Serve recommendations: an HTTP API and a web page.",
    most_used=("run", "demo", "host", "port", "token", "store"),
    examples=(
        "igmc-serve --demo",
        "igmc-serve --run runs/ml_100k --port 8080",
        "igmc-serve --run runs/ml_100k --store ratings.db",
    ),
)
@model_options
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Address to listen on; a token is required if other machines can reach it [default 127.0.0.1]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    cls=PlainOption,
    metavar="N",
    help="Port to listen on; 0 picks a free one [0..65535; default 8000]",
)
@click.option(
    "--token",
    metavar="TEXT",
    envvar="IGMC_TOKEN",
    help="Token that API requests must send as 'Authorization: Bearer TEXT'; better set as IGMC_TOKEN, "
    "since other users of this machine can read command lines.",
)
@click.option(
    "--store",
    metavar="FILE|URL",
    envvar="IGMC_STORE",
    help="Keep ratings that are sent: in this SQLite file, made if it is not there, or in the PostgreSQL "
    "database of this URL, such as postgresql://user@host/database; a URL with a password is better set as "
    "IGMC_STORE.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, 64),
    default=1,
    cls=PlainOption,
    metavar="N",
    help="Processes that serve, each with --threads threads; they share the run in memory [1..64; default 1]",
)
@click.option(
    "--access-log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Append a line of JSON for each request: time, method, path without ids, status and milliseconds.",
)
@knob_option(ServeConfig, "threads")
@knob_option(ServeConfig, "queue")
@knob_option(ServeConfig, "timeout")
@knob_option(ServeConfig, "max_body")
@knob_option(ServeConfig, "max_ratings")
@knob_option(ServeConfig, "poster_url")
@checkpoint_options
@running_options("data_dir", "home", "workers", "verbose", "quiet")
def serve_command(**given: Any) -> None:
    """Serve recommendations and explanations over HTTP: a JSON API, and a web page that uses it.

    Open the printed address, rate a few films, and see the recommendations. Only the ranker of the lists is
    trained, once, before serving; without --store nothing is stored. /api/openapi.json describes the API.

    The connection is not encrypted: put a TLS proxy in front of it before other machines use it. A busy
    server answers 503 with Retry-After. /metrics is for Prometheus. On SIGHUP the server reloads the run from
    its path and switches to it when ready. On SIGTERM and Ctrl-C the server finishes open requests and exits
    with code 0.
    """
    start_logging(verbose=given["verbose"], quiet=given["quiet"], heartbeat=False)
    limits = ServeConfig(
        **{name: given[name] for name in ServeConfig.__dataclass_fields__ if given[name] is not None}
    )
    if given["run"] is not None:
        check_run(given["run"])  # before all that takes seconds to load
    with contextlib.ExitStack() as stack:
        if given["processes"] > 1:  # before prometheus_client is imported, which looks for it
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(TemporaryDirectory())
            stack.callback(os.environ.pop, "PROMETHEUS_MULTIPROC_DIR", None)
        _serve(given, limits, stack)
    logger.info("stopped")


def _serve(given: dict[str, Any], limits: ServeConfig, stack: contextlib.ExitStack) -> None:
    try:
        from igmc.web import (
            Served,
            Service,
            check_token,
            forget_process,
            listen,
            make_app,
            run_processes,
            serve,
        )
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise MissingExtraError(
            "serving needs FastAPI, uvicorn and prometheus-client", remedy="pip install 'igmc[web]'"
        ) from error
    check_token(given["host"], given["token"])
    listener = stack.enter_context(listen(given["host"], given["port"]))
    served = Served(lambda: make_predictor(given)[1], given["store"])
    service = Service(served, limits)
    log = None if given["access_log"] is None else stack.enter_context(given["access_log"].open("a"))
    app = make_app(service, limits, token=given["token"], live=served.live, access_log=log)
    service.warm()
    name = f"[{given['host']}]" if ":" in given["host"] else given["host"]
    emit(f"serving http://{name}:{listener.getsockname()[1]}/ until Ctrl-C")

    def work() -> None:
        with contextlib.nullcontext() if served.live is None else served.live:
            serve(app, listener, limits)

    if given["processes"] > 1:
        run_processes(given["processes"], work, served.reload, forget_process)
    else:
        if hasattr(signal, "SIGHUP"):
            signal.signal(signal.SIGHUP, served.on_signal)
        work()
