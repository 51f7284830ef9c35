"""``igmc data convert``: a data set as a graph that other libraries read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from igmc.cli.help import TeachingCommand
from igmc.cli.logs import start_logging
from igmc.cli.options import config_options, read_config, running_options
from igmc.cli.output import emit, emit_json, human_bytes
from igmc.cli.sections import READING
from igmc.errors import ConfigError

if TYPE_CHECKING:
    from igmc.ratings import Dataset, Split

__all__ = ["convert_command"]

_READ_WITH = {
    "networkx": "networkx.read_graphml({!r})",
    "pyg": "torch_geometric.data.Data.from_dict(torch.load({!r}))",
    "hetero": "torch_geometric.data.HeteroData.from_dict(torch.load({!r}))",
}


@click.command(
    "convert",
    cls=TeachingCommand,
    short_help="Write the rating graph for NetworkX or PyTorch Geometric.",
    examples=(
        "igmc data convert demo --to networkx --out demo.graphml",
        "igmc data convert ml_100k --to hetero --split u1 --features --out ml_100k.pt",
    ),
)
@click.argument("name")
@click.option(
    "--to",
    "target",
    type=click.Choice(list(_READ_WITH)),
    required=True,
    help="GraphML for NetworkX, Gephi and others; or a graph of PyTorch Geometric, homogeneous or hetero.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", required=True, help="File to write.")
@click.option("--overwrite", is_flag=True, help="Overwrite FILE if it exists.")
@click.option(
    "--directions",
    type=click.Choice(["both", "one"]),
    help="Edges of a PyG graph: both directions, or from users to items only. [default both]",
)
@click.option("--features", is_flag=True, help="Add the side features to the nodes of a PyG graph as x.")
@config_options(
    *(f"data.{name}" for name in READING),
    *("data.split", "data.test_ratio", "data.validation_ratio"),
    *("data.keep_ratio", "data.levels", "data.level_method", "run.seed"),
)
@running_options("data_dir", "home", "as_json", "verbose", "quiet")
@click.pass_context
def convert_command(
    ctx: click.Context,
    name: str,
    target: str,
    out: Path,
    overwrite: bool,
    directions: str | None,
    features: bool,
    file: Path | None,
    data_dir: Path | None,
    home: Path | None,
    as_json: bool,
    verbose: bool,
    quiet: bool,
) -> None:
    """Write the rating graph of the data set NAME, or of the file of ratings at that path, to FILE.

    Each edge is a rating with its level, its time if known, and its part of the split: training, validation
    or test. The original ids are kept. Side information of users and items is included with --to networkx,
    and with --features otherwise.
    """
    start_logging(verbose=verbose, quiet=quiet)
    config = read_config(ctx, file)
    if target == "networkx" and (directions or features):
        raise ConfigError(
            "--directions and --features are for PyG graphs; a NetworkX graph is undirected and always "
            "contains the side information",
            remedy="omit them, or use --to pyg or --to hetero",
        )
    if out.exists() and (out.is_dir() or not overwrite):
        kind = "is a folder" if out.is_dir() else "exists already"
        raise ConfigError(
            f"{out} {kind}; nothing was written",
            remedy="give --out another name" + ("" if out.is_dir() else ", or use --overwrite to replace it"),
        )
    from igmc.ratings import load_dataset, make_split, write_graph

    data = config.data.replace(dataset=name)
    dataset = load_dataset(data, data_dir=data_dir, home=home)
    split = make_split(dataset, data, config.seed)
    write_graph(_graph(dataset, split, target, directions or "both", features), out)
    _report(split, target, out, as_json=as_json)


def _graph(dataset: Dataset, split: Split, target: str, directions: str, features: bool) -> Any:
    from igmc.ratings import to_hetero, to_networkx, to_pyg

    if target == "networkx":
        return to_networkx(dataset, split=split)
    convert = {"pyg": to_pyg, "hetero": to_hetero}[target]
    return convert(dataset, split=split, directions=directions, features=features)


def _report(split: Split, target: str, out: Path, *, as_json: bool) -> None:
    found = {
        "file": str(out),
        "bytes": out.stat().st_size,
        "to": target,
        "users": len(split.table.users),
        "items": len(split.table.items),
        "split": split.name,
        "train": len(split.train),
        "validation": len(split.validation),
        "test": len(split.test),
        "read_with": _READ_WITH[target].format(str(out)),
    }
    if as_json:
        emit_json(found)
    else:
        emit(
            f"{found['users']:,} users and {found['items']:,} items; ratings of split {split.name}: "
            f"{found['train']:,} training, {found['validation']:,} validation, {found['test']:,} test\n"
            f"written to {out} ({human_bytes(out.stat().st_size)}); read it with\n{found['read_with']}"
        )
