"""Users that training never saw, who reveal 0 to 10 ratings: IGMC, with support dropout too, and rivals.

A fifth of the users is held out; each reveals k ratings, the same pairs are asked for every k, and what is
revealed enters the graph at test time only. All models learn from the same ratings and choose on the
validation ratings of known users. What is done is kept, so the script can be ended and started again.

Example: python scripts/cold_start.py --data-dir ../shared/data --dataset ml_100k --epochs 15 --cap 50
"""

from __future__ import annotations

from pathlib import Path

import click
import record
import studies

KS = (0, 1, 2, 5, 10)
RIVALS = ("biases", "user_item_mean", "item_mean", "popularity", "item_knn", "mf")
METRICS = ("rmse", "rated_ndcg@10")


def write(found: list[dict]) -> None:
    """The result file, the table and the figure."""
    tables, panels, steps = [], [], [f"k = {k}" for k in KS]
    for dataset in dict.fromkeys(row["dataset"] for row in found):
        here = [row for row in found if row["dataset"] == dataset]
        by_rmse = studies.by_step(here, "k", KS, "rmse")
        tables.append(studies.step_table(f"{dataset}, RMSE", by_rmse, steps, "rmse"))
        by_ndcg = studies.by_step(here, "k", KS, "rated_ndcg@10")
        tables.append(studies.step_table(f"{dataset}, NDCG@10 of the rated", by_ndcg, steps, "rated_ndcg@10"))
        given = "support ratings of each unseen user"
        panels.append(studies.step_panel(dataset, given, by_rmse, [str(k) for k in KS], "rmse"))
    studies.save("cold_start", found, "\n\n".join(tables), panels)


@click.command()
@studies.options("cold_start", epochs=15)
@studies.cap_option
@click.option("--share", default=0.5, show_default=True, help="Of training pairs with support dropout.")
def main(
    data_dir: Path | None,
    runs: Path,
    datasets: tuple[str, ...],
    epochs: int,
    rivals_only: bool,
    cap: int,
    share: float,
) -> None:
    """Run what is missing, and write the tables after each data set."""
    models = [*RIVALS, *([] if rivals_only else studies.igmc_models(epochs, cap, share))]
    protocols = [f"unseen_users:k={k},refit=false" for k in KS]
    jobs = [(dataset, protocols) for dataset in datasets]
    studies.run(jobs, models, runs, record.read("cold_start"), write, METRICS, data_dir=data_dir)


if __name__ == "__main__":
    main()
