"""Extraction throughput: in memory on all cores, into the store, and against cap and hops.

Example: python scripts/bench_extract.py --data-dir ../shared/data
"""

from __future__ import annotations

import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import measure
import numpy as np

import igmc
from igmc.config import ExtractConfig
from igmc.graph import Part, extract_subgraphs, reference_subgraphs

BLOCK = 250  # pairs a task
OFFICIAL_PER_S = 970  # official code, 2 processes, arrays only; see docs/benchmarks.md


def in_memory(part: Part, config: ExtractConfig, pairs: int, threads: int, rounds: int) -> dict[str, float]:
    """Subgraphs a second on some threads, edges and labels included, and their mean size."""
    rows = np.random.default_rng(0).permutation(len(part.pairs))[:pairs]
    blocks = np.array_split(rows, max(1, len(rows) // BLOCK))

    def cut(block: np.ndarray) -> tuple[int, int]:
        subgraphs = extract_subgraphs(
            part.graph, part.pairs.user[block], part.pairs.item[block], config, seed=1
        )
        return subgraphs.n_nodes, subgraphs.n_edges

    with ThreadPoolExecutor(threads) as pool:
        seconds = measure.median_seconds(lambda: list(pool.map(cut, blocks)), rounds)
        sizes = np.sum(list(pool.map(cut, blocks)), axis=0) / len(rows)
    return {
        "max_nodes_per_hop": config.max_nodes_per_hop,
        "hops": config.hops,
        "threads": threads,
        "nodes_per_subgraph": round(float(sizes[0]), 1),
        "edges_per_subgraph": round(float(sizes[1]), 1),
        "per_s": round(len(rows) / seconds),
    }


def into_store(
    part: Part, config: ExtractConfig, workers: int, compress: bool, rounds: int
) -> dict[str, float]:
    """Pairs a second of a whole extraction, process start and fsync included; the median round."""
    rates, size = [], 0
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="igmc-bench-") as folder:
            report = igmc.extract_store(
                part, config, seed=1, folder=folder, workers=workers, compress=compress, progress=False
            )
            rates.append(report.pairs_made / report.seconds)
            size = report.bytes
    return {
        "workers": workers,
        "compress": compress,
        "per_s": round(float(np.median(rates))),
        "bytes_per_pair": round(size / len(part.pairs)),
    }


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder that holds ml-100k.")
@click.option("--rounds", default=5, show_default=True, help="Rounds that the medians are taken over.")
def main(data_dir: Path | None, rounds: int) -> None:
    """Measure, print tables and write results/bench_extract.json."""
    part = measure.paper_part("ml_100k", data_dir)
    cores = len(os.sched_getaffinity(0))
    paper = ExtractConfig(max_nodes_per_hop=200)
    memory = [in_memory(part, paper, 20_000, threads, rounds) for threads in sorted({1, cores})]
    memory += [
        in_memory(part, ExtractConfig(max_nodes_per_hop=cap, hops=hops), 2_000, cores, rounds)
        for cap, hops in ((None, 1), (100, 1), (50, 1), (20, 1), (50, 2), (20, 2), (20, 3))
    ]
    for row in memory:
        click.echo("  ".join(f"{name} {value}" for name, value in row.items()))
    few = part.pairs.user[:50], part.pairs.item[:50]
    seconds = measure.interleaved(
        {
            "kernel": lambda: extract_subgraphs(part.graph, *few, paper, seed=1),
            "reference": lambda: reference_subgraphs(part.graph, *few, paper, seed=1),
        },
        rounds,
    )
    click.echo(f"kernel against plain Python: {seconds['reference'] / seconds['kernel']:.0f} times as fast")
    stores = [
        into_store(part, paper, workers, compress, rounds)
        for workers, compress in ((1, False), (2, False), (2, True))
    ]
    for row in stores:
        click.echo("  ".join(f"{name} {value}" for name, value in row.items()))
    measure.save(
        "bench_extract",
        {
            "limits": measure.limits(),
            "in_memory": memory,
            "into_store": stores,
            "kernel_to_reference": seconds["reference"] / seconds["kernel"],
            "official_per_s": OFFICIAL_PER_S,
            "peak_memory_gib": measure.peak_memory_gib(),
        },
    )


if __name__ == "__main__":
    main()
