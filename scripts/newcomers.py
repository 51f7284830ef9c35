"""Unseen users, unseen items and both, over several draws of who is unseen: the neighbours network, rivals.

What is held out reveals k ratings at test time only; all models learn from the same ratings, and choose on
validation ratings of those who are known. Figures are pooled over the draws, and paired by user. What is
done is kept, so the script can be ended and started again.

Example: python scripts/newcomers.py --data-dir ../shared/data --dataset ml_100k --unseen users
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import record
import studies

from igmc.cli.logs import start_logging
from igmc.evaluation import EvaluationReport, evaluate, markdown

KS = (1, 2, 5, 10)
OURS = "neighbours"
RIVALS = ("biases", "item_knn", "mf", "svdpp")
DATASETS = ("ml_100k", "ml_1m")
UNSEEN = ("users", "items", "both")


def pooled(report: EvaluationReport, dataset: str, unseen: str, labels: list[str]) -> list[dict[str, Any]]:
    """A row for each model and k: the RMSE over all pairs, and ours less it with its interval."""
    found = []
    for k in KS:
        here = [one for one in report.evaluations if one.protocol["settings"]["k"] == k]
        row = {"dataset": dataset, "unseen": unseen, "k": k}
        row |= {"machine": report.machine, "versions": report.versions}
        found += studies.pooled(here, labels, OURS, row)
    return found


def write(found: list[dict[str, Any]]) -> None:
    """The result file, and a table for each data set and kind of newcomers."""
    record.write("newcomers", found)
    tables = []
    for dataset in DATASETS:
        for unseen in UNSEEN:
            here = [row for row in found if (row["dataset"], row["unseen"]) == (dataset, unseen)]
            if here:
                tables.append(table(here, f"{dataset}, unseen {unseen}, {len(here[0]['seeds'])} draws"))
    record.put_table("newcomers", "\n\n".join(tables))


def table(found: list[dict[str, Any]], head: str) -> str:
    """A line a model: its pooled RMSE at each k, and in brackets ours less it with the 95 % interval."""
    body = []
    for label in dict.fromkeys(row["label"] for row in found):
        line = [label]
        for row in (row for row in found if row["label"] == label):
            shown = f"{row['rmse']:.4f}"
            if label != OURS:
                shown += f" ({row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}])"
            line.append(shown)
        body.append(line)
    return markdown([head, *(f"k = {k}" for k in KS)], body)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/newcomers"), show_default=True)
@click.option("--dataset", "datasets", multiple=True, type=click.Choice(DATASETS), default=("ml_100k",))
@click.option("--unseen", multiple=True, type=click.Choice(UNSEEN), default=UNSEEN, show_default=True)
@click.option("--seeds", default=5, show_default=True, help="Draws of who is unseen.")
@click.option("--epochs", default=16, show_default=True, help="Of the neighbours network.")
@click.option("--rival", "rivals", multiple=True, type=click.Choice(RIVALS), default=RIVALS)
def main(
    data_dir: Path | None,
    runs: Path,
    datasets: tuple[str, ...],
    unseen: tuple[str, ...],
    seeds: int,
    epochs: int,
    rivals: tuple[str, ...],
) -> None:
    """Run what is missing, and write the tables after each kind of newcomers."""
    start_logging(verbose=False, quiet=False)
    found = record.read("newcomers")
    for dataset in datasets:
        for kind in unseen:
            report = evaluate(
                [*rivals, f"{OURS}:epochs={epochs}"],
                [dataset],
                protocols=[f"unseen_{kind}:k={k},refit=false" for k in KS],
                seeds=range(1, seeds + 1),
                rankings=False,
                data_dir=data_dir,
                out=runs / dataset,
            )
            if report.failures:
                raise click.ClickException(f"a model failed: {report.failures[0]}")
            rows = pooled(report, dataset, kind, [*rivals, OURS])
            found = studies.merged(found, rows, key=("dataset", "unseen", "k", "label"))
            write(found)
            click.echo(table(rows, f"{dataset}, unseen {kind}"))


if __name__ == "__main__":
    main()
