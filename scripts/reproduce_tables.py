"""Runs the published protocol for every data set and seed, and writes the result file and the README table.

Every run is resumed where it stopped, and what the result file holds under the same settings is not run
again, so the script can be ended and started at any time, on another machine too. To run a row anew,
delete it.

Example: python scripts/reproduce_tables.py --data-dir ../shared/data --only flixster --only yahoo_music
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import mean, stdev

import click

import igmc
from igmc.config import RunConfig, paper_settings

RESULTS = Path(__file__).parent / "results" / "tables.json"
README = Path(__file__).parents[1] / "README.md"
SEEDS = {"yahoo_music": 5, "flixster": 5, "ml_100k": 3, "douban": 5, "ml_1m": 1}  # the quickest first
PUBLISHED = {  # Zhang & Chen, ICLR 2020: checkpoint ensembles
    "ml_100k": 0.905,
    "ml_1m": 0.857,
    "flixster": 0.872,
    "douban": 0.721,
    "yahoo_music": 19.1,
}
NORMS = ("none", "relation", "degree")


def settings(dataset: str, seed: int, protocol: str, norm: str = "none") -> RunConfig:
    """The paper's settings for a data set, under either protocol."""
    values = paper_settings(dataset)
    values["data"] = {"dataset": dataset}
    values["train"] = {**values.get("train", {}), "protocol": protocol}
    values["model"] = {**values.get("model", {}), "norm": norm}
    return RunConfig.from_dict({**values, "seed": seed, "live": True})


def render(rows: list[dict]) -> str:
    """The README table: mean and standard deviation over the seeds that are done."""
    lines = [
        "| data set | paper | ours, ensemble | ours, last epoch alone | seeds | epochs "
        "| validated: ensemble | seeds |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for dataset, figure in PUBLISHED.items():
        paper, validated = (
            [r for r in rows if r["dataset"] == dataset and r["protocol"] == p and r["norm"] == "none"]
            for p in ("paper", "validated")
        )
        if paper:
            cells = [
                dataset,
                str(figure),
                spread([r["ensemble"]["rmse"] for r in paper]),
                spread([r["single"]["rmse"] for r in paper]),
                str(len(paper)),
                str(paper[0]["epochs"]),
                spread([r["ensemble"]["rmse"] for r in validated]),
                str(len(validated)),
            ]
            lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def spread(values: list[float]) -> str:
    """Mean, and standard deviation where there are several."""
    if not values:
        return "not run"
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def write(rows: list[dict]) -> None:
    """Write the result file, and the table between its marks in the README."""
    rows.sort(key=lambda r: (r["dataset"], r["protocol"], r["norm"], r["seed"]))
    RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
    marks = r"(<!-- table: reproduce_tables -->\n).*?(<!-- end of table -->)"
    text = README.read_text()
    README.write_text(re.sub(marks, lambda m: f"{m[1]}{render(rows)}\n{m[2]}", text, flags=re.DOTALL))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/tables"), show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(list(SEEDS)), help="These data sets; all if not given."
)
@click.option("--protocol", "protocols", multiple=True, type=click.Choice(["paper", "validated"]))
@click.option("--seeds", type=int, help="So many seeds instead of the default number.")
@click.option("--norms", is_flag=True, help="Compare the norms by validation instead (seed 1).")
@click.option("--workers", type=int, help="Threads; all cores if not given.")
def main(
    data_dir: Path | None,
    runs: Path,
    only: tuple[str, ...],
    protocols: tuple[str, ...],
    seeds: int | None,
    norms: bool,
    workers: int | None,
) -> None:
    """Run what is missing, and write the tables after each run."""
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    jobs = [
        (dataset, seed, protocol, norm)
        for protocol in (protocols or ("paper", "validated"))
        for dataset in (only or SEEDS)
        for seed in range(1, (seeds or SEEDS[dataset]) + 1)
        for norm in (NORMS if norms else ("none",))
    ]
    for dataset, seed, protocol, norm in jobs:
        key = {"dataset": dataset, "seed": seed, "protocol": protocol, "norm": norm}
        config = settings(dataset, seed, protocol, norm)
        if any(key.items() <= row.items() and RunConfig.from_dict(row["config"]) == config for row in rows):
            continue
        report = igmc.train(
            config,
            data_dir=data_dir,
            out=runs / f"{dataset}-{protocol}-{norm}-{seed}",
            workers=workers,
            progress=False,
        )
        click.echo(f"{key}\n{report.format()}\n")
        rows = [r for r in rows if any(r[name] != value for name, value in key.items())]
        found = report.to_dict()
        del found["folder"]  # of this machine only
        rows.append({**found, **key, "config": config.to_dict()})
        write(rows)


if __name__ == "__main__":
    main()
