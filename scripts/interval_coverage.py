"""Measures how often ratings lie in the intervals of the neighbours network, and how wide these are.

On sets with users that are known, and on ML-100K with users that were not there in training and reveal k
ratings. Nothing is chosen on the test ratings. What is done is kept under ``--runs`` and not run again.

Example: python scripts/interval_coverage.py --data-dir ../shared/data --only filmtrust
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import record
import studies

from igmc.cli.logs import start_logging
from igmc.config import DataConfig
from igmc.evaluation import evaluate, markdown

KS = (1, 2, 5, 10)
MODEL = "neighbours:selection=fixed"  # trained once, on training and validation ratings
SETS = {
    "ml_100k": ("ml_100k", "official:split=u1"),
    "flixster": ("flixster", "official"),
    "filmtrust": ("filmtrust/ratings.txt", "random_80_20"),
    "amazon-instruments": ("amazon-instruments/ratings.csv", "random_80_20"),
    "newcomers": ("ml_100k", "unseen_users:refit=false"),
}


def source(name: str, data_dir: Path | None) -> Any:
    """The data set of a measurement: one known by name, or a file under the folder of raw data."""
    place = SETS[name][0]
    if "/" not in place:
        return place
    path = (data_dir or Path("data")) / place
    return DataConfig(dataset=str(path), columns="1,2,3") if path.suffix == ".txt" else str(path)


def protocols(name: str) -> list[str]:
    """How a set is split."""
    protocol = SETS[name][1]
    return [f"{protocol},k={k}" for k in KS] if name == "newcomers" else [protocol]


def row(name: str, one: Any, report: Any) -> dict[str, Any]:
    """What the result file says of an evaluation."""
    k = one.protocol["settings"].get("k") if name == "newcomers" else None
    return {
        "set": name,
        "dataset": one.dataset,
        "k": k,
        "seed": one.seed,
        "protocol": one.protocol,
        "split_digest": one.split_digest,
        "rmse": one.metrics["rmse"],
        **one.details["intervals"],
        "settings": one.settings,
        "seconds": one.seconds,
        "machine": report.machine,
        "versions": report.versions,
    }


def table(found: list[dict[str, Any]]) -> str:
    """A line a measurement: coverage and width, overall, and the lowest and highest by activity."""
    body = []
    for one in found:
        told = [one["set"] if one["k"] is None else f"{one['dataset']}, unseen users, k = {one['k']}"]
        told += [f"{one['pairs']:,}", f"{one['coverage']:.1%}", f"{one['width']:.2f}"]
        for side in ("user", "item"):
            buckets = [b for b in one[f"by_{side}_activity"] if b["pairs"] >= 200]
            told.append(", ".join(f"{b['label']}: {b['coverage']:.1%} ({b['width']:.2f})" for b in buckets))
        body.append(told)
    by = [f"by ratings of the {side}: coverage (width)" for side in ("user", "item")]
    return markdown(["90 % intervals", "pairs", "coverage", "width", *by], body)


def write(found: list[dict[str, Any]]) -> None:
    """The result file and the table of the documentation."""
    record.write("interval_coverage", found)
    record.put_table("interval_coverage", table(found))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/coverage"), show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), default=tuple(SETS))
def main(data_dir: Path | None, runs: Path, only: tuple[str, ...]) -> None:
    """Run what is missing, and write the table after each set."""
    start_logging(verbose=False, quiet=False)
    found = record.read("interval_coverage")
    for name in only:
        report = evaluate(
            [MODEL],
            [source(name, data_dir)],
            protocols=protocols(name),
            rankings=False,
            data_dir=data_dir,
            out=runs / name,
        )
        if report.failures:
            raise click.ClickException(f"{name} failed: {report.failures[0]}")
        rows = [row(name, one, report) for one in report.evaluations]
        found = studies.merged(found, rows, key=("set", "k"))
        write(found)
        click.echo(table(rows))


if __name__ == "__main__":
    main()
