"""Extraction and live training on 25 million ratings: throughput, and the most memory the process held.

Example: python scripts/bench_scale.py
"""

from __future__ import annotations

import time

import click
import measure
import numpy as np
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.graph import BipartiteGraph, Part
from igmc.loading import LiveSource, Loader
from igmc.models import IGMC
from igmc.ratings import Pairs
from igmc.ratings.demo import make_ratings
from igmc.training import on_device


def build(users: int, items: int, ratings: int) -> Part:
    """The rating graph, made by the generator of the demo, and all of its ratings as training pairs."""
    user, item, level = make_ratings(users, items, ratings, seed=1)
    levels = int(level.max()) + 1
    graph = BipartiteGraph.from_ratings(user, item, level, n_users=users, n_items=items, n_levels=levels)
    return Part("train", graph, Pairs(user, item, (level + 1).astype(np.float32)))


@click.command()
@click.option("--users", default=162_000, show_default=True)
@click.option("--items", default=59_000, show_default=True)
@click.option("--ratings", default=25_000_000, show_default=True)
@click.option("--cap", default=100, show_default=True, help="Users, and items, kept a hop.")
@click.option("--seconds", default=30.0, show_default=True, help="How long to extract, and to train.")
def main(users: int, items: int, ratings: int, cap: int, seconds: float) -> None:
    """Measure, print and write results/bench_scale.json."""
    start = time.perf_counter()
    part = build(users, items, ratings)
    built = time.perf_counter() - start
    after_build = measure.peak_memory_gib()
    click.echo(f"{part.graph.n_ratings:,} ratings built in {built:.0f} s, peak {after_build:.2f} GiB")

    loader = Loader(LiveSource(part, ExtractConfig(max_nodes_per_hop=cap), seed=1), 50, seed=1, shuffle=True)
    start, extracted, edges = time.perf_counter(), 0, 0
    for batch in loader.epoch(1):
        extracted, edges = extracted + len(batch), edges + batch.subgraphs.n_edges
        if time.perf_counter() - start > seconds:
            break
    extract_rate = extracted / (time.perf_counter() - start)
    click.echo(f"extraction, one thread: {extract_rate:,.0f} subgraphs/s of {edges / extracted:,.0f} edges")

    model = IGMC(ModelConfig(), n_levels=part.graph.n_levels).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    trained = 0
    with on_device(torch.device("cpu")):
        for step, batch in enumerate(loader.epoch(2)):
            if step == 10:  # the kernels are compiled by now
                start, trained = time.perf_counter(), 0
            loss = torch.nn.functional.mse_loss(model(batch), batch.rating) + 0.001 * model.arr_penalty()
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            trained += len(batch)
            if step > 10 and time.perf_counter() - start > seconds:
                break
    train_rate = trained / (time.perf_counter() - start)
    peak = measure.peak_memory_gib()
    click.echo(f"live training: {train_rate:,.0f} subgraphs/s, peak {peak:.2f} GiB")
    measure.save(
        "bench_scale",
        {
            "ratings": part.graph.n_ratings,
            "users": users,
            "items": items,
            "max_nodes_per_hop": cap,
            "build_seconds": built,
            "peak_memory_gib_after_build": after_build,
            "edges_per_subgraph": edges / extracted,
            "extract_per_s_one_thread": extract_rate,
            "train_per_s": train_rate,
            "peak_memory_gib": peak,
        },
    )


if __name__ == "__main__":
    main()
