"""Compares the rating models on data sets without published splits, with defaults throughout.

Random 80/20 of all ratings, several seeds; choices on validation ratings. Figures are pooled over the
seeds, and paired by user. What is done is kept under ``--runs`` and not run again.

Example: python scripts/other_data.py --data-dir ../shared/data --only filmtrust
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import record
import studies

from igmc.cli.logs import start_logging
from igmc.config import DataConfig
from igmc.evaluation import EvaluationReport, evaluate, markdown

OURS = "neighbours"
RIVALS = ("biases", "item_knn", "mf", "svdpp")
SETS = {  # the file under the folder of raw data, and the number of seeds
    "filmtrust": ("filmtrust/ratings.txt", 3),
    "amazon-instruments": ("amazon-instruments/ratings.csv", 3),
    "ml-latest-small": ("ml-latest-small", 3),
    "ml-latest-33m-part": ("ml-latest-33m-part", 1),
    "goodbooks": ("goodbooks/ratings.zip", 1),
}


def source(name: str, data_dir: Path) -> DataConfig:
    """Where a data set is, and its columns if it does not name them."""
    columns = "1,2,3" if name == "filmtrust" else None
    return DataConfig(dataset=str(data_dir / SETS[name][0]), columns=columns)


def pooled(name: str, report: EvaluationReport) -> list[dict[str, Any]]:
    """A row for each model, with its figures by seed too."""
    row = {"dataset": name, "machine": report.machine, "versions": report.versions}
    found = studies.pooled(report.evaluations, (*RIVALS, OURS), OURS, row)
    for one in found:
        own = [each for each in report.evaluations if each.label == one["label"]]
        one["rmse_by_seed"] = [each.metrics["rmse"] for each in own]
        one["seconds"] = [each.seconds for each in own]
        one["split_digests"] = [each.split_digest for each in own]
    return found


def table(found: list[dict[str, Any]]) -> str:
    """A line a data set: each model's RMSE, and ours less the best rival's with the 95 % interval."""
    body = []
    for name in SETS:
        here = {row["label"]: row for row in found if row["dataset"] == name}
        if here:
            best = min((here[label] for label in RIVALS), key=lambda row: row["rmse"])
            less = f"{best['difference']:+.4f} [{best['low']:+.4f}, {best['high']:+.4f}]"
            figures = [f"{here[label]['rmse']:.4f}" for label in (*RIVALS, OURS)]
            body.append([name, *figures, less, str(len(best["seeds"]))])
    return markdown(["RMSE", *RIVALS, OURS, "ours less the best rival", "seeds"], body)


def write(found: list[dict[str, Any]]) -> None:
    """The result file and the table of the documentation."""
    record.write("other_data", found)
    record.put_table("other_data", table(found))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), default=Path("data"))
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/other_data"), show_default=True)
@click.option("--only", multiple=True, type=click.Choice(list(SETS)), default=tuple(SETS))
def main(data_dir: Path, runs: Path, only: tuple[str, ...]) -> None:
    """Run what is missing, and write the table after each data set."""
    start_logging(verbose=False, quiet=False)
    found = record.read("other_data")
    for name in only:
        seeds = range(1, SETS[name][1] + 1)
        report = evaluate(
            [*RIVALS, OURS], [source(name, data_dir)], seeds=seeds, rankings=False, out=runs / name
        )
        if report.failures:
            raise click.ClickException(f"{name} failed: {report.failures[0]}")
        found = studies.merged(found, pooled(name, report), key=("dataset", "label"))
        write(found)
        click.echo(report.to_markdown(["rmse", "mean_error"]))


if __name__ == "__main__":
    main()
