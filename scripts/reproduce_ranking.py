"""Lists of all unseen items by the ranker and its rivals: for known users, newcomers and other data sets.

ML-100K and ML-1M under the protocols of published figures, users unseen in training with k ratings, and the
ranker trained on one data set and asked on another. Settings are defaults, or chosen on validation ratings by
the model itself; nothing is chosen by the figures here. What is done is kept, so the script can be ended and
started again.

Example: python scripts/reproduce_ranking.py --data-dir ../shared/data --only ml_100k --only newcomers
"""

from __future__ import annotations

from pathlib import Path
from statistics import mean, stdev

import click
import numpy as np
import other_data
import record

from igmc.cli.logs import start_logging
from igmc.config import RankerConfig
from igmc.environment import machine
from igmc.evaluation import EvaluationReport, evaluate, markdown
from igmc.evaluation.metrics import bootstrap_interval, evaluate_ranking
from igmc.evaluation.protocols import make_protocol
from igmc.ranking import Ranker, fit_ranker
from igmc.ratings import load_dataset
from igmc.recommenders import Ratings, TrainingData, make_recommender

MODELS = (
    "popularity",
    "item_knn=item_knn:objective=ranking",
    "ease",
    "rp3beta",
    "ials",
    "ranker",
)
PARTS: dict[str, tuple[str, tuple[str, ...], int]] = {  # part -> data set, protocols, length of lists
    "ml_100k": ("ml_100k", ("stratified_75_25", "random_8_1_1"), 10),
    "ml_100k@20": ("ml_100k", ("random_80_20",), 20),
    "newcomers": ("ml_100k", tuple(f"unseen_users:k={k}" for k in (1, 2, 5, 10)), 10),
    "ml_1m": ("ml_1m", ("random_8_1_1:min_rating=3",), 10),
    "newcomers_1m": ("ml_1m", tuple(f"unseen_users:k={k}" for k in (1, 2, 5, 10)), 10),
}
SOURCE = "ml_1m"  # whose weights are laid over others
TARGETS = ("ml_100k", "filmtrust", "amazon-instruments", "goodbooks")


def table(rows: list[dict], dataset: str, protocol: str, k: int) -> str:
    """NDCG, recall and precision of each model, means over seeds; the best NDCG first."""
    here = [row for row in rows if row["dataset"] == dataset and _label(row) == make_protocol(protocol).label]
    body = []
    for model in dict.fromkeys(row["label"] for row in here):
        own = [row for row in here if row["label"] == model]
        values = [row["metrics"][f"ndcg@{k}"] for row in own]
        spread = f" ± {stdev(values):.4f}" if len(values) > 1 else ""
        low, high = (mean(row["intervals"][f"ndcg@{k}"][end] for row in own) for end in (0, 1))
        others = [f"{mean(row['metrics'][f'{name}@{k}'] for row in own):.4f}" for name in OTHERS]
        seconds = mean(sum(row["seconds"].get(name, 0.0) for name in ("choose", "fit")) for row in own)
        body.append(
            [
                model,
                f"{mean(values):.4f}{spread}",
                f"{low:.4f} to {high:.4f}",
                *others,
                str(len(own)),
                f"{seconds:.0f} s",
            ]
        )
    body.sort(key=lambda line: line[1], reverse=True)
    names = [f"ndcg@{k}", "95 % interval", *(f"{name}@{k}" for name in OTHERS), "seeds", "training"]
    return markdown([f"{dataset}, {protocol}", *names], body)


OTHERS = ("recall", "precision", "coverage", "popularity_share")


def render(rows: list[dict]) -> str:
    """All tables that there are rows for."""
    tables = []
    for dataset, protocols, k in PARTS.values():
        for protocol in protocols:
            label = make_protocol(protocol).label
            if any(row["dataset"] == dataset and _label(row) == label for row in rows):
                tables.append(table(rows, dataset, protocol, k))
    return "\n\n".join(tables)


def render_transfer(rows: list[dict]) -> str:
    """NDCG@10 by data set, and where the model was trained."""
    body = [
        [
            row["dataset"],
            row["label"],
            row["trained_on"],
            f"{row['ndcg@10']:.4f}",
            f"{row['interval'][0]:.4f} to {row['interval'][1]:.4f}",
        ]
        for row in sorted(rows, key=lambda row: (row["dataset"], -row["ndcg@10"]))
    ]
    return markdown(["data set", "model", "trained on", "ndcg@10", "95 % interval"], body)


def write(report: EvaluationReport | None) -> None:
    """Add what was found to the result file, and render the tables."""
    rows = record.read("ranking")
    for row in report.to_dict()["cells"] if report is not None else []:
        row = row | {"machine": report.machine, "versions": report.versions, "details": {}}
        rows = [other for other in rows if _key(other) != _key(row)] + [row]
    rows.sort(key=_key)
    record.write("ranking", rows)
    record.put_table("ranking", render(rows))
    record.put_table("ranking, transfer", render_transfer(record.read("ranking_transfer")))


def _label(row: dict) -> str:
    return make_protocol(row["protocol"]["name"], row["protocol"]["settings"]).label


def _key(row: dict) -> tuple[str, str, str, int]:
    return row["dataset"], _label(row), row["label"], row["seed"]


def transfer(ranker: Ranker, target: str, data_dir: Path) -> None:
    """The ranker of ML-1M, its weights unchanged, beside models trained there, on random 80/20."""
    way = make_protocol("random_80_20")
    dataset = load_dataset(
        other_data.source(target, data_dir) if target in other_data.SETS else target, data_dir=data_dir
    )
    split = way.draw(dataset, 1)
    shape = len(split.table.users), len(split.table.items)
    known = Ratings.of(split.table, np.concatenate([split.train, split.validation]))
    data = TrainingData.from_split(split).merged()
    moved = make_recommender("ranker")
    moved.n_users, moved.n_items, moved.known = *shape, known.columns()
    moved.ranker = ranker.on(known.matrix(*shape))
    models = {("ranker", SOURCE): moved}
    for label in ("popularity", "item_knn", "ease", "ranker"):
        settings = {"objective": "ranking"} if label == "item_knn" else {}
        models[label, target] = make_recommender(label, settings).fit(data)
    relevant = Ratings.of(split.table, split.test).matrix(*shape)
    relevant.data[:] = 1.0
    found = record.read("ranking_transfer")
    for (label, trained), model in models.items():
        result = evaluate_ranking(model.scores, known.matrix(*shape), relevant, [10])
        values = result.per_user["ndcg@10"]
        interval = bootstrap_interval(values, result.users, seed=1)
        row = {
            "dataset": target,
            "machine": machine(),
            "label": label,
            "trained_on": trained,
            "seed": 1,
            "users": len(values),
            "ndcg@10": float(values.mean()),
            "interval": [interval.low, interval.high],
        }
        key = ("dataset", "label", "trained_on")
        found = [other for other in found if any(other[name] != row[name] for name in key)] + [row]
    record.write("ranking_transfer", sorted(found, key=lambda row: (row["dataset"], row["label"])))
    write(None)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/ranking"), show_default=True)
@click.option("--only", multiple=True, type=click.Choice([*PARTS, "transfer"]), help="Some parts; else all.")
@click.option("--model", "models", multiple=True, help="These models only, by label.")
@click.option("--seeds", default=3, show_default=True, help="How many, from 1.")
def main(
    data_dir: Path | None, runs: Path, only: tuple[str, ...], models: tuple[str, ...], seeds: int
) -> None:
    """Run what is missing, and write the tables."""
    start_logging(verbose=False, quiet=False)
    chosen = [model for model in MODELS if not models or model.partition("=")[0] in models]
    for part in only or [*PARTS, "transfer"]:
        if part == "transfer":
            table = load_dataset(SOURCE, data_dir=data_dir).table
            matrix = Ratings.of(table, np.arange(len(table))).matrix(len(table.users), len(table.items))
            ranker = fit_ranker(matrix, RankerConfig(), seed=1)
            for target in TARGETS:
                transfer(ranker, target, data_dir or Path("data"))
            continue
        dataset, protocols, k = PARTS[part]
        for seed in range(1, seeds + 1):
            for protocol in protocols:
                report = evaluate(
                    chosen, [dataset], protocols=[protocol], seeds=[seed], ks=[k], data_dir=data_dir, out=runs
                )
                write(report)


if __name__ == "__main__":
    main()
