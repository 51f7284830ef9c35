"""``igmc-transfer``: a trained model applied to another data set, with a rating scale of its own."""

from __future__ import annotations

from pathlib import Path

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.model_options import checkpoint_options
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json
from igmc.cli.sections import READING, read_section, section_options
from igmc.config import DataConfig, TransferConfig
from igmc.files import check_run

__all__ = ["transfer_command"]

_DATA = (*READING, "split", "test_ratio", "validation_ratio", "keep_ratio", "level_method")


_ONLY_FOR = {
    "percent": ("calibrate", "finetune"),
    "epochs": ("finetune",),
    "learning_rate": ("finetune",),
}


@click.command(
    "transfer",
    cls=TeachingCommand,
    short_help="Apply a trained model to another data set.",
    most_used=("run", "to", "columns", "split", "rescale", "adapt", "percent", "out", "as_json"),
    examples=(
        "igmc-transfer --from runs/ml_100k --to flixster",
        "igmc-transfer --from runs/ml_100k --to yahoo_music --adapt calibrate --percent 5 --json",
    ),
)
@click.option(
    "--from",
    "run",
    required=True,
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Folder of the run that trained the model; see igmc-train --out",
)
@click.option("--to", required=True, metavar="DATASET", help="Name of the other data set, or path to a file")
@section_options("data", DataConfig, _DATA)
@section_options("transfer", TransferConfig)
@checkpoint_options
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for transfer.json and predictions.csv.gz [default: nothing is written]",
)
@running_options("data_dir", "home", "workers", "as_json", "verbose", "quiet")
@click.pass_context
def transfer_command(
    ctx: click.Context,
    run: Path,
    to: str,
    checkpoints: str | int | None,
    out: Path | None,
    device: str,
    data_dir: Path | None,
    home: Path | None,
    workers: int | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Apply a trained model to another data set and report its test error beside simple baselines.

    The training ratings of that data set, grouped into as many levels as the model knows, form the graph;
    predictions are mapped to its scale. By default nothing is trained; --adapt calibrates or fine-tunes on
    --percent of the training ratings.
    """
    start_logging(verbose=verbose, quiet=quiet)
    check_run(run)
    from igmc.evaluation.transfer import transfer
    from igmc.ratings.sources import canonical_name

    how = TransferConfig.from_dict(read_section(ctx, "transfer"))
    for name, ways in _ONLY_FOR.items():
        if how.adapt not in ways and getattr(how, name) != getattr(TransferConfig(), name):
            option = f"--{name.replace('_', '-')}"
            raise click.UsageError(f"{option} is for --adapt {' or '.join(ways)}", ctx)
    report = transfer(
        run,
        DataConfig.from_dict({**read_section(ctx, "data"), "dataset": canonical_name(to) or to}),
        how,
        checkpoints=checkpoints,
        data_dir=data_dir,
        home=home,
        out=out,
        device=device,
        workers=workers,
    )
    if as_json:
        emit_json(report.to_dict())
    else:
        emit(report.format())
