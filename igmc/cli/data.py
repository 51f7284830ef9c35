"""``igmc data``: which data sets there are, where they lie, and how to get, describe and convert them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from igmc.cli.convert import convert_command
from igmc.cli.describe import describe_command
from igmc.cli.help import TeachingCommand, TeachingGroup
from igmc.cli.logs import shows_progress, start_logging
from igmc.cli.options import running_options
from igmc.cli.output import emit, emit_json, human_bytes
from igmc.cli.split import split_command
from igmc.errors import DataError

__all__ = ["data_command"]


@click.group(
    "data",
    cls=TeachingGroup,
    short_help="List, fetch, describe and convert data sets.",
    examples=("igmc data fetch ml_100k", "igmc data describe ml_100k"),
    commands=[describe_command, convert_command],
)
def data_command() -> None:
    """List the data sets known by name, fetch, describe and split them, and convert them for other libraries.

    Your own file of ratings needs no fetching: igmc-train --dataset ratings.csv --columns user,item,rating
    """


data_command.add_command(split_command)


@data_command.command(
    "list",
    cls=TeachingCommand,
    short_help="List names, sizes, licences, and what is on this machine.",
    examples=("igmc data list", "igmc data list --data-dir ~/data --json"),
)
@running_options("data_dir", "home", "as_json")
def list_command(data_dir: Path | None, home: Path | None, as_json: bool) -> None:
    """Show the data sets known by name: size, licence, and location on this machine."""
    from igmc.ratings.sources import DATASETS

    found: list[dict[str, Any]] = []
    for source in DATASETS.values():
        place = None if source.generated else _place(source.name, data_dir, home)
        found.append(
            {
                "name": source.name,
                "title": source.title,
                "download_bytes": source.size,
                "licence": source.licence,
                "homepage": source.homepage,
                "folder": None if place is None else str(place),
                "available": source.generated or place is not None,
            }
        )
    if as_json:
        emit_json({"datasets": found})
    else:
        emit("\n\n".join(map(_described, found)))


@data_command.command(
    "fetch",
    cls=TeachingCommand,
    short_help="Download a data set, or unpack a local archive.",
    examples=("igmc data fetch ml_100k", "igmc data fetch ml_1m --from-zip ~/Downloads/ml-1m.zip"),
)
@click.argument("name")
@click.option(
    "--from-zip",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Use this archive, as published, instead of downloading.",
)
@running_options("home", "verbose", "quiet")
def fetch_command(name: str, from_zip: Path | None, home: Path | None, verbose: bool, quiet: bool) -> None:
    """Download the data set NAME, check it against its pinned hash, and unpack it into <home>/raw.

    With --from-zip nothing is downloaded: the archive is checked and unpacked.
    """
    start_logging(verbose=verbose, quiet=quiet)
    from igmc.ratings.sources import DATASETS, canonical_name, fetch

    source = DATASETS.get(canonical_name(name) or "")
    there = None
    if source is not None and from_zip is None and not source.generated:
        there = _place(source.name, None, home)
    folder = there or fetch(name, home=home, from_zip=from_zip, progress=shows_progress(quiet=quiet))
    source = source or DATASETS[name]
    found = f"{source.name} is {'already there' if there else 'in'}{':' if there else ''} {folder}"
    emit(f"{found}\nlicence: {source.licence}\nplease cite:\n{source.citation}")


def _place(name: str, data_dir: Path | None, home: Path | None) -> Path | None:
    """Where a data set lies, if it is on this machine."""
    from igmc.ratings.sources import home_dir, locate

    # A given data folder keeps locate() from downloading what it does not find.
    given = data_dir or Path(os.environ.get("IGMC_DATA") or (home or home_dir()) / "raw")
    try:
        return locate(name, data_dir=given, home=home)
    except DataError:
        return None


def _described(entry: dict[str, Any]) -> str:
    if entry["folder"]:
        where = f"in {entry['folder']}"
    elif entry["available"]:
        where = "always there"
    else:
        size = human_bytes(entry["download_bytes"])
        where = f"not on this machine: igmc data fetch {entry['name']} ({size})"
    lines = (entry["title"], where, entry["licence"])
    return "\n".join([entry["name"], *(f"    {line}" for line in lines)])
