"""Which model predicts: options of the commands that use a trained run, and the predictor they name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from igmc.cli.logs import shows_progress
from igmc.config import COVERAGE, COVERAGE_HELP
from igmc.errors import ConfigError
from igmc.files import check_run

if TYPE_CHECKING:
    from igmc.inference import Predictor

__all__ = [
    "at_option",
    "check_intervals",
    "check_rates",
    "checkpoint_options",
    "coverage_option",
    "items_option",
    "make_predictor",
    "model_options",
    "new_items_option",
    "ratings_option",
    "round_option",
    "runs_options",
]

_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Checkpoints(click.ParamType):  # type: ignore[type-arg]
    """An epoch becomes an int; whether there is such a checkpoint is for the run to say."""

    name = "ensemble|single|EPOCH"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        return int(value) if value.isascii() and value.isdigit() else value


class _Time(click.ParamType):  # type: ignore[type-arg]
    """An ISO date or datetime, or seconds since 1970, becomes the seconds."""

    name = "TIME"

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str:
        return self.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        from igmc.ratings import date_seconds

        try:
            seconds = int(value) if value.lstrip("-").isdigit() else int(date_seconds(value))
        except ValueError:
            self.fail(f"{value!r} is neither an ISO date such as 2004-03-15T10:20 nor seconds since 1970")
        if not abs(seconds) < 2**62:
            self.fail(f"{value!r} is too far from 1970")
        return seconds


at_option = click.option(
    "--at",
    type=_Time(),
    help="Predict as of this time: an ISO date, or seconds since 1970; only for runs trained with dates "
    "[default: just after the newest rating of the run]",
)


coverage_option = click.option(
    "--coverage",
    type=float,
    metavar="FLOAT",
    help=f"{COVERAGE_HELP[0].upper()}{COVERAGE_HELP[1:]} [default {COVERAGE}]",
)


def check_rates(predictor: Predictor) -> None:
    """Raise a ConfigError if the run predicts no ratings."""
    from igmc.networks import RankerScorer

    if isinstance(predictor.scorer, RankerScorer):
        predictor.scorer.refuse()


def check_intervals(predictor: Predictor, coverage: float | None) -> float:
    """The coverage to ask for.

    Args:
        predictor: what is asked.
        coverage: that was given, or None.

    Raises:
        ConfigError: if the run tells none, and a coverage was given; or if it is not between 0 and 1.
    """
    from igmc.intervals import check_coverage

    if coverage is not None and not predictor.tells_intervals:
        raise ConfigError(
            "this run gives no intervals",
            got=f"--coverage {coverage:g}",
            remedy="train again with --network neighbours; other networks and earlier versions give none",
        )
    return check_coverage(COVERAGE if coverage is None else coverage)


def model_options(function: _Command) -> _Command:
    """``--run`` and ``--demo``; an error unless just one of them is given, and the run is there."""

    @functools.wraps(function)
    def checked(*args: Any, **given: Any) -> Any:
        if (given["run"] is None) != given["demo"]:
            raise click.UsageError("no model given: use either --run DIR or --demo")
        if given["run"] is not None:
            check_run(given["run"])  # before all that takes seconds to load, and what else is wrong
        return function(*args, **given)

    return _RUN(_DEMO(checked))  # type: ignore[return-value]


def runs_options(function: _Command) -> _Command:
    """``--run``, which can be repeated, and ``--demo``; an error as from `model_options`."""

    @functools.wraps(function)
    def checked(*args: Any, **given: Any) -> Any:
        if bool(given["runs"]) == given["demo"]:
            raise click.UsageError("no model given: use either --run DIR or --demo")
        for run in given["runs"]:
            check_run(run)
        return function(*args, **given)

    return _RUNS(_DEMO(checked))  # type: ignore[return-value]


def round_option(function: _Command) -> _Command:
    """``--round-ratings``; a usage error without the ratings that it is about."""

    @functools.wraps(function)
    def checked(*args: Any, **given: Any) -> Any:
        if given["round_ratings"] and given["ratings"] is None:
            raise click.UsageError("--round-ratings applies to --ratings: give these too, or omit it")
        return function(*args, **given)

    return _ROUND(checked)  # type: ignore[return-value]


def checkpoint_options(function: _Command) -> _Command:
    """``--checkpoints`` and ``--device``."""
    return _CHECKPOINTS(_DEVICE(function))


def make_predictor(given: Mapping[str, Any]) -> tuple[Path, Predictor]:
    """The run folder and its predictor, from the values of the options here and of the running options.

    Raises:
        IgmcError: as `Predictor.from_run` does.
    """
    run: Path | None = given["run"]
    from igmc.inference import Predictor, with_items_file

    if run is None:
        from igmc.run import demo_run

        run = demo_run(given["home"], progress=shows_progress(quiet=given["quiet"]))
    names = ("checkpoints", "device", "workers", "data_dir", "home")
    predictor = Predictor.from_run(run, **{name: given[name] for name in names})
    if given.get("new_items") is not None:
        predictor = with_items_file(predictor, given["new_items"])
    return run, predictor if given.get("at") is None else predictor.at(given["at"])


_RUN = click.option(
    "--run",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run folder written by igmc-train, finished or not.",
)
_RUNS = click.option(
    "--run",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run folder written by igmc-train, finished or not. Repeat it to compare runs: see --split.",
)
_DEMO = click.option(
    "--demo",
    is_flag=True,
    help="Use a small run on synthetic films instead, trained on first use.",
)
_ROUND = click.option(
    "--round-ratings",
    is_flag=True,
    help="Round ratings in --ratings that are not on the scale to the nearest level, instead of "
    "refusing them.",
)
_CHECKPOINTS = click.option(
    "--checkpoints",
    type=_Checkpoints(),
    help="Which checkpoints to use [default: ensemble if the run is finished, else single]",
)
_DEVICE = click.option(
    "--device",
    metavar="auto|cpu|cuda|cuda:N",
    default="auto",
    help="Device for the model [default auto: CUDA if available]",
)

# One meaning in every command; `igmc.inference` reads both.
ratings_option = click.option(
    "--ratings",
    metavar='FILE|"ID=5,ID=3"',
    help="Ratings made after training, by --user or by someone new: item=rating,... or a text file with "
    "the columns item_id and rating, and optionally user_id; of a run without ratings ID,ID,... or a file of "
    "ids.",
)
items_option = click.option(
    "--items",
    metavar="FILE|ID,ID,...",
    help="The items to consider: comma-separated ids, or a text file with one id per line or a column "
    "item_id.",
)
new_items_option = click.option(
    "--new-items",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Items that came after training and have no rating: a file with a header, ids and title, genres, "
    "year or text; only for runs trained with --side-features.",
)
