"""How extraction and the building of a graph grow: 50 million users, and an item with a million raters.

Example: python scripts/bench_growth.py
"""

from __future__ import annotations

import time
import tracemalloc

import click
import measure
import numpy as np

from igmc.config import ExtractConfig
from igmc.graph import BipartiteGraph, extract_subgraphs

CALLS = 200


def build(users: int, items: int, ratings: int, hub: int) -> tuple[BipartiteGraph, dict[str, float]]:
    """A graph of pairs drawn at random, and so many raters of item 0; what it took to build."""
    rng = np.random.default_rng(1)
    raters = np.linspace(0, users - 1, hub).astype(np.int64)
    pairs = np.unique(rng.integers(users * items, size=ratings))
    pairs = np.unique(np.concatenate([pairs, raters * items]))
    user, item = (pairs // items).astype(np.int32), (pairs % items).astype(np.int32)
    level = rng.integers(5, size=len(pairs)).astype(np.uint8)
    del pairs
    start = time.perf_counter()
    tracemalloc.start()
    graph = BipartiteGraph.from_ratings(user, item, level, n_users=users, n_items=items, n_levels=5)
    peak = tracemalloc.get_traced_memory()[1] - graph.user_ptr.nbytes - graph.item_ptr.nbytes
    tracemalloc.stop()
    seconds = time.perf_counter() - start
    return graph, {"build_seconds": seconds, "build_bytes_per_rating": peak / len(user)}


def milliseconds(graph: BipartiteGraph, user: np.ndarray, item: np.ndarray, cap: int) -> tuple[float, float]:
    """The median time of a call after the first, and the shortest, which other work disturbed least."""
    config, times = ExtractConfig(max_nodes_per_hop=cap), []
    for call in range(CALLS + 1):
        start = time.perf_counter()
        extract_subgraphs(graph, user, item, config, seed=1, epoch=call)
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times[1:])), 1000 * min(times[1:])


@click.command()
@click.option("--users", default=50_000_000, show_default=True)
@click.option("--items", default=100_000, show_default=True)
@click.option("--ratings", default=20_000_000, show_default=True)
@click.option("--hub", default=1_000_000, show_default=True, help="Raters of one item.")
@click.option("--cap", default=100, show_default=True, help="Users, and items, kept a hop.")
def main(users: int, items: int, ratings: int, hub: int, cap: int) -> None:
    """Measure, print and write results/bench_growth.json."""
    graph, built = build(users, items, ratings, hub)
    click.echo(
        f"{graph.n_ratings:,} ratings: {built['build_bytes_per_rating']:.1f} bytes each above the input"
    )
    rng = np.random.default_rng(2)
    rated = np.flatnonzero(rng.random(graph.n_ratings) < 1e-4)[:50]
    user = np.searchsorted(graph.user_ptr, rated, side="right") - 1
    call = milliseconds(graph, user, graph.user_items[rated], cap)
    hub_call = milliseconds(graph, user[:10], np.zeros(10, np.int32), cap)
    click.echo(
        f"50 pairs {call[0]:.3f} ms, at best {call[1]:.3f}; a pair of the hub {hub_call[0] / 10:.4f} ms"
    )
    measure.save(
        "bench_growth",
        {
            "users": users,
            "items": items,
            "ratings": graph.n_ratings,
            "hub": hub,
            "cap": cap,
            **built,
            "ms_50_pairs": call[0],
            "ms_50_pairs_best": call[1],
            "ms_pair_of_hub": hub_call[0] / 10,
            "ms_pair_of_hub_best": hub_call[1] / 10,
        },
    )


if __name__ == "__main__":
    main()
