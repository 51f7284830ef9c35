"""Training throughput of both networks, against the same in PyG and in plain PyTorch, in one process.

Example: python scripts/bench_train.py --data-dir ../shared/data
"""

from __future__ import annotations

from pathlib import Path

import click
import measure
import numpy as np
import torch

from igmc.config import ExtractConfig, ModelConfig, NeighboursConfig
from igmc.graph import Part
from igmc.loading import Batch, CrossFit, LiveSource, Loader, NeighbourLoader, Probe
from igmc.models import IGMC, NeighboursEnsemble
from igmc.models.twin import PyGTwin
from igmc.networks.neighbours import known_ratings
from igmc.ratings import RatingScale
from igmc.training import on_device

NEIGHBOUR_PAIRS = 20_000  # a round of the neighbours network
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


def measure_neighbours(part: Part, scale: RatingScale, cap: int, rounds: int) -> dict[str, float]:
    """Pairs a second of the neighbours network, one member, with statistics and inputs, and in plain PyTorch.

    The PyG network is IGMC at cap 200, one hop, batches of 50 that are made beforehand.
    """
    known, config = known_ratings(part.graph, scale), NeighboursConfig()
    folds = CrossFit(known, newcomers=config.newcomers, pairs=NEIGHBOUR_PAIRS, seed=1)
    norms = Probe.norms(folds, cap=cap)
    loader = NeighbourLoader(folds, norms, cap=cap, batch_size=config.batch_size, seed=1)

    def epoch(backend: str):
        model = NeighboursEnsemble(1, dropout=config.dropout, seed=1, backend=backend)
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)

        def steps() -> None:
            with on_device(torch.device("cpu")):
                for one in loader.epoch(1):
                    model.gradients(one)
                    optimizer.step()

        return steps

    extract = ExtractConfig(max_nodes_per_hop=200)
    subgraphs = Loader(LiveSource(part, extract, seed=1), 50, seed=1).epoch(1)
    batches = [one for one, _ in zip(subgraphs, range(STEPS), strict=False)]
    base = IGMC(ModelConfig(), n_levels=len(scale), hops=1)
    seconds = measure.interleaved(
        {"fused": epoch("auto"), "torch": epoch("torch"), "pyg": make_step(PyGTwin(base), base, batches)},
        rounds,
    )
    pairs = sum(len(one) for one in loader.epoch(1))
    rates = {"fused": pairs / seconds["fused"], "torch": pairs / seconds["torch"]}
    rates["pyg_igmc"] = sum(map(len, batches)) / seconds["pyg"]
    return {
        "network": "neighbours",
        "max_neighbors": cap,
        "batch_size": config.batch_size,
        **{f"{name}_per_s": round(rate) for name, rate in rates.items()},
        "ratio_to_torch": round(rates["fused"] / rates["torch"], 1),
        "ratio_to_pyg_igmc": round(rates["fused"] / rates["pyg_igmc"], 1),
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
    for cap in (50, 100, 200):
        row = measure_neighbours(part, measure.paper_split("ml_100k", data_dir).scale, cap, rounds)
        click.echo("  ".join(f"{name} {value}" for name, value in row.items()))
        rows.append(row)
    found = {"limits": measure.limits(), "settings": rows, "peak_memory_gib": measure.peak_memory_gib()}
    click.echo(found["limits"])
    measure.save("bench_train", found)


if __name__ == "__main__":
    main()
