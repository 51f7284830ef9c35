"""``igmc-evaluate``: any number of models on the same splits, to one report."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.compare_runs import check_alone, compare_runs
from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.options import crew_options, running_options, track_option
from igmc.cli.output import emit, emit_json
from igmc.cli.sections import read_data, reading_options
from igmc.config import Config
from igmc.errors import ConfigError

if TYPE_CHECKING:
    from igmc.evaluation import EvaluationReport

__all__ = ["evaluate_command"]


@click.command(
    "evaluate",
    cls=TeachingCommand,
    short_help="Compare models on the same splits.",
    most_used=(
        *("models", "datasets", "columns", "protocols", "seeds", "metrics", "against", "out"),
        *("list_models", "list_protocols"),
    ),
    examples=(
        "igmc-evaluate --model biases --model item_knn --dataset demo --protocol random_80_20",
        "igmc-evaluate --model igmc --model mf:factors=32 --dataset ml_100k --seeds 1,2,3 --out runs/both",
        "igmc-evaluate --log answers.jsonl --store ratings.db",
    ),
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="[LABEL=]NAME[:KEY=VALUE,...]",
    help="A model, optionally with settings; repeatable. NAME@FILE reads the settings from a JSON file. "
    "--list-models shows the names.",
)
@click.option(
    "--dataset",
    "datasets",
    multiple=True,
    metavar="NAME|PATH",
    help="A data set; repeatable [default demo]",
)
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    metavar="NAME[:KEY=VALUE,...]",
    help="How to split, optionally with settings; repeatable. --list-protocols shows the names "
    "[default random_80_20]",
)
@click.option(
    "--seeds", default="1", metavar="N,N,...", help="Seeds for the split and the models [default 1]"
)
@click.option("--ks", default="5,10,20", metavar="N,N,...", help="Lengths of ranked lists [default 5,10,20]")
@click.option(
    "--no-rankings",
    is_flag=True,
    help="Measure rating errors only; full rankings are slow for graph networks.",
)
@click.option("--metrics", metavar="M,M,...", help="Columns of the table; the report files hold all metrics")
@click.option(
    "--against", metavar="LABEL", help="Test every model against this one, on the first metric of the table"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for report.json, .csv, .md and .png, and for finished results, so that the same command "
    "resumes [default: nothing is written]",
)
@click.option(
    "--keep-models",
    is_flag=True,
    help="Keep the fitted models in DIR/models, such as for igmc-plot --embeddings; but not those that are "
    "trained again for newcomers.",
)
@crew_options(
    "Models to fit and measure at once, in processes that share the cores; figures are the same "
    "[1..1024; default 1, with Ray its processors]"
)
@track_option
@click.option("--list-models", is_flag=True, help="Show the models and their settings, and exit.")
@click.option("--list-protocols", is_flag=True, help="Show the protocols and their settings, and exit.")
@click.option(
    "--log",
    "logs",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Instead, compare the runs of a server: answer log of igmc-serve --answer-log, rotated files too; "
    "repeatable.",
)
@click.option(
    "--store",
    metavar="FILE|URL",
    envvar="IGMC_STORE",
    help="Store of that server, as in igmc-serve, with the ratings that came afterwards.",
)
@reading_options
@running_options("data_dir", "home", "as_json", "verbose", "quiet")
def evaluate_command(
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    protocols: tuple[str, ...],
    seeds: str,
    ks: str,
    no_rankings: bool,
    metrics: str | None,
    against: str | None,
    keep_models: bool,
    list_models: bool,
    list_protocols: bool,
    logs: tuple[Path, ...],
    store: str | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **places: Any,
) -> int:
    """Fit models and measure them on the same splits, with the same code.

    Each model is fitted to the training part and chooses on the validation part; refitted to both, it is
    measured once on the test part: rating errors, ranking of rated test items, and full rankings of all
    unseen items. 95% intervals are bootstrapped over users.

    If the protocol holds out whole users, opposite_overlap is the fraction of the top ten shared by the lists
    of two newcomers with opposite tastes; --metrics opposite_overlap prints the lists of one pair.

    --log compares the runs that a server showed, or kept in the shadow, by what their users rated afterwards.
    """
    start_logging(verbose=verbose, quiet=quiet)
    check_alone(compares=bool(logs))
    if logs:
        return compare_runs(logs, store, as_json=as_json)
    from igmc.evaluation import evaluate

    if list_models or list_protocols:
        emit(_models() if list_models else _protocols())
        return 0
    nowhere = keep_models and places["out"] is None
    _check_usage(models, kept_nowhere=nowhere, as_json=as_json, columns=bool(metrics or against))
    shown = [word.strip() for word in metrics.split(",")] if metrics else None
    lengths = _numbers("--ks", ks, 1)
    _check_against(against, models)
    _check_metrics(shown, lengths, rankings=not no_rankings, compares=against is not None)
    report = evaluate(
        models,
        [read_data(click.get_current_context(), name) for name in datasets or ("demo",)],
        protocols=protocols or ("random_80_20",),
        seeds=_numbers("--seeds", seeds, 0),
        ks=lengths,
        rankings=not no_rankings,
        keep_models=keep_models,
        **places,
    )
    if as_json:
        emit_json(report.to_dict())
    else:
        _show(report, shown, against)
    return 1 if report.failures else 0


def _check_usage(models: tuple[str, ...], *, kept_nowhere: bool, as_json: bool, columns: bool) -> None:
    if not models:
        raise click.UsageError("no model given: use --model NAME; --list-models shows the names")
    if kept_nowhere:
        raise click.UsageError("--keep-models needs --out DIR")
    if as_json and columns:
        raise click.UsageError("--metrics and --against change the table, which --json replaces")


def _show(report: EvaluationReport, metrics: list[str] | None, against: str | None) -> None:
    emit(report.to_markdown(metrics))
    if "opposite_overlap" in (metrics or ()):
        emit("\n" + report.newcomers())
    if against is not None:
        emit("\n" + report.versus(against, (metrics or report.usual_metrics())[0]))


def _check_against(against: str | None, models: tuple[str, ...]) -> None:
    from igmc.evaluation import ModelSpec

    labels = [ModelSpec.parse(model).label for model in models]
    if against is not None and against not in labels:
        raise ConfigError(
            "--against does not name an evaluated model", got=against, allowed=", ".join(labels)
        )


def _check_metrics(names: list[str] | None, ks: list[int], *, rankings: bool, compares: bool) -> None:
    """What is misspelt is said before anything is fitted."""
    from igmc.evaluation import check_metrics, metric_names

    check_metrics(names or (), ks, rankings=rankings)
    by_user = metric_names(ks, rankings=rankings, by_user=True)
    if compares and names and names[0] not in by_user:
        raise ConfigError(
            "--against cannot compare models by the first of --metrics",
            got=names[0],
            allowed=", ".join(by_user),
        )


def _models() -> str:
    from igmc.recommenders import RECOMMENDERS, recommender_class

    pages = []
    for name in RECOMMENDERS:
        cls = recommender_class(name)
        pages.append("\n".join([f"{name}: {_first_line(cls)}", *_settings(cls.config_class)]))
    return "\n\n".join(pages)


def _protocols() -> str:
    from igmc.evaluation.protocols import PROTOCOLS, make_protocol

    pages = []
    for name, cls in PROTOCOLS.items():
        pages.append("\n".join([f"{name}: {make_protocol(name).description}", *_settings(cls)]))
    return "\n\n".join(pages)


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().splitlines()[0]


def _settings(cls: type[Config]) -> list[str]:
    """A line for each setting, those of a section below its name."""
    lines: list[str] = []
    usual = cls()
    for one in dataclasses.fields(cls):
        value = getattr(usual, one.name)
        if isinstance(value, Config):
            lines += [f"    {one.name}.{line.strip()}" for line in _settings(type(value))]
        else:
            shown = json.dumps(list(value) if isinstance(value, tuple) else value)
            lines.append(f"    {one.name}={shown}  {one.metadata['help']}")
    return lines


def _numbers(option: str, text: str, low: int) -> list[int]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdigit() and int(word) >= low for word in words):
        raise ConfigError(
            f"{option} is not a list of whole numbers from {low}", got=text, allowed="such as 1,2,3"
        )
    return [int(word) for word in words]
