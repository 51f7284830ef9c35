"""How good the lists of a run are, by each order, beside those of EASE: ML-100K u1, 200 users, lists of ten.

The run is trained with defaults, but without dates. An item counts if it is in the user's test part.

Example: python scripts/default_lists.py --data-dir ../shared/data
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np
import record
from scipy import sparse

import igmc
from igmc.cli.logs import start_logging
from igmc.config import run_config
from igmc.environment import machine, versions
from igmc.evaluation import markdown
from igmc.evaluation.metrics import bootstrap_interval, paired_test, ranking_metrics
from igmc.ratings import Split
from igmc.recommenders import TrainingData, make_recommender

ORDERS = ("auto", "relevance", "score", "lift")
USERS, K = 200, 10
LIKED = 4.0  # stars, at least


def lists_of_run(run: Path, users: np.ndarray, order: str) -> np.ndarray:
    """Dense item indices, int64 [U, K], of the lists that the run gives some users."""
    predictor = igmc.Predictor.from_run(run, device="cpu")
    lists = []
    for user in users.tolist():
        frame = igmc.recommend(predictor, user_id=predictor.users.ids[user], k=K, order=order)
        lists.append(predictor.items.encode(frame.item_id))
    return np.array(lists, np.int64)


def lists_of_ease(split: Split, users: np.ndarray) -> np.ndarray:
    """The same, of EASE fitted to all ratings that the run knows."""
    data = TrainingData.from_split(split).merged()
    scores = make_recommender("ease").fit(data).scores(users)
    known = data.train.matrix(len(split.table.users), len(split.table.items))[users]
    scores[known.toarray() != 0] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :K]


def write(found: list[dict[str, Any]]) -> None:
    """The result file and the table of the documentation."""
    record.write("default_lists", found)
    body = []
    for row in found:
        line = [row["order"], f"{row['ndcg@10']:.4f} [{row['interval'][0]:.3f}, {row['interval'][1]:.3f}]"]
        less = row.get("difference", ())
        told = "{:+.4f} [{:+.4f}, {:+.4f}]".format(*less) if less else ""
        body.append([*line, told, f"{row['recall@10']:.4f}", f"{row['liked_ndcg@10']:.4f}"])
    head = [
        "ML-100K u1, lists by",
        "NDCG@10 [95 %]",
        "less EASE, paired [95 %]",
        "recall@10",
        "liked: NDCG@10",
    ]
    record.put_table("default_lists", markdown(head, body))


@click.command(help=__doc__)
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/lists"), show_default=True)
def main(data_dir: Path | None, runs: Path) -> None:
    start_logging(verbose=False, quiet=False)
    settings = {"network": "neighbours", "data": {"split": "u1"}, "neighbours": {"dates": "none"}}
    run = runs / "ml_100k-u1"
    igmc.train(run_config("ml_100k", settings), out=run, data_dir=data_dir, progress=False)
    split = Split.load(run / "split.npz")
    table, shape = split.table, (len(split.table.users), len(split.table.items))
    ones = np.ones(len(split.test), np.float32)
    asked = sparse.csr_array((ones, (table.user[split.test], table.item[split.test])), shape=shape)
    users = np.flatnonzero(np.diff(asked.indptr))
    users = np.sort(np.random.default_rng(1).permutation(users)[:USERS])
    lists = {"EASE": lists_of_ease(split, users)}
    lists |= {order: lists_of_run(run, users, order) for order in ORDERS}
    measured = {name: ranking_metrics(items, asked[users], [K]) for name, items in lists.items()}
    good = split.test[table.rating[split.test] >= LIKED]
    liked = sparse.csr_array((np.ones(len(good)), (table.user[good], table.item[good])), shape=shape)[users]
    likers = np.flatnonzero(np.diff(liked.indptr))
    found = []
    for name, metrics in measured.items():
        values, base = metrics["ndcg@10"], measured["EASE"]["ndcg@10"]
        interval = bootstrap_interval(values, users, seed=1)
        row = {"dataset": "ml_100k", "split": "u1", "order": name, "seed": 1, "users": len(users)}
        row |= {"ndcg@10": float(values.mean()), "interval": [interval.low, interval.high]}
        row |= {"recall@10": float(metrics["recall@10"].mean())}
        of_liked = ranking_metrics(lists[name][likers], liked[likers], [K])["ndcg@10"]
        row |= {"liked_ndcg@10": float(of_liked.mean())}
        if name != "EASE":
            test = paired_test(values, base, users, seed=1)
            row |= {"difference": [test.difference, test.low, test.high]}
        found.append(row | {"machine": machine(), "versions": versions()})
    write(found)
    click.echo(record.TABLES.read_text().partition("<!-- table: default_lists -->")[2][:900])


if __name__ == "__main__":
    main()
