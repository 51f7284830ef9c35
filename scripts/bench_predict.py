"""Scoring latency: candidate items for a known user and for one who has just come, model loaded.

Example: python scripts/bench_predict.py --data-dir ../shared/data
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import measure
import numpy as np
import torch

import igmc
from igmc.config import run_config
from igmc.graph import ServingGraph
from igmc.inference import Predictor
from igmc.loading import CrossFit, Probe, pair_width
from igmc.models import IGMC, NeighboursEnsemble
from igmc.networks.neighbours import GraphEstimates, NeighbourScorer, known_ratings
from igmc.networks.rgcn import Scorer
from igmc.ratings import Split


def make_predictor(split: Split, cap: int, checkpoints: int) -> Predictor:
    """A predictor of models with random weights, which take as long as trained ones."""
    config = igmc.RunConfig(extract=igmc.ExtractConfig(max_nodes_per_hop=cap))
    models = [
        IGMC(config.model, n_levels=len(split.scale), seed=seed).eval() for seed in range(1, checkpoints + 1)
    ]
    return Predictor(
        users=split.table.users,
        items=split.table.items,
        scale=split.scale,
        graph=ServingGraph.of(igmc.make_parts(split, "fixed")["test"].graph),
        scorer=Scorer(models, config.extract, seed=1, device=torch.device("cpu")),
        config=config,
        epochs=tuple(range(1, checkpoints + 1)),
    )


def make_neighbours_predictor(split: Split) -> Predictor:
    """The same of the neighbours network with the settings that the data set brings."""
    config = run_config("ml_1m", {"network": "neighbours"})
    graph = igmc.make_parts(split, "fixed")["test"].graph
    names, cap = config.neighbours.estimators, config.neighbours.max_neighbors
    model = NeighboursEnsemble(config.neighbours.members, pair_width=pair_width(names), dropout=0.0, seed=1)
    folds = CrossFit(known_ratings(graph, split.scale), names, newcomers=0.0, pairs=1, seed=1, fits=1)
    model.norms = Probe.norms(folds, cap=cap)
    estimates = GraphEstimates(names)
    return Predictor(
        users=split.table.users,
        items=split.table.items,
        scale=split.scale,
        graph=ServingGraph.of(graph),
        scorer=NeighbourScorer(
            [model], split.scale.values, cap=cap, device=torch.device("cpu"), estimates=estimates
        ),
        config=config,
        epochs=(1,),
    )


def summary(name: str, seconds: list[float]) -> dict[str, float]:
    """Median and 95th percentile in milliseconds, the first one, which warms up, left out."""
    ms = 1e3 * np.array(seconds[1:])
    return {
        f"{name}median_ms": round(float(np.median(ms)), 2),
        f"{name}p95_ms": round(float(np.quantile(ms, 0.95)), 2),
    }


def known_user(predictor: Predictor, candidates: int, requests: int) -> dict[str, Any]:
    """Requests for known users, the candidates drawn uniformly."""
    rng, seconds = np.random.default_rng(0), []
    n_users, n_items = len(predictor.users), len(predictor.items)
    for user in rng.permutation(n_users)[: requests + 1]:
        items = rng.permutation(n_items)[:candidates]
        start = time.perf_counter()
        predictor.predict_indices(np.full(len(items), user), items, fallback=False)
        seconds.append(time.perf_counter() - start)
    row = summary("", seconds)
    return row | {"per_s": round(candidates / row["median_ms"] * 1e3)}


def new_user(predictor: Predictor, ratings: int, candidates: int, requests: int) -> dict[str, Any]:
    """Requests with the ratings of a new user, ratings and candidates drawn by popularity, ids to table."""
    rng = np.random.default_rng(0)
    popularity = np.diff(predictor.graph.by_item.ptr)
    share = popularity / popularity.sum()
    view, whole = [], []
    for _ in range(requests + 1):
        drawn = rng.choice(len(share), size=ratings + candidates, replace=False, p=share)
        ids = predictor.items.decode(drawn)
        given = {item: float(rng.integers(1, 6)) for item in ids[:ratings]}
        start = time.perf_counter()
        user = predictor.with_user(given)
        laid = time.perf_counter()
        user.score(ids[ratings:])
        view.append(laid - start)
        whole.append(time.perf_counter() - start)
    return summary("", whole) | summary("with_user_", view)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder that holds ml-1m.")
@click.option("--requests", default=100, show_default=True, help="Requests of each kind.")
def main(data_dir: Path | None, requests: int) -> None:
    """Measure ML-1M, print a table and write results/bench_predict.json."""
    config = igmc.DataConfig(dataset="ml_1m")
    split = igmc.make_split(igmc.load_dataset(config, data_dir=data_dir), config, seed=1)
    every = len(split.table.items)
    known, new = [], []
    for cap, candidates in ((100, 200), (50, 200), (100, 1000), (50, every)):
        row = {"max_nodes_per_hop": cap, "candidates": candidates}
        known.append(row | known_user(make_predictor(split, cap, 1), candidates, requests))
        click.echo("known user  " + "  ".join(f"{name} {value}" for name, value in known[-1].items()))
    for checkpoints in (1, 4):
        for ratings in (5, 20, 200):
            row = {
                "max_nodes_per_hop": 100,
                "candidates": 200,
                "checkpoints": checkpoints,
                "ratings": ratings,
            }
            new.append(row | new_user(make_predictor(split, 100, checkpoints), ratings, 200, requests))
            click.echo("new user  " + "  ".join(f"{name} {value}" for name, value in new[-1].items()))
    predictor, neighbours = make_neighbours_predictor(split), []
    rated = int(np.count_nonzero(np.diff(predictor.graph.by_item.ptr)))
    for ratings, candidates in ((5, 200), (5, rated - 5), (20, 200), (200, 200)):
        row = {"max_neighbors": predictor.config.neighbours.max_neighbors, "candidates": candidates}
        row |= {"ratings": ratings, **new_user(predictor, ratings, candidates, requests)}
        neighbours.append(row)
        click.echo("neighbours, new user  " + "  ".join(f"{name} {value}" for name, value in row.items()))
    results = {"requests": known, "new_user": new, "neighbours": neighbours}
    results |= {"peak_memory_gib": measure.peak_memory_gib()}
    measure.save("bench_predict", results)


if __name__ == "__main__":
    main()
