"""``igmc-serve``: the JSON API and the page, over a trained run."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.options import PlainOption, running_options
from igmc.cli.output import emit
from igmc.cli.sections import knob_option
from igmc.config import ServeConfig
from igmc.errors import MissingExtraError

__all__ = ["serve_command"]

logger = logging.getLogger(__name__)


@click.command(
    "serve",
    cls=TeachingCommand,
    short_help="Serve recommendations: an API, and a page to try it.",
    examples=(
        "igmc-serve --demo",
        "igmc-serve --run runs/ml_100k --port 8080",
    ),
)
@click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run folder that igmc-train made, finished or not.",
)
@click.option(
    "--demo",
    is_flag=True,
    help="A small run on made-up films instead, trained on first use in under a minute.",
)
@click.option(
    "--host",
    default="127.0.0.1",
    metavar="ADDRESS",
    help="Address to listen on; any that other machines reach needs a token [default 127.0.0.1]",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8000,
    cls=PlainOption,
    metavar="N",
    help="Port to listen on; 0 for any that is free [0..65535; default 8000]",
)
@click.option(
    "--token",
    metavar="TEXT",
    envvar="IGMC_TOKEN",
    help="What requests to the API have to bring as 'Authorization: Bearer TEXT'; better given as "
    "IGMC_TOKEN, since others on this machine can read command lines.",
)
@knob_option(ServeConfig, "threads")
@knob_option(ServeConfig, "queue")
@knob_option(ServeConfig, "timeout")
@knob_option(ServeConfig, "max_body")
@knob_option(ServeConfig, "max_ratings")
@click.option(
    "--checkpoints",
    metavar="ensemble|single|EPOCH",
    help="Which checkpoints answer [default ensemble if the run is finished, else single]",
)
@click.option(
    "--device",
    metavar="auto|cpu|cuda|cuda:N",
    default="auto",
    help="Where the model runs [default auto: CUDA where there is one]",
)
@running_options("data_dir", "home", "workers", "verbose", "quiet")
def serve_command(**given: Any) -> None:
    """Answer over HTTP who will like what, and why: a JSON API, and a page that uses it.

    Open the address that is printed, rate a few films, and see what you will like; nothing is trained for it,
    and nothing is stored. /api/openapi.json describes the API.

    The connection is not encrypted: beyond this machine, put a proxy with TLS before it. When the server is
    busy it answers 503, with Retry-After. On SIGTERM and Ctrl-C it finishes the requests that it has begun,
    and ends with exit code 0.
    """
    if bool(given["run"]) == given["demo"]:
        raise click.UsageError("say which model answers: either --run DIR or --demo")
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    limits = ServeConfig(
        **{name: given[name] for name in ServeConfig.__dataclass_fields__ if given[name] is not None}
    )
    try:
        from igmc.web.app import make_app
        from igmc.web.security import check_token
        from igmc.web.server import listen, serve
        from igmc.web.service import Service
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("fastapi", "pydantic", "starlette", "uvicorn"):
            raise
        raise MissingExtraError(
            "serving needs FastAPI and uvicorn", remedy="pip install 'igmc[web]'"
        ) from error
    check_token(given["host"], given["token"])
    with listen(given["host"], given["port"]) as listener:
        service = Service(_predictor(given), limits)
        app = make_app(service, limits, token=given["token"])
        name = f"[{given['host']}]" if ":" in given["host"] else given["host"]
        emit(f"serving http://{name}:{listener.getsockname()[1]}/ until Ctrl-C")
        serve(app, listener, limits)
    logger.info("stopped")


def _predictor(given: dict[str, Any]) -> Any:
    from igmc.inference.predictor import Predictor

    run, checkpoints = given["run"], given["checkpoints"]
    if given["demo"]:
        from igmc.run import demo_run

        run = demo_run(given["home"], progress=shows_progress(quiet=given["quiet"]))
    if checkpoints and checkpoints.isascii() and checkpoints.isdigit():
        checkpoints = int(checkpoints)
    return Predictor.from_run(
        run,
        checkpoints=checkpoints,
        device=given["device"],
        workers=given["workers"],
        data_dir=given["data_dir"],
        home=given["home"],
    )
