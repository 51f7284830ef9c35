"""Runs all baselines where published figures exist, and writes the result file and the tables.

Ratings: ML-100K u1 and the Monti sets, beside what `reproduce_tables.py` found for IGMC. Rankings:
ML-100K under three protocols. Settings are the defaults of each model or those below, chosen on validation
ratings; by these a model stops too, and is then fitted to all that is known. What is done is kept, so the
script can be ended and started again.

Example: python scripts/reproduce_baselines.py --data-dir ../shared/data --only ratings
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean

import click
import record

from igmc.cli.logs import start_logging
from igmc.evaluation import EvaluationReport, evaluate, markdown

RATING_MODELS = (
    *("global_mean", "user_mean", "item_mean", "user_item_mean", "biases", "item_knn", "user_knn"),
    *("mf", "svdpp", "gcn", "gat", "graphsage"),
    "ngcf=ngcf:objective=rating",
    "lightgcn=lightgcn:objective=rating,dim=64,learning_rate=0.02",
)
RANKING_MODELS = (
    "popularity",
    "ease",
    "multvae=multvae:hidden=300,latent=64,dropout=0.7,beta=0.4,batch_size=50",
    *(
        f"{name}={name}:objective=ranking"
        for name in ("item_knn", "user_knn", "mf", "gcn", "gat", "graphsage", "ngcf", "lightgcn")
    ),
)
RATINGS = ("ml_100k", "flixster", "douban", "yahoo_music")  # by their official splits
RANKINGS = {"random_80_20": 20, "stratified_75_25": 10, "random_8_1_1": 10}  # protocol -> length of lists
PUBLISHED = {  # recall, precision, NDCG at that length, where ../shared/ANCHORS.md names them
    ("random_80_20", "lightgcn"): (0.3535, 0.2397, None),
    ("random_80_20", "ngcf"): (0.3136, 0.2134, None),
    ("stratified_75_25", "lightgcn"): (0.2132, 0.3993, 0.4530),
    ("stratified_75_25", "mf"): (0.2125, 0.3882, 0.4420),
    ("random_8_1_1", "mf"): (0.2523, 0.1962, 0.2920),
}


def rating_table(rows: list[dict], igmc: list[dict]) -> str:
    """RMSE of each model on each data set, the best on ML-100K first; IGMC's rows are means over seeds."""
    found = {
        (c["label"], c["dataset"]): f"{c['metrics']['rmse']:.4f}" for c in rows if "rmse" in c["metrics"]
    }
    igmc = [r for r in igmc if r.get("network", "rgcn") == "rgcn" and r["selection"] == "fixed"]
    for dataset in RATINGS:
        runs = [r for r in igmc if r["dataset"] == dataset]
        if runs:
            figure = mean(r["ensemble"]["rmse"] for r in runs)
            found["IGMC (fixed epochs)", dataset] = (
                f"{figure:.4f} ({len(runs)} seeds)" if len(runs) > 1 else f"{figure:.4f}"
            )
    labels = dict.fromkeys(label for label, _ in found)
    ordered = sorted(
        labels, key=lambda label: found.get((label, "ml_100k"), found.get((label, "flixster"), "9"))
    )
    body = [[label, *(found.get((label, dataset), "not run") for dataset in RATINGS)] for label in ordered]
    return markdown(["RMSE", "ml_100k u1", *RATINGS[1:]], body)


def ranking_table(rows: list[dict], protocol: str) -> str:
    """Recall, precision and NDCG of each model under one protocol, the best NDCG first."""
    k = RANKINGS[protocol]
    names = [f"{name}@{k}" for name in ("recall", "precision", "ndcg")]
    here = [c for c in rows if c["protocol"]["name"] == protocol and names[2] in c["metrics"]]
    body = []
    for row in sorted(here, key=lambda row: -row["metrics"][names[2]]):
        published = PUBLISHED.get((protocol, row["label"]), (None, None, None))
        figures = [
            f"{row['metrics'][name]:.4f}" + (f" ({theirs:.4f})" if theirs else "")
            for name, theirs in zip(names, published, strict=True)
        ]
        training = sum(row["seconds"].get(stage, 0.0) for stage in ("choose", "fit"))
        body.append([row["label"], *figures, f"{training:.0f} s"])
    return markdown([f"ml_100k, {protocol}", *names, "training"], body)


def write(reports: list[EvaluationReport]) -> None:
    """Add what was found to the result file, and render the tables of docs/results.md."""
    rows = record.read("baselines")
    for report in reports:
        for row in report.to_dict()["cells"]:
            key = ("dataset", "label", "seed", "protocol")
            rows = [other for other in rows if any(other[name] != row[name] for name in key)]
            rows.append(row | {"machine": report.machine, "versions": report.versions})
    rows.sort(key=lambda c: (c["dataset"], c["protocol"]["name"], c["label"], c["seed"]))
    record.write("baselines", rows)
    ratings = [row for row in rows if row["protocol"]["name"] == "official"]
    record.put_table("baselines, ratings", rating_table(ratings, record.read_runs("tables")))
    protocols = [name for name in RANKINGS if any(c["protocol"]["name"] == name for c in rows)]
    record.put_table("baselines, rankings", "\n\n".join(ranking_table(rows, name) for name in protocols))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/baselines"), show_default=True)
@click.option("--only", type=click.Choice(["ratings", "rankings"]), help="One of the two; both if not given.")
@click.option("--dataset", "datasets", multiple=True, type=click.Choice(RATINGS), help="Of the ratings.")
@click.option("--model", "models", multiple=True, help="These models only, by label.")
def main(
    data_dir: Path | None, runs: Path, only: str | None, datasets: tuple[str, ...], models: tuple[str, ...]
) -> None:
    """Run what is missing, and write the tables."""
    start_logging(verbose=False, quiet=False)

    def chosen(known: tuple[str, ...]) -> list[str]:
        return [model for model in known if not models or model.partition("=")[0] in models]

    reports = []
    if only != "rankings" and chosen(RATING_MODELS):
        for dataset in datasets or RATINGS:
            reports.append(
                evaluate(
                    chosen(RATING_MODELS), [dataset], protocols=["official"], data_dir=data_dir, out=runs
                )
            )
            write(reports)
    if only != "ratings":
        for protocol, k in RANKINGS.items():
            reports.append(
                evaluate(
                    chosen(RANKING_MODELS),
                    ["ml_100k"],
                    protocols=[protocol],
                    ks=[k],
                    data_dir=data_dir,
                    out=runs,
                )
            )
            write(reports)


if __name__ == "__main__":
    main()
