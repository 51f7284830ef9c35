"""``igmc data describe``: a first look at a data set, before anything is trained on it."""

from __future__ import annotations

from pathlib import Path

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.options import config_options, read_config, running_options
from igmc.cli.output import emit, emit_json
from igmc.cli.sections import READING
from igmc.files import replace_file

__all__ = ["describe_command"]


@click.command(
    "describe",
    cls=TeachingCommand,
    short_help="Show size, missing values, duplicates, outliers and distributions.",
    examples=(
        "igmc data describe demo",
        "igmc data describe ratings.csv --columns user_id,book_id,rating --plots figures",
        "igmc data describe ratings.csv --per-user users.csv --per-item items.csv",
    ),
)
@click.argument("name")
@config_options(*(f"data.{name}" for name in READING))
@click.option(
    "--plots",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also draw figures, as PNG and SVG, into this folder; existing ones are overwritten.",
)
@click.option(
    "--per-user",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a CSV with a row per user: number, mean and spread of the ratings, first and last time.",
)
@click.option(
    "--per-item",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Also write a CSV with a row per item, those rated most first.",
)
@running_options("data_dir", "home", "as_json", "verbose", "quiet")
@click.pass_context
def describe_command(
    ctx: click.Context,
    name: str,
    file: Path | None,
    plots: Path | None,
    per_user: Path | None,
    per_item: Path | None,
    data_dir: Path | None,
    home: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Describe the data set NAME, or the file of ratings at that path.

    Reports the numbers of users, items and ratings, the density, missing values, merged duplicates, outliers
    among users and items (beyond Tukey's fences), and the distributions of ratings, activity, popularity,
    times and genres.
    """
    start_logging(verbose=verbose, quiet=quiet)
    config = read_config(ctx, file).data.replace(dataset=name)
    from igmc.ratings import description, load_dataset

    dataset = load_dataset(config, data_dir=data_dir, home=home)
    page = description.describe(dataset)
    tables = {}
    for side, path, table in (
        ("per_user", per_user, description.per_user),
        ("per_item", per_item, description.per_item),
    ):
        if path is not None:
            replace_file(path, table(dataset).to_csv(index=False, float_format="%.6g").encode())
            tables[side] = str(path)
    drawn: list[str] = []
    if plots is not None:
        from igmc.plots import describe_figures, save_figure

        for what, figure in describe_figures(dataset).items():
            drawn += map(str, save_figure(figure, plots / f"{dataset.name}-{what}"))
    if as_json:
        emit_json(page.to_dict() | {"figures": drawn, "tables": tables})
    else:
        emit(page.format())
