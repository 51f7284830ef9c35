"""What the choice of candidates loses against scoring all items, and how long a newcomer waits for a list.

Example: python scripts/bench_recommend.py --run runs/ml_100k --data-dir ../shared/data
"""

from __future__ import annotations

import time
from functools import partial
from pathlib import Path
from typing import Any

import click
import measure
import numpy as np
import torch
from scipy import sparse

import igmc
from igmc.config import ExtractConfig, ListConfig, ModelConfig, run_config
from igmc.evaluation.metrics import ranking_metrics
from igmc.graph import ServingGraph, make_parts
from igmc.inference import ItemInfo
from igmc.inference.lists import ListRequest, candidate_order, list_items, recommend
from igmc.models import IGMC
from igmc.networks.rgcn import Scorer
from igmc.ratings import Split

SIZES = (50, 100, 200, 400)  # of candidates
RELEVANT = 4.0  # stars, at least


def loss(run: Path, users: int) -> dict[str, Any]:
    """Lists of ten for some users of a run, by two stages and exhaustive, against its test ratings."""
    predictor, split = igmc.Predictor.from_run(run), Split.load(run / "split.npz")
    table, test = split.table, split.test[split.table.rating[split.test] >= RELEVANT]
    shape = len(table.users), len(table.items)
    relevant = sparse.csr_array((table.rating[test], (table.user[test], table.item[test])), shape=shape)
    chosen = np.flatnonzero(np.diff(relevant.indptr))
    chosen = np.sort(np.random.default_rng(0).permutation(chosen)[:users])
    lists: dict[str, list[np.ndarray]] = {}
    seconds: dict[str, list[float]] = {}
    for user in chosen.tolist():
        user_id = table.users.ids[user]
        ways = {"exhaustive": ListConfig(exhaustive=True)}
        ways |= {f"{size} candidates": ListConfig(candidates=size) for size in SIZES}
        for name, config in ways.items():
            start = time.perf_counter()
            lists.setdefault(name, []).append(list_items(predictor, ListRequest(user_id, config=config)).item)
            seconds.setdefault(name, []).append(time.perf_counter() - start)
        lists.setdefault("candidates' order alone", []).append(stage_one(predictor, user_id))
    rows = []
    for name, found in lists.items():
        ndcg = ranking_metrics(np.stack(found), relevant[chosen], [10])["ndcg@10"]
        pairs = zip(found, lists["exhaustive"], strict=True)
        row = {
            "lists": name,
            "overlap_with_exhaustive": round(
                float(np.mean([len(set(a) & set(b)) / 10 for a, b in pairs])), 4
            ),
            "ndcg@10": round(float(ndcg.mean()), 4),
        }
        if name in seconds:
            row["median_ms"] = round(1e3 * float(np.median(seconds[name])), 1)
        rows.append(row)
        click.echo("  ".join(f"{key} {value}" for key, value in row.items()))
    return {
        "data": predictor.config.data.dataset,
        "epochs": list(predictor.epochs),
        "max_nodes_per_hop": predictor.config.extract.max_nodes_per_hop,
        "users": len(chosen),
        "relevant": f"test ratings of {RELEVANT:g} or more, all unseen items ranked",
        "lists": rows,
    }


def stage_one(predictor: igmc.Predictor, user_id: int | str) -> np.ndarray:
    """The first ten candidates, without any model."""
    view = predictor.with_user({}, user_id)
    allowed = np.ones(view.graph.n_items, bool)
    allowed[view.rated] = False
    values = predictor.scale.values
    return candidate_order(view.graph, view.user, allowed, values, budget=ListConfig().budget)[:10]


def latency(data_dir: Path | None, requests: int, threads: int | None) -> dict[str, Any]:
    """Lists for newcomers with five ratings on ML-1M, by a model of the paper's size with random weights."""
    settings = run_config("ml_1m", {"network": "rgcn"})
    dataset = igmc.load_dataset("ml_1m", data_dir=data_dir)
    split = igmc.make_split(dataset, settings.data, seed=1)
    graph = ServingGraph.of(make_parts(split, "fixed")["test"].graph)
    newcomers = draw_newcomers(split, requests + 3)
    rows = []
    for cap, exhaustive, models in ((100, False, 1), (100, False, 4), (50, True, 1), (50, True, 4)):
        networks = [
            IGMC(ModelConfig(), n_levels=len(split.scale), seed=seed, threads=threads).eval()
            for seed in range(models)
        ]
        extract = ExtractConfig(max_nodes_per_hop=cap)
        scorer = Scorer(networks, extract, seed=1, device=torch.device("cpu"), threads=threads)
        predictor = igmc.Predictor(
            dataset.table.users,
            dataset.table.items,
            split.scale,
            graph,
            scorer,
            settings,
            tuple(range(models)),
            None if dataset.item_info is None else ItemInfo.of(dataset.item_info),
        )
        ask = partial(recommend, predictor, exhaustive=exhaustive)
        ms = [1e3 * measure.seconds(partial(ask, ratings=ratings)) for ratings in newcomers]
        row = {
            "max_nodes_per_hop": cap,
            "items_scored": graph.n_items - 5 if exhaustive else ListConfig().candidates,
            "models_averaged": models,
            "requests": requests,
            "p50_ms": round(float(np.quantile(ms[3:], 0.5)), 1),  # the first ones warm up
            "p95_ms": round(float(np.quantile(ms[3:], 0.95)), 1),
        }
        rows.append(row)
        click.echo("  ".join(f"{key} {value}" for key, value in row.items()))
    return {"data": "ml_1m", "weights": "random: for the time only", "lists_of_ten": rows}


def draw_newcomers(split: Split, count: int) -> list[dict[int | str, float]]:
    """Five ratings each, of items drawn as often as they are rated."""
    rng, table = np.random.default_rng(0), split.table
    newcomers = []
    for _ in range(count):
        items: list[int] = []
        while len(items) < 5:
            item = int(table.item[rng.choice(split.train)])
            items += [item] if item not in items else []
        ratings = rng.choice(split.scale.values, 5).tolist()
        newcomers.append(dict(zip(table.items.decode(items), ratings, strict=True)))
    return newcomers


@click.command()
@click.option("--run", type=click.Path(path_type=Path, exists=True), required=True, help="A run on ML-100K.")
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder that holds ml-1m.")
@click.option("--users", default=200, show_default=True, help="Users whose lists are compared.")
@click.option("--requests", default=100, show_default=True, help="Requests that are timed, of each kind.")
@click.option("--threads", type=int, help="Threads that score; all cores if not given.")
@click.option("--dry", is_flag=True, help="Write nothing: to see that it works.")
def main(run: Path, data_dir: Path | None, users: int, requests: int, threads: int | None, dry: bool) -> None:
    """Measure both, print the figures and write results/recommend.json."""
    results = {"loss": loss(run, users), "latency": latency(data_dir, requests, threads)}
    if not dry:
        measure.save("recommend", {**results, "peak_memory_gib": measure.peak_memory_gib()})


if __name__ == "__main__":
    main()
