"""Few training ratings: IGMC and its rivals on 20, 10, 5, 1 and 0.1 % of them, with the same test part.

The test part is that of the data set's official split, or a random tenth; a lower share of the training
ratings is part of a higher one. What a model chooses it chooses on validation ratings, thinned alike; then it
is fitted to both. What is done is kept, so the script can be ended and started again.

Example: python scripts/sparsity.py --data-dir ../shared/data --dataset ml_100k --epochs 20
"""

from __future__ import annotations

from pathlib import Path

import click
import record
import studies

SHARES = (0.2, 0.1, 0.05, 0.01, 0.001)
RIVALS = ("biases", "user_item_mean", "item_mean", "item_knn", "mf")


def write(found: list[dict]) -> None:
    """The result file, the table and the figure."""
    tables, panels, steps = [], [], [f"{100 * share:g} %" for share in SHARES]
    for dataset in dict.fromkeys(row["dataset"] for row in found):
        here = [row for row in found if row["dataset"] == dataset]
        by_rmse = studies.by_step(here, "keep_ratio", SHARES, "rmse")
        tables.append(studies.step_table(f"{dataset}, RMSE", by_rmse, steps, "rmse"))
        given = "training ratings kept"
        panels.append(studies.step_panel(dataset, given, by_rmse, steps, "rmse"))
    studies.save("sparsity", found, "\n\n".join(tables), panels)


@click.command()
@studies.options("sparsity", epochs=20)
def main(
    data_dir: Path | None, runs: Path, datasets: tuple[str, ...], epochs: int, rivals_only: bool
) -> None:
    """Run what is missing, and write the tables after each data set."""
    models = [*RIVALS, *([] if rivals_only else [f"igmc:train.epochs={epochs},train.patience=5"])]
    protocols = [f"thinned:keep_ratio={share}" for share in SHARES]
    jobs = [(dataset, protocols) for dataset in datasets]
    studies.run(jobs, models, runs, record.read("sparsity"), write, ["rmse", "mae"], data_dir=data_dir)


if __name__ == "__main__":
    main()
