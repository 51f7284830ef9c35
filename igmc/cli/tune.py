"""``igmc tune``: the settings of a model that do best on validation."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import start_logging
from igmc.cli.options import crew_options, running_options, track_option
from igmc.cli.output import emit, emit_json, table
from igmc.cli.sections import read_data, read_section, reading_options

if TYPE_CHECKING:
    from igmc.evaluation.tuning import TuningResult

__all__ = ["tune_command"]

_SHOWN = 10  # trials in the table


@click.command(
    "tune",
    cls=TeachingCommand,
    short_help="Search for the best settings of a model on validation ratings.",
    most_used=("model", "dataset", "columns", "protocol", "metric", "trials", "spaces", "out"),
    examples=(
        "igmc tune --model item_knn --dataset demo --trials 20 --out runs/tuned",
        "igmc tune --model igmc:train.epochs=4 --trials 6 --space train.learning_rate=0.0005:0.005:log",
    ),
)
@click.option(
    "--model",
    required=True,
    metavar="NAME[:KEY=VALUE,...]",
    help="The model; settings given here are not searched. igmc-evaluate --list-models shows the names.",
)
@click.option("--dataset", default="demo", metavar="NAME|PATH", help="The data set [default demo]")
@click.option(
    "--protocol",
    default="random_80_20",
    metavar="NAME[:KEY=VALUE,...]",
    help="How to split; igmc-evaluate --list-protocols shows the names [default random_80_20]",
)
@click.option(
    "--metric",
    metavar="NAME",
    help="Validation metric to optimize: rmse, mae, ndcg@K, recall@K, precision@K, map@K, ... "
    "[default rmse; ndcg@20 for models that only rank]",
)
@click.option(
    "--space",
    "spaces",
    multiple=True,
    metavar="KEY=LOW:HIGH[:log]|A,B,...",
    help="Search space of a setting, as a range or a list of values; adds to or replaces the model's own; "
    "repeatable",
)
@click.option(
    "--trials",
    cls=PlainOption,
    type=click.IntRange(1, 1_000_000),
    default=50,
    metavar="N",
    help="Total number of trials, including those already in --out [>= 1; default 50]",
)
@click.option(
    "--timeout",
    cls=PlainOption,
    type=click.FloatRange(0.0),
    metavar="S",
    help="Start no new trial after this many seconds [default: no limit]",
)
@click.option(
    "--prune/--no-prune",
    default=True,
    help="Stop a trial whose score is worse than the median of earlier trials at the same epoch [default on]",
)
@click.option("--seed", type=int, default=1, metavar="N", help="Seed of split, model and search [default 1]")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder of the study, which the same command resumes, and of best.json: settings for "
    "igmc-evaluate --model NAME@FILE; for igmc also train.json, for igmc-train --config "
    "[default: one under ./runs, named after the command]",
)
@click.option(
    "--parallel",
    cls=PlainOption,
    type=click.IntRange(1, 1024),
    default=1,
    metavar="N",
    help="Trials that may run at once: each is drawn without knowing the N - 1 before it, so the result "
    "depends on N, but not on --workers [1..1024; default 1]",
)
@crew_options("Processes that make trials and share the cores [1..--parallel; default: as many as cores]")
@track_option
@reading_options
@running_options("data_dir", "home", "as_json", "verbose", "quiet")
@click.pass_context
def tune_command(
    ctx: click.Context,
    /,
    model: str,
    dataset: str,
    protocol: str,
    metric: str | None,
    spaces: tuple[str, ...],
    trials: int,
    timeout: float | None,
    prune: bool,
    seed: int,
    out: Path | None,
    parallel: int,
    as_json: bool,
    verbose: bool,
    quiet: bool,
    **where: Any,
) -> None:
    """Search for the settings of a model that do best on the validation part of a split.

    Each trial is fitted to the training part and measured on the validation part; test ratings are never
    used. The first trial has the given or default settings; Optuna draws the others. After an interruption
    the same command resumes, also with other --workers, and more --trials add to the study.

    The best validation score is the best of many, so it is too optimistic: measure the settings with
    igmc-evaluate.
    """
    start_logging(verbose=verbose, quiet=quiet)
    from igmc.evaluation.tuning import tune
    from igmc.recommenders import parse_space

    data = read_data(ctx, dataset)
    given = read_section(ctx, "data").items()
    others = {data.first_name(name): value for name, value in given if name != "columns"}
    named = [data.columns, protocol, metric, *spaces, prune, seed, *([others] if others else [])]
    named += [{"parallel": parallel}] if parallel > 1 else []
    result = tune(
        model,
        data,
        protocol=protocol,
        metric=metric,
        trials=trials,
        timeout=timeout,
        space=dict(parse_space(space) for space in spaces),
        prune=prune,
        seed=seed,
        out=out or _default_folder(model, dataset, *named),
        parallel=parallel,
        **where,
    )
    if as_json:
        emit_json(result.to_dict())
    else:
        emit(_page(result))


def _default_folder(model: str, dataset: str, *others: object) -> Path:
    from igmc.ratings.readers import source_name

    digest = hashlib.sha256(json.dumps([model, dataset, *others]).encode()).hexdigest()[:8]
    words = re.sub(r"[^\w.-]+", "_", f"{source_name(dataset)}-{re.split('[:@]', model)[0]}")
    return Path("runs") / f"tune-{words}-{digest}"


def _page(result: TuningResult) -> str:
    """The best trials, and where the settings are."""
    from igmc.evaluation.tuning import shown

    names = list(result.space)
    rows = [
        [
            str(trial.number + 1),
            f"{trial.value:.4f}",
            *(shown(trial.settings[name]) for name in names),
            f"{trial.seconds:.1f} s",
        ]
        for trial in result.ranked()[:_SHOWN]
    ]
    counts = [
        f"{number} {state}"
        for state in ("complete", "pruned", "failed")
        if (number := sum(trial.state == state for trial in result.trials))
    ]
    what = f"{result.model} on {result.dataset}, {result.protocol}, seed {result.seed}"
    lines = [
        f"{what}: {', '.join(counts)}",
        "",
        table(["trial", f"validation {result.metric}", *names, "time"], rows),
    ]
    if result.folder is not None:
        lines += ["", f"best settings: {Path(result.folder) / 'best.json'}"]
    return "\n".join(lines)
