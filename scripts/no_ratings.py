"""Items and users without any rating, over several draws of who is unseen: what side features tell of them.

Nothing is revealed (k = 0), so all that a model knows of the unseen is what it reads besides ratings. All
models learn from the same ratings. Figures are pooled over the draws, and paired by user. What is done is
kept, so the script can be ended and started again.

Example: python scripts/no_ratings.py --data-dir ../shared/data --dataset ml_100k --seeds 3
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import record
import studies
from newcomers import UNSEEN

from igmc.cli.logs import start_logging
from igmc.evaluation import evaluate, markdown

OURS = "neighbours, features"
NETWORK, FEATURES = "epochs={epochs}", "side_features=true"
MODELS = {  # label: the model and its settings
    **{name: name for name in ("global_mean", "user_mean", "item_mean", "biases", "mf", "svdpp")},
    "neighbours": f"neighbours:{NETWORK}",
    "mf, features": f"mf:{FEATURES}",
    "svdpp, features": f"svdpp:{FEATURES}",
    "neighbours, features, no dates": f"neighbours:{FEATURES},{NETWORK},dates=none",
    OURS: f"neighbours:{FEATURES},{NETWORK}",
}
DATASETS = ("ml_100k", "ml_1m")


def write(found: list[dict[str, Any]]) -> None:
    """The result file, and a table for each data set."""
    record.write("no_ratings", found)
    tables = [table(found, dataset) for dataset in DATASETS if any(r["dataset"] == dataset for r in found)]
    record.put_table("no_ratings", "\n\n".join(tables))


def table(found: list[dict[str, Any]], dataset: str) -> str:
    """A line a model: its pooled RMSE, and in brackets ours less it with the 95 % interval."""
    here = {(row["label"], row["unseen"]): row for row in found if row["dataset"] == dataset}
    kinds = [kind for kind in UNSEEN if any(unseen == kind for _, unseen in here)]
    body = []
    for label in dict.fromkeys(label for label, _ in here):
        line = [label]
        for row in (here.get((label, kind)) for kind in kinds):
            shown = "not run" if row is None else f"{row['rmse']:.4f}"
            if row is not None and label != OURS:
                shown += f" ({row['difference']:+.4f} [{row['low']:+.4f}, {row['high']:+.4f}])"
            line.append(shown)
        body.append(line)
    draws = len(next(iter(here.values()))["seeds"])
    return markdown([f"{dataset}, draws: {draws}", *(f"unseen {kind}" for kind in kinds)], body)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/no_ratings"), show_default=True)
@click.option("--dataset", "datasets", multiple=True, type=click.Choice(DATASETS), default=("ml_100k",))
@click.option("--unseen", multiple=True, type=click.Choice(UNSEEN), default=UNSEEN, show_default=True)
@click.option("--seeds", default=3, show_default=True, help="Draws of who is unseen.")
@click.option("--epochs", default=4, show_default=True, help="Of the neighbours network.")
@click.option("--rival", "rivals", multiple=True, type=click.Choice(list(MODELS)), default=list(MODELS))
def main(
    data_dir: Path | None,
    runs: Path,
    datasets: tuple[str, ...],
    unseen: tuple[str, ...],
    seeds: int,
    epochs: int,
    rivals: tuple[str, ...],
) -> None:
    """Run what is missing, and write the tables after each kind of unseen."""
    start_logging(verbose=False, quiet=False)
    found = record.read("no_ratings")
    for dataset in datasets:
        for kind in unseen:
            report = evaluate(
                [
                    f"{name}={MODELS[name].format(epochs=epochs)}"
                    for name in MODELS
                    if name in (*rivals, OURS)
                ],
                [dataset],
                protocols=[f"unseen_{kind}:k=0,refit=false"],
                seeds=range(1, seeds + 1),
                rankings=False,
                data_dir=data_dir,
                out=runs / dataset,
            )
            if report.failures:
                raise click.ClickException(f"a model failed: {report.failures[0]}")
            row = {"dataset": dataset, "unseen": kind, "k": 0}
            row |= {"machine": report.machine, "versions": report.versions}
            labels = list(dict.fromkeys(one.label for one in report.evaluations))
            rows = studies.pooled(report.evaluations, labels, OURS, row)
            found = studies.merged(found, rows, key=("dataset", "unseen", "k", "label"))
            write(found)
            click.echo(table(rows, dataset))


if __name__ == "__main__":
    main()
