"""``igmc-serve``: the JSON API and the page, over a trained run."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import start_logging
from igmc.cli.model_options import checkpoint_options, make_predictor, runs_options
from igmc.cli.options import running_options
from igmc.cli.output import emit
from igmc.cli.sections import knob_option
from igmc.config import ServeConfig
from igmc.errors import ConfigError, MissingExtraError
from igmc.files import LineFile, check_run

if TYPE_CHECKING:
    from igmc.inference import Predictor
    from igmc.web import Experiment, Served

__all__ = ["serve_command"]

logger = logging.getLogger(__name__)

_EXTRA = ("fastapi", "prometheus_client", "pydantic", "starlette", "uvicorn")


@click.command(
    "serve",
    cls=TeachingCommand,
    short_help="Serve recommendations: an HTTP API and a web page.",
    most_used=("runs", "demo", "host", "port", "token", "store"),
    examples=(
        "igmc-serve --demo",
        "igmc-serve --run runs/ml_100k --store ratings.db",
        "igmc-serve --run runs/old --run runs/new --split 90 --store ratings.db --answer-log answers.jsonl",
    ),
)
@runs_options
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
    help="Append a line of JSON for each request: time, method, path without ids, status, milliseconds, arm.",
)
@click.option(
    "--split",
    metavar="PERCENT,...",
    help="A/B test: percentages of users for the runs, called A, B, ... in the order of --run; the last run "
    "gets the rest. Each user always gets the same run [default: equal shares]",
)
@click.option(
    "--shadow",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run whose answers are logged and never shown; computed only while threads are free. Needs "
    "--answer-log.",
)
@click.option(
    "--answer-log",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Append a line of JSON for each list, prediction and explanation: user, run, items and predictions; "
    "igmc-evaluate --log compares the runs.",
)
@click.option(
    "--log-ids",
    type=click.Choice(["plain", "hashed"]),
    default="plain",
    cls=PlainOption,
    help="User ids in the answer log: as they are, or replaced by keyed hashes; the key is set as "
    "IGMC_LOG_KEY [default plain]",
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
    shares = _checked_shares(given)
    with contextlib.ExitStack() as stack:
        if given["processes"] > 1:  # before prometheus_client is imported, which looks for it
            os.environ["PROMETHEUS_MULTIPROC_DIR"] = stack.enter_context(TemporaryDirectory())
            stack.callback(os.environ.pop, "PROMETHEUS_MULTIPROC_DIR", None)
        _serve(given, limits, shares, stack)
    logger.info("stopped")


def _checked_shares(given: dict[str, Any]) -> list[float]:
    """The shares of users, before anything is loaded that takes seconds."""
    if given["split"] is not None and len(given["runs"]) < 2:
        raise click.UsageError("--split shares the users among several runs: give --run more than once")
    if given["shadow"] is not None:
        if given["answer_log"] is None:
            raise click.UsageError("the answers of --shadow are only logged: give --answer-log FILE too")
        check_run(given["shadow"])
    if given["log_ids"] == "hashed" and not os.environ.get("IGMC_LOG_KEY"):
        raise click.UsageError("--log-ids hashed needs a key: set IGMC_LOG_KEY")
    if given["log_ids"] == "hashed" and given["answer_log"] is None:
        raise click.UsageError("--log-ids applies to --answer-log: give this too, or omit it")
    words = [] if given["split"] is None else given["split"].split(",")
    try:
        return [float(word) for word in words]
    except ValueError:
        raise ConfigError(
            "--split is not a list of percentages", got=given["split"], allowed="such as 50, or 80,10,10"
        ) from None


def _serve(
    given: dict[str, Any], limits: ServeConfig, shares: list[float], stack: contextlib.ExitStack
) -> None:
    try:
        from igmc.web import check_token, forget_process, listen, make_app, run_processes, serve
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _EXTRA:
            raise
        raise MissingExtraError(
            "serving needs FastAPI, uvicorn and prometheus-client", extra="web"
        ) from error
    check_token(given["host"], given["token"])
    listener = stack.enter_context(listen(given["host"], given["port"]))
    all_served, experiment = _experiment(given, limits, shares, stack)
    log = None if given["access_log"] is None else stack.enter_context(LineFile(given["access_log"]))
    app = make_app(experiment, limits, token=given["token"], access_log=log)
    for arm in experiment.all:
        arm.service.warm()
    name = f"[{given['host']}]" if ":" in given["host"] else given["host"]
    emit(f"serving http://{name}:{listener.getsockname()[1]}/ until Ctrl-C")

    def work() -> None:
        with contextlib.ExitStack() as followed:
            for live in experiment.lives:
                followed.enter_context(live)
            serve(app, listener, limits)

    if given["processes"] > 1:

        def reload() -> bool:
            done = [served.reload() for served in all_served]  # each, even if another fails
            return any(done)

        run_processes(given["processes"], work, reload, forget_process)
    else:
        if hasattr(signal, "SIGHUP"):

            def on_signal(*_: object) -> None:
                for served in all_served:
                    served.on_signal()

            signal.signal(signal.SIGHUP, on_signal)
        work()


def _experiment(
    given: dict[str, Any], limits: ServeConfig, shares: list[float], stack: contextlib.ExitStack
) -> tuple[list[Served], Experiment]:
    """The runs as they are loaded, and what answers by them."""
    from igmc.experiments import NAMES, SHADOW, Allocation, AnswerLog
    from igmc.web import Arm, Experiment, Served, Service

    runs = given["runs"] or (None,)
    Allocation(shares, len(runs))  # raises before anything is loaded
    key = os.environ["IGMC_LOG_KEY"] if given["log_ids"] == "hashed" else None
    log = None if given["answer_log"] is None else stack.enter_context(AnswerLog(given["answer_log"], key))
    named = [*zip(NAMES, runs, strict=False)]
    if given["shadow"] is not None:
        named.append((SHADOW, given["shadow"]))
    all_served, arms = [], []
    for name, run in named:
        served = Served(partial(_load, given, run), given["store"], name)
        all_served.append(served)
        arms.append(Arm(name, Service(served, limits), served.live))
    shadow = arms.pop() if given["shadow"] is not None else None
    return all_served, Experiment(arms, shares, shadow, log)


def _load(given: dict[str, Any], run: Path | None) -> Predictor:
    return make_predictor({**given, "run": run})[1]
