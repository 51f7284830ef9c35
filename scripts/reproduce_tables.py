"""Runs the published protocol for every data set and seed, and writes the result file and the README table.

Every run is resumed where it stopped, and what the result file holds under the same settings is not run
again, so the script can be ended and started at any time, on another machine too. To run a row anew,
delete it.

Example: python scripts/reproduce_tables.py --data-dir ../shared/data --only flixster --only yahoo_music
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev

import click
import record

import igmc
from igmc.config import SELECTIONS, RunConfig, merged, preset_settings
from igmc.evaluation import markdown

SEEDS = {"yahoo_music": 5, "flixster": 5, "ml_100k": 3, "douban": 5, "ml_1m": 1}  # the quickest first
PUBLISHED = {  # Zhang & Chen, ICLR 2020: checkpoint ensembles
    "ml_100k": 0.905,
    "ml_1m": 0.857,
    "flixster": 0.872,
    "douban": 0.721,
    "yahoo_music": 19.1,
}


def settings(dataset: str, seed: int, selection: str) -> RunConfig:
    """The paper's settings for a data set, with either selection of checkpoints."""
    chosen = {"data": {"dataset": dataset}, "train": {"selection": selection}, "seed": seed, "live": True}
    return RunConfig.from_dict(merged(preset_settings(dataset), chosen))


def render(rows: list[dict]) -> str:
    """The README table: mean and standard deviation over the seeds that are done."""
    body = []
    for dataset, figure in PUBLISHED.items():
        fixed, chosen = (
            [r for r in rows if (r["dataset"], r["selection"]) == (dataset, one)] for one in SELECTIONS
        )
        if fixed:
            line = [dataset, str(figure), spread([r["ensemble"]["rmse"] for r in fixed])]
            line += [spread([r["single"]["rmse"] for r in fixed]), str(len(fixed)), str(fixed[0]["epochs"])]
            body.append([*line, spread([r["ensemble"]["rmse"] for r in chosen]), str(len(chosen))])
    head = ["data set", "paper", "ours, ensemble", "ours, last epoch alone", "seeds", "epochs"]
    return markdown([*head, "validation: ensemble", "seeds"], body)


def spread(values: list[float]) -> str:
    """Mean, and standard deviation where there are several."""
    if not values:
        return "not run"
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/tables"), show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(list(SEEDS)), help="These data sets; all if not given."
)
@click.option("--selection", "selections", multiple=True, type=click.Choice(SELECTIONS))
@click.option("--seeds", type=int, help="So many seeds instead of the default number.")
@click.option("--workers", type=int, help="Threads; all cores if not given.")
def main(
    data_dir: Path | None,
    runs: Path,
    only: tuple[str, ...],
    selections: tuple[str, ...],
    seeds: int | None,
    workers: int | None,
) -> None:
    """Run what is missing, and write the tables after each run."""
    rows = record.read_runs("tables")
    jobs = [
        (dataset, seed, selection)
        for selection in (selections or SELECTIONS)
        for dataset in (only or SEEDS)
        for seed in range(1, (seeds or SEEDS[dataset]) + 1)
    ]
    for dataset, seed, selection in jobs:
        key = {"dataset": dataset, "seed": seed, "selection": selection}
        config = settings(dataset, seed, selection)
        if any(key.items() <= row.items() and RunConfig.from_dict(row["config"]) == config for row in rows):
            continue
        former = config.train.identity()["protocol"]  # so that folders of earlier versions are found
        report = igmc.train(
            config,
            data_dir=data_dir,
            out=runs / f"{dataset}-{former}-{seed}",
            workers=workers,
            progress=False,
        )
        click.echo(f"{key}\n{report.format()}\n")
        rows = [r for r in rows if any(r[name] != value for name, value in key.items())]
        found = report.to_dict()
        del found["folder"]  # of this machine only
        rows.append({**found, **key, "config": config.to_dict()})
        rows.sort(key=lambda r: (r["dataset"], r["selection"], r["seed"]))
        record.write("tables", rows)
        record.put_table("reproduce_tables", render(rows))


if __name__ == "__main__":
    main()
