"""``igmc data split``: divide a data set by an evaluation protocol, and keep the result."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.knobs import PlainOption
from igmc.cli.logs import start_logging
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json, table
from igmc.cli.sections import read_data, reading_options

__all__ = ["split_command"]


@click.command(
    "split",
    cls=TeachingCommand,
    short_help="Split a data set by an evaluation protocol.",
    examples=(
        "igmc data split demo --protocol random_80_20 --out demo.npz",
        "igmc data split ml_1m --protocol unseen_users:k=5,by=activity --seed 3 --out ml_1m_unseen.npz",
    ),
)
@click.argument("name")
@click.option(
    "--protocol",
    required=True,
    metavar="NAME[:KEY=VALUE,...]",
    help="How to split, optionally with settings; igmc-evaluate --list-protocols shows the names.",
)
@click.option(
    "--seed",
    cls=PlainOption,
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    metavar="N",
    help="Random seed [0..4294967295; default 1]",
)
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), metavar="FILE", help="Output file, .npz"
)
@reading_options
@running_options("data_dir", "home", "as_json", "verbose", "quiet")
@click.pass_context
def split_command(
    ctx: click.Context,
    name: str,
    protocol: str,
    seed: int,
    out: Path,
    data_dir: Path | None,
    home: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Split the data set NAME, or the file of ratings at that path, and write the parts to one file.

    The file holds the ratings, the rows of each part, the rating scale and a digest; igmc.ratings.split.Split
    loads it. The test part is to be predicted; the support part is what new users and items reveal.
    """
    start_logging(verbose=verbose, quiet=quiet)
    from igmc.evaluation.protocols import make_protocol
    from igmc.ratings import load_dataset

    chosen = make_protocol(protocol)
    dataset = load_dataset(read_data(ctx, name), data_dir=data_dir, home=home)
    split = chosen.draw(dataset, seed)
    split.save(out)
    sides = (split.table.user, split.table.item)
    sizes: dict[str, dict[str, Any]] = {}
    for part in ("train", "validation", "test", "support"):
        rows = getattr(split, part)
        users, items = (len(set(side[rows].tolist())) for side in sides)
        sizes[part] = {"ratings": len(rows), "users": users, "items": items}
    if as_json:
        emit_json(
            {
                "dataset": dataset.name,
                "protocol": chosen.record(),
                "seed": seed,
                "parts": sizes,
                "digest": split.digest(),
                "file": str(out),
            }
        )
        return
    rows = [[part, *(f"{number:,}" for number in size.values())] for part, size in sizes.items()]
    emit(
        f"{dataset.name}, protocol {chosen.label}, seed {seed}\nheld out: {chosen.description}\n\n"
        f"{table(['part', 'ratings', 'users', 'items'], rows)}\n\ndigest {split.digest()}\nsplit: {out}"
    )
