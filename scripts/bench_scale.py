"""Live training of either network on 25 million ratings: throughput, and the most memory the process held.

With --data-dir, ML-1M is measured before and after it in the same process, at the same cap.

Example: python scripts/bench_scale.py --network neighbours
         python scripts/bench_scale.py --users 650000 --items 100000 --ratings 100000000 \
             --data-dir ../shared/data
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import click
import measure
import numpy as np
import torch

from igmc.config import ExtractConfig, ModelConfig, NeighboursConfig
from igmc.graph import BipartiteGraph, Part
from igmc.loading import KnownRatings, LiveSource, Loader
from igmc.models import IGMC
from igmc.ratings import Pairs
from igmc.ratings.demo import make_ratings
from igmc.training import MemoryCheckpointer, fit_neighbours, on_device


def build(users: int, items: int, ratings: int) -> Part:
    """The rating graph, made by the generator of the demo, and all of its ratings as training pairs."""
    user, item, level = make_ratings(users, items, ratings, seed=1)
    levels = int(level.max()) + 1
    graph = BipartiteGraph.from_ratings(user, item, level, n_users=users, n_items=items, n_levels=levels)
    return Part("train", graph, Pairs(user, item, (level + 1).astype(np.float32)))


def rgcn(part: Part, cap: int, seconds: float) -> dict[str, float]:
    """Subgraphs a second, extracted by one thread and trained on."""
    loader = Loader(LiveSource(part, ExtractConfig(max_nodes_per_hop=cap), seed=1), 50, seed=1, shuffle=True)
    start, first, extracted, edges = time.perf_counter(), 0.0, 0, 0
    for batch in loader.epoch(1):
        if not first:  # the pairs are in random order and the kernels are compiled by now
            first = time.perf_counter()
            continue
        extracted, edges = extracted + len(batch), edges + batch.subgraphs.n_edges
        if time.perf_counter() - first > seconds:
            break
    extract_rate = extracted / (time.perf_counter() - first)
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
    return {
        "first_batch_seconds": first - start,
        "edges_per_subgraph": edges / extracted,
        "extract_per_s_one_thread": extract_rate,
        "train_per_s": train_rate,
    }


def neighbours(part: Part, cap: int) -> dict[str, float]:
    """An epoch of the default length, and what comes before it: statistics and the norms of the inputs."""
    known = KnownRatings(
        part.pairs.user, part.pairs.item, part.pairs.rating, part.graph.n_users, part.graph.n_items, span=4.0
    )
    config = NeighboursConfig(selection="fixed", max_neighbors=cap, epochs=1, estimates="none")
    start, cpu = time.perf_counter(), time.process_time()
    [record] = fit_neighbours(known, None, config, MemoryCheckpointer(), torch.device("cpu"), seed=1)
    return {
        "preparation_seconds": time.perf_counter() - start - record["seconds"],
        "train_seconds": record["seconds"],
        "pairs": round(record["pairs_per_second"] * record["seconds"]),
        "train_per_s": record["pairs_per_second"],
        "cpu_seconds": time.process_time() - cpu,  # of both: two a second if nothing else ran
        "share_of_inputs": record["inputs_seconds"] / record["seconds"],
    }


@click.command()
@click.option("--network", type=click.Choice(["rgcn", "neighbours"]), default="rgcn", show_default=True)
@click.option("--users", default=162_000, show_default=True)
@click.option("--items", default=59_000, show_default=True)
@click.option("--ratings", default=25_000_000, show_default=True)
@click.option("--cap", default=100, show_default=True, help="Users, and items, kept a hop.")
@click.option("--seconds", default=30.0, show_default=True, help="How long to extract, and to train (rgcn).")
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Of ML-1M, to compare with.")
def main(
    network: str, users: int, items: int, ratings: int, cap: int, seconds: float, data_dir: Path | None
) -> None:
    """Measure, print and write results/bench_scale_MILLIONSm_NETWORK.json."""

    def measured(part: Part) -> dict[str, float]:
        found = rgcn(part, cap, seconds) if network == "rgcn" else neighbours(part, cap)
        click.echo(f"live training: {found['train_per_s']:,.0f} pairs/s")
        return found

    small = None if data_dir is None else measure.paper_part("ml_1m", data_dir)
    beside = [measured(small)] if small else []
    start = time.perf_counter()
    part = build(users, items, ratings)
    built = time.perf_counter() - start
    after_build = measure.peak_memory_gib()
    click.echo(f"{part.graph.n_ratings:,} ratings built in {built:.0f} s, peak {after_build:.2f} GiB")
    found = measured(part)
    peak = measure.peak_memory_gib()
    click.echo(f"peak {peak:.2f} GiB")
    beside += [measured(small)] if small else []
    if beside:
        rates = [one["train_per_s"] for one in beside]
        found |= {"ml_1m_train_per_s": rates, "ratio": found["train_per_s"] / statistics.mean(rates)}
        click.echo(f"against ML-1M: {found['ratio']:.2f}")
    measure.save(
        f"bench_scale_{round(ratings / 1e6)}m_{network}",
        {
            "ratings": part.graph.n_ratings,
            "users": users,
            "items": items,
            "cap": cap,
            "build_seconds": built,
            "peak_memory_gib_after_build": after_build,
            **found,
            "peak_memory_gib": peak,
        },
    )


if __name__ == "__main__":
    main()
