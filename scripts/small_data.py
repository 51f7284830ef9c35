"""Compares models on small data: some users of ML-1M with a few ratings each, drawn at random.

What is done is kept under ``--runs`` and not run again.

Example: python scripts/small_data.py --data-dir ../shared/data
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np
import pandas as pd
import record
import studies

from igmc.cli.logs import start_logging
from igmc.evaluation import evaluate, markdown
from igmc.ratings import Dataset, load_dataset

MODELS = ("item_mean", "biases", "item_knn", "mf", "svdpp", "neighbours")
SIZES = ((300, 25), (3000, 5))  # users, and ratings of each, a fifth of which is the test part


def sample(full: Dataset, users: int, each: int, seed: int = 1) -> pd.DataFrame:
    """Ratings of some users who have so many, the same number of each."""
    table, rng = full.table, np.random.default_rng(seed)
    frame = pd.DataFrame({"user": table.user, "item": table.item, "rating": table.rating})
    counts = np.bincount(table.user)
    chosen = rng.choice(np.flatnonzero(counts >= each), users, replace=False)
    return frame[frame.user.isin(chosen)].groupby("user").sample(each, random_state=seed)


def render(found: list[dict]) -> str:
    """A line a model, a column a size: RMSE with its 95 % interval."""
    sizes = list(dict.fromkeys(row["dataset"] for row in found))
    body = []
    for label in dict.fromkeys(row["label"] for row in found):
        here = {row["dataset"]: row for row in found if row["label"] == label}
        line = [label]
        for size in sizes:
            low, high = here[size]["intervals"]["rmse"]
            line.append(f"{here[size]['metrics']['rmse']:.4f} [{low:.3f}, {high:.3f}]")
        body.append(line)
    return markdown(["RMSE", *sizes], body)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/small_data"), show_default=True)
def main(data_dir: Path | None, runs: Path) -> None:
    """Run what is missing, and write the table after each size."""
    start_logging(verbose=False, quiet=False)
    full = load_dataset("ml_1m", data_dir=data_dir)
    found = record.read("small_data")
    for users, each in SIZES:
        frame = sample(full, users, each)
        report = evaluate(MODELS, [frame], rankings=False, out=runs / f"{users}-{each}")
        rows = studies.rows(report)
        name = f"{users:,} users, {0.8 * each:g} ratings each"
        found = studies.merged(found, [row | {"dataset": name} for row in rows], ("dataset", "label"))
        record.write("small_data", found)
        record.put_table("small_data", render(found))
        click.echo(report.to_markdown(["rmse", "mean_error"]))


if __name__ == "__main__":
    main()
