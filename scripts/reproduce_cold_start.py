"""The cold-start protocols of HIRE (ML-1M) and IDCF (ML-1M, ML-100K): IGMC and its rivals, one row a model.

What a model chooses it chooses on validation ratings of known users and items. What is done is kept, so the
script can be ended and started again.

Example: python scripts/reproduce_cold_start.py --data-dir ../shared/data --only idcf --dataset ml_100k
"""

from __future__ import annotations

from pathlib import Path

import click
import record
import studies

from igmc.evaluation import markdown

RIVALS = ("biases", "user_item_mean", "item_mean", "popularity", "item_knn", "mf")
STATES = {"user": "user-cold", "item": "item-cold", "both": "both cold"}
# HIRE, ICDE 2025: NDCG@5 in per cent, as ../shared/ANCHORS.md has them, user-cold and item-cold.
PUBLISHED = {
    "HIRE, published": (91.69, 86.40),
    "TaNP, published": (87.18, 75.64),
    "popularity, published": (85.40, 86.14),
    "MeLU, published": (62.54, 59.20),
}
HIRE = [f"rated_ndcg_linear@{k}" for k in (5, 7, 10)]
IDCF = ["rmse", "rated_ndcg"]


def hire_table(found: list[dict]) -> str:
    """NDCG with linear gain at three lengths for each state, in per cent; the published NDCG@5 below."""
    by_key = {(row["label"], row["protocol"]["settings"]["cold"]): row for row in found}
    body = []
    for label in dict.fromkeys(row["label"] for row in found):
        line = [label]
        for state in STATES:
            row = by_key.get((label, state))
            line.append(" / ".join(f"{100 * row['metrics'][m]:.2f}" for m in HIRE) if row else "not run")
        body.append(line)
    body += [[name, f"{user:.2f}", f"{item:.2f}", "-"] for name, (user, item) in PUBLISHED.items()]
    return markdown(["ml_1m, HIRE, linear NDCG@5 / 7 / 10 in %", *STATES.values()], body)


def idcf_table(found: list[dict]) -> str:
    """RMSE and NDCG of the rated test items on the query users of IDCF, with 95 % intervals."""
    by_key = {(row["label"], row["dataset"]): row for row in found}
    datasets = list(dict.fromkeys(row["dataset"] for row in found))
    body = []
    for label in dict.fromkeys(row["label"] for row in found):
        line = [label]
        for dataset in datasets:
            row = by_key.get((label, dataset))
            for metric in IDCF:
                value = row and row["metrics"].get(metric)
                low, high = row["intervals"][metric] if value else (0.0, 0.0)
                line.append(f"{value:.4f} [{low:.3f}, {high:.3f}]" if value else "-" if row else "not run")
        body.append(line)
    heads = [f"{dataset}, {name}" for dataset in datasets for name in ("RMSE", "NDCG")]
    return markdown(["IDCF, query users", *heads], body)


def write(found: list[dict]) -> None:
    """The result file and the two tables."""
    record.write("reproduce_cold_start", found)
    for name, table in (("hire", hire_table), ("idcf", idcf_table)):
        here = [row for row in found if row["protocol"]["name"] == name]
        if here:
            record.put_table(name, table(here))


@click.command()
@studies.options("reproduce_cold_start", epochs=15)
@studies.cap_option
@click.option("--only", type=click.Choice(["hire", "idcf"]), help="One of the two; both if not given.")
@click.option("--dropout-only", is_flag=True, help="Of IGMC, only the model with support dropout.")
def main(
    data_dir: Path | None,
    runs: Path,
    datasets: tuple[str, ...],
    epochs: int,
    rivals_only: bool,
    cap: int,
    only: str | None,
    dropout_only: bool,
) -> None:
    """Run what is missing, and write the tables after each protocol; --dataset is for IDCF."""
    jobs = [("ml_1m", [f"hire:cold={state}"], "both") for state in STATES if only != "idcf"]
    jobs += [(dataset, ["idcf"], "user") for dataset in datasets if only != "hire"]
    for dataset, protocols, side in jobs:
        ours = [] if rivals_only else studies.igmc_models(epochs, cap, side=side)
        models = [*RIVALS, *(ours[1:] if dropout_only else ours)]
        found, job = record.read("reproduce_cold_start"), [(dataset, protocols)]
        studies.run(job, models, runs, found, write, [*IDCF, *HIRE[:2]], ks=(5, 7, 10), data_dir=data_dir)


if __name__ == "__main__":
    main()
