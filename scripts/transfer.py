"""Trained models on data sets that they never saw: unchanged, calibrated, trained further on a few ratings.

By the protocol of the paper: the ratings of the other data set are grouped into the model's levels, its
training and validation part make up the graph, and predictions are multiplied by the ratio of the highest
ratings, unless --rescale says otherwise. Each result is kept, and not run again.

Example: python scripts/transfer.py --from runs/ml_100k --data-dir ../shared/data
"""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any

import click
import record
import studies

import igmc
from igmc.cli.logs import start_logging
from igmc.config import FIRST_NETWORK, NETWORKS, RunConfig
from igmc.evaluation import markdown
from igmc.plots import Curve, CurvePanel

TARGETS = ("flixster", "douban", "yahoo_music")
PAPER = {("ml_100k", "flixster"): 0.906, ("ml_100k", "douban"): 0.759, ("ml_100k", "yahoo_music"): 20.1}
PERCENT = (1.0, 5.0, 10.0)
KEY = ("trained_on", "network", "support_dropout", "dataset", "config")
SHOWN = {"ratings": "goodbooks-10k"}  # what its file is called
WORDS = {"calibrate": "calibrated", "finetune": "fine-tuned"}


def jobs(rescale: str = "ratio") -> list[igmc.TransferConfig]:
    """Each way to adapt with each share; what the unchanged model reaches stands in all of them."""
    return [
        igmc.TransferConfig(rescale=rescale, adapt=adapt, percent=share)
        for adapt in WORDS
        for share in PERCENT
    ]


def model(row: dict) -> str:
    """The model and how its predictions are read, in words."""
    words = [row["trained_on"]]
    if row["network"] != FIRST_NETWORK:
        words.append(NETWORKS[row["network"]].title)
    if row["support_dropout"]:
        words.append("support dropout")
    if row["config"]["rescale"] != "ratio":
        words.append(f"rescaled by {row['config']['rescale']}")
    return ", ".join(words)


def grouped(found: list[dict], key: Callable[[dict], Hashable]) -> dict[Any, list[dict]]:
    """The rows by what the key says of them, in order of first appearance."""
    groups: dict[Any, list[dict]] = {}
    for row in found:
        groups.setdefault(key(row), []).append(row)
    return groups


def table(found: list[dict]) -> str:
    """A line for each model and data set."""
    adapted = [f"{WORDS[one.adapt]}, {one.percent:g} %" for one in jobs()]
    body = []
    for (source, target), here in grouped(found, lambda row: (model(row), row["dataset"])).items():
        done = {(r["config"]["adapt"], r["config"]["percent"]): r["adapted"]["rmse"] for r in here}
        low, high = here[0]["intervals"]["zero_shot"]
        shown = SHOWN.get(target, target)
        line = [f"{source} -> {shown}", str(PAPER.get((here[0]["trained_on"], target), "-"))]
        line.append(f"{here[0]['zero_shot']['rmse']:.4f} [{low:.3f}, {high:.3f}]")
        for one in jobs():
            figure = done.get((one.adapt, one.percent))
            line.append("not run" if figure is None else f"{figure:.4f}")
        line += [f"{here[0]['references'][name]['rmse']:.4f}" for name in ("regularized biases", "user mean")]
        body.append(line)
    return markdown(
        ["RMSE", "paper", "unchanged", *adapted, "biases, trained there", "user mean there"], body
    )


def panels(found: list[dict]) -> list[CurvePanel]:
    """A panel a data set: the error of each model, trained further there, against the share learned from."""
    drawn, steps = [], ["0", *(f"{share:g}" for share in PERCENT)]
    for target, here in grouped(found, lambda row: row["dataset"]).items():
        curves = []
        for source, rows in grouped(here, model).items():
            tuned = sorted(
                (r for r in rows if r["config"]["adapt"] == "finetune"), key=lambda r: r["config"]["percent"]
            )
            at = [0, *(1 + PERCENT.index(r["config"]["percent"]) for r in tuned)]
            values = [rows[0]["zero_shot"]["rmse"], *(r["adapted"]["rmse"] for r in tuned)]
            bounds = [rows[0]["intervals"]["zero_shot"], *(r["intervals"]["adapted"] for r in tuned)]
            curves.append(Curve(source, at, values, [b[0] for b in bounds], [b[1] for b in bounds]))
        flat = here[0]["references"]["regularized biases"]["rmse"]
        curves.append(Curve("biases, trained there on all", range(len(steps)), [flat] * len(steps)))
        given = "training ratings trained further on (%)"
        drawn.append(CurvePanel(SHOWN.get(target, target), given, "RMSE (lower is better)", steps, curves))
    return drawn


@click.command()
@click.option("--from", "runs", multiple=True, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--to", "targets", multiple=True, default=TARGETS, show_default=True)
@click.option("--rescale", default="ratio", show_default=True, help="As in igmc-transfer.")
@click.option("--books", type=click.Path(path_type=Path, exists=True), help="ratings.zip of goodbooks-10k.")
@click.option("--workers", type=int, help="Threads; all cores if not given.")
def main(
    runs: tuple[Path, ...],
    data_dir: Path | None,
    targets: tuple[str, ...],
    rescale: str,
    books: Path | None,
    workers: int | None,
) -> None:
    """Run what is missing, and write the table after each result."""
    start_logging(verbose=False, quiet=False)
    data = [igmc.DataConfig(dataset=name) for name in targets]
    if books is not None:
        data.append(igmc.DataConfig(dataset=str(books), columns="user_id,book_id,rating"))
    found = record.read("transfer")
    for run in runs:
        config = RunConfig.from_dict(json.loads((run / "config.json").read_text())["config"])
        for to in data:
            for how in jobs(rescale):
                mine = (str(run.name), to.dataset.rpartition("/")[2], how.to_dict())
                if any((r["run"], r["asked"], r["config"]) == mine for r in found):
                    continue
                report = igmc.transfer(run, to, how, data_dir=data_dir, workers=workers)
                click.echo(report.format())
                # Of the paths only the last part: the rest is of this machine.
                row = report.to_dict() | {"run": mine[0], "asked": mine[1]}
                row["support_dropout"] = config.train.support_dropout
                found = studies.merged(found, [row], KEY)
                studies.save("transfer", found, table(found), panels(found))


if __name__ == "__main__":
    main()
