"""``igmc-train``: the main job, from ratings to a trained model and its test error."""

from __future__ import annotations

from pathlib import Path

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.options import (
    config_options,
    network_sections,
    read_config,
    running_options,
    track_option,
)
from igmc.cli.output import emit, emit_json
from igmc.files import check_run
from igmc.ranks import is_first

__all__ = ["train_command"]


@click.command(
    "train",
    cls=TeachingCommand,
    short_help="Train on a data set and report the test error.",
    most_used=(
        *("dataset", "columns", "network", "split", "test_ratio", "levels", "epochs", "learning_rate"),
        *("selection", "seed", "out", "device", "data_dir", "as_json"),
    ),
    examples=(
        "igmc-train --dataset demo",
        "igmc-train --dataset ml_100k --selection fixed --seed 1 --out runs/ml_100k",
    ),
)
@config_options("run.network", "data", *network_sections(), "run")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Run folder: config, checkpoints, metrics, predictions; an unfinished run there is resumed "
    "[default: one under ./runs, named after the settings]",
)
@click.option(
    "--from",
    "start",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Start from the weights of this run, which must use the same network [default: random weights]",
)
@click.option(
    "--device",
    metavar="auto|cpu|cuda|cuda:N",
    default="auto",
    help="Device for training [default auto: CUDA if available]",
)
@click.option(
    "--profile",
    is_flag=True,
    help="Print how the training time divides into extraction, loading, forward, backward and optimizer.",
)
@click.option(
    "--statistics-memory",
    cls=PlainOption,
    type=click.FloatRange(0.001),
    metavar="GIB",
    help="Memory for precomputed inputs of the neighbours network; results do not depend on it "
    "[>= 0.001; default 2]",
)
@track_option
@running_options()
@click.pass_context
def train_command(
    ctx: click.Context,
    file: Path | None,
    out: Path | None,
    start: Path | None,
    device: str,
    profile: bool,
    statistics_memory: float | None,
    track: tuple[str, ...],
    data_dir: Path | None,
    home: Path | None,
    workers: int | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Train a network on a data set and report its test error beside simple baselines.

    Loads and splits the ratings, trains on the neighbourhoods of the training ratings, and uses the test
    ratings once, at the end. After an interruption, the same command resumes. A finished run continues with
    --out naming its folder and a larger --epochs: rgcn then ends as if trained for all epochs at once,
    neighbours with the last part of a longer learning-rate cycle.

    --network selects the network: rgcn is that of the IGMC paper; neighbours trains faster and is more
    accurate on most data. --network NAME -h --all shows its settings.

    torchrun --nproc-per-node N -m igmc train ... trains in N processes, each on its part of every batch.

    Every setting has a default. --dataset selects a network and settings for that data set, shown in brackets
    below; --config FILE overrides them, and options override both. 'none' removes a limit set by --dataset or
    --config.
    """
    first = is_first()  # of several that torchrun has started
    start_logging(verbose=verbose, quiet=quiet or not first)
    if start is not None:
        check_run(start)  # before all that takes seconds to load
    config = read_config(ctx, file)
    from igmc.run import train

    report = train(
        config,
        data_dir=data_dir,
        home=home,
        out=out,
        start=start,
        device=device,
        workers=workers,
        statistics_memory=statistics_memory,
        progress=shows_progress(quiet=quiet or not first),
        profile=profile,
        track=track,
    )
    if not first:
        return
    if as_json:
        emit_json(report.to_dict())
    else:
        emit(report.format())
