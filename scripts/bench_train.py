"""Training throughput of the fused kernels against the same network on PyG, in the same process.

Example: python scripts/bench_train.py --data-dir ../shared/data
"""

from __future__ import annotations

from pathlib import Path

import click
import measure
import numpy as np
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.loading import Batch, LiveSource, Loader
from igmc.models import IGMC
from igmc.models.twin import PyGTwin
from igmc.training import on_device

STEPS = 16  # a round: longer than the time for which the threads of the other one go on spinning


def make_step(model: torch.nn.Module, base: IGMC, batches: list[Batch]):
    """A function that makes STEPS training steps, as the training loop does."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
    model.train()

    def steps() -> None:
        for batch in batches[:STEPS]:
            if model is base:
                base.gradients(batch, 0.001)
            else:
                loss = torch.nn.functional.mse_loss(model(batch), batch.rating) + 0.001 * base.arr_penalty()
                optimizer.zero_grad(set_to_none=True)
                loss.backward()
            optimizer.step()

    return steps


def measure_setting(graph_part, extract: ExtractConfig, batch_size: int, rounds: int) -> dict[str, float]:
    """Subgraphs a second of both, their ratio, and the size of the work."""
    loader = Loader(LiveSource(graph_part, extract, seed=1), batch_size, seed=1, shuffle=True)
    batches = [batch for batch, _ in zip(loader.epoch(1), range(STEPS), strict=False)]
    ours = IGMC(ModelConfig(), n_levels=5, hops=extract.hops, backend="fused")
    base = IGMC(ModelConfig(), n_levels=5, hops=extract.hops)
    fused_steps, pyg_steps = make_step(ours, ours, batches), make_step(PyGTwin(base), base, batches)

    def fused_alone() -> None:
        with on_device(torch.device("cpu")):
            fused_steps()

    seconds = measure.interleaved({"fused": fused_alone, "pyg": pyg_steps}, rounds)
    pairs = sum(len(batch) for batch in batches)
    nodes = np.mean([b.subgraphs.n_nodes / len(b) for b in batches])
    edges = np.mean([b.subgraphs.n_edges / len(b) for b in batches])
    # Two full layers: (B + 1) products H x H a node, sums over its edges; backward takes twice that.
    flop = 2 * 3 * (2 * nodes * 5 * 32 * 32 + 2 * 0.8 * edges * 32)
    rate = pairs / seconds["fused"]
    return {
        "max_nodes_per_hop": extract.max_nodes_per_hop,
        "hops": extract.hops,
        "batch_size": batch_size,
        "nodes_per_subgraph": round(float(nodes), 1),
        "edges_per_subgraph": round(float(edges), 1),
        "fused_per_s": round(rate),
        "pyg_per_s": round(pairs / seconds["pyg"], 1),
        "ratio": round(seconds["pyg"] / seconds["fused"], 1),
        "fused_gflops": round(rate * flop / 1e9, 1),
    }


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder that holds ml-100k.")
@click.option("--rounds", default=7, show_default=True, help="Rounds that the medians are taken over.")
def main(data_dir: Path | None, rounds: int) -> None:
    """Measure, print a table and write results/bench_train.json."""
    part = measure.paper_part("ml_100k", data_dir)
    settings = [
        (200, 1, 50),
        (200, 1, 200),
        (100, 1, 50),
        (50, 1, 50),
        (None, 1, 50),
        (20, 2, 50),
    ]
    rows = []
    for cap, hops, batch_size in settings:
        row = measure_setting(part, ExtractConfig(max_nodes_per_hop=cap, hops=hops), batch_size, rounds)
        click.echo("  ".join(f"{name} {value}" for name, value in row.items()))
        rows.append(row)
    found = {"limits": measure.limits(), "settings": rows, "peak_memory_gib": measure.peak_memory_gib()}
    click.echo(found["limits"])
    measure.save("bench_train", found)


if __name__ == "__main__":
    main()
