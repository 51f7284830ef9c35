"""``igmc ratings``: what a server has stored, as a data set, as a new run, and without what is void."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from igmc.cli.help import TeachingCommand, TeachingGroup
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json
from igmc.files import check_run

__all__ = ["ratings_command"]

_RUN = click.option(
    "--run",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="Run folder that is served with the store.",
)
_STORE = click.option(
    "--store",
    required=True,
    metavar="FILE|URL",
    help="Where igmc-serve --store keeps ratings: a SQLite file, or the URL of a PostgreSQL database.",
)


@click.group(
    "ratings",
    cls=TeachingGroup,
    short_help="Export, compact and train on the ratings that a server stored.",
    examples=(
        "igmc ratings export --run runs/demo --store ratings.db --out all.csv",
        "igmc ratings train --run runs/demo --store ratings.db --out runs/next",
    ),
)
def ratings_command() -> None:
    """Work with the ratings that igmc-serve --store keeps, while servers run.

    'export' writes them as a data set, 'train' trains a new run on them, 'compact' removes obsolete entries.
    """


@ratings_command.command(
    "export",
    cls=TeachingCommand,
    short_help="Write all ratings, those of the run and those stored since, as CSV.",
    examples=(
        "igmc ratings export --run runs/demo --store ratings.db --out all.csv",
        "igmc ratings export --run runs/demo --store ratings.db --out all.csv --item-info films.csv",
    ),
)
@_RUN
@_STORE
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, metavar="FILE", help="CSV file of the ratings."
)
@click.option(
    "--item-info",
    "items",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="CSV file for titles, genres and years.",
)
@running_options("as_json", "verbose", "quiet")
def export_command(
    run: Path, store: str, out: Path, items: Path | None, as_json: bool, verbose: bool, quiet: bool
) -> None:
    """Write all current ratings: those of the run as changed by the store, without erased users.

    igmc-train --dataset FILE --item-info FILE reads both files.
    """
    start_logging(verbose=verbose, quiet=quiet)
    check_run(run)
    from igmc.live import export

    found = export(run, store, out, items)
    if as_json:
        emit_json(found._asdict())
    else:
        emit(f"{found.ratings:,} ratings in {out}, as of entry {found.position:,} of the store")


@ratings_command.command(
    "compact",
    cls=TeachingCommand,
    short_help="Remove stored entries that later ones have made void.",
    examples=(
        "igmc ratings compact --store ratings.db",
        "igmc ratings compact --store postgresql://igmc@localhost/ratings --json",
    ),
)
@_STORE
@running_options("as_json", "verbose", "quiet")
def compact_command(store: str, as_json: bool, verbose: bool, quiet: bool) -> None:
    """Remove obsolete entries and idempotency keys older than a week, and shrink the files.

    Predictions do not change. Servers may keep running; for a few seconds they cannot store ratings.
    """
    start_logging(verbose=verbose, quiet=quiet)
    from igmc.live import RatingLog

    with RatingLog(store) as log:
        void = log.compact()
    if as_json:
        emit_json({"removed": void})
    else:
        emit(f"{void:,} entries removed")


@ratings_command.command(
    "train",
    cls=TeachingCommand,
    short_help="Train a new run on all ratings, with the settings of the old one.",
    examples=(
        "igmc ratings train --run runs/demo --store ratings.db --out runs/next",
        "igmc ratings train --run runs/demo --store postgresql://igmc@localhost/ratings --out runs/next",
    ),
)
@_RUN
@_STORE
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    required=True,
    metavar="DIR",
    help="New run folder; beside it lie the data it was trained on.",
)
@running_options("home", "workers", "as_json", "verbose", "quiet")
def train_command(run: Path, store: str, out: Path, **given: Any) -> None:
    """Export all ratings to OUT.ratings.csv and OUT.items.csv, and train on them as the run was trained.

    Servers keep using the old run. Give igmc-serve --run a symbolic link to the run folder; afterwards, point
    the link to the new run and send SIGHUP.
    """
    start_logging(verbose=given["verbose"], quiet=given["quiet"])
    check_run(run)
    from igmc.config import DataConfig
    from igmc.inference import open_run
    from igmc.live import export
    from igmc.run import train

    ratings, items = (out.with_name(f"{out.name}.{what}.csv") for what in ("ratings", "items"))
    out.parent.mkdir(parents=True, exist_ok=True)
    if not (out / "config.json").exists():  # else it goes on, with the data it began with
        export(run, store, ratings, items)
    config = open_run(run).config()
    data = DataConfig(
        dataset=str(ratings),
        columns="user_id,item_id,rating,timestamp",
        item_info=str(items) if len(items.read_bytes().splitlines()) > 1 else None,
        split="random",
        test_ratio=config.data.test_ratio,
        validation_ratio=config.data.validation_ratio,
        levels=config.data.levels,
        level_method=config.data.level_method,
    )
    report = train(
        config.replace(data=data),
        home=given["home"],
        out=out,
        workers=given["workers"],
        progress=shows_progress(quiet=given["quiet"]),
    )
    if given["as_json"]:
        emit_json(report.to_dict())
    else:
        emit(report.format())
