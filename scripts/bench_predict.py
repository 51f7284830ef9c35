"""Scoring latency: candidate items for one user, and throughput over a test set.

Example: python scripts/bench_predict.py --data-dir ../shared/data
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import measure
import numpy as np
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.loading.batch import Batch
from igmc.models import fused
from igmc.models.igmc import IGMC


def score_user(model: IGMC, part: Part, config: ExtractConfig, user: int, items: np.ndarray) -> np.ndarray:
    """Predicted ratings of some items for one user, from extraction to numbers."""
    subgraphs = extract_subgraphs(part.graph, np.full(len(items), user), items, config, seed=1)
    with torch.no_grad():
        return model(Batch.from_subgraphs(subgraphs, np.zeros(len(items), np.float32))).numpy()


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder that holds ml-1m.")
@click.option("--users", default=50, show_default=True, help="Users to score, each a request of its own.")
def main(data_dir: Path | None, users: int) -> None:
    """Measure ML-1M, print a table and write results/bench_predict.json."""
    part = measure.paper_part("ml_1m", data_dir)
    model = IGMC(ModelConfig(), n_levels=part.graph.n_levels).eval()
    rng = np.random.default_rng(0)
    rows = []
    for cap, candidates in ((100, 200), (50, 200), (100, 1000), (50, part.graph.n_items)):
        config = ExtractConfig(max_nodes_per_hop=cap)
        seconds = []
        with fused.threads():
            for user in rng.permutation(part.graph.n_users)[: users + 1]:
                items = rng.permutation(part.graph.n_items)[:candidates]
                seconds.append(measure.seconds(partial(score_user, model, part, config, user, items)))
        ms = 1e3 * np.array(seconds[1:])  # the first one warms up
        rows.append(
            {
                "max_nodes_per_hop": cap,
                "candidates": candidates,
                "median_ms": round(float(np.median(ms)), 1),
                "p95_ms": round(float(np.quantile(ms, 0.95)), 1),
                "per_s": round(candidates / float(np.median(ms)) * 1e3),
            }
        )
        click.echo("  ".join(f"{name} {value}" for name, value in rows[-1].items()))
    measure.save("bench_predict", {"requests": rows, "peak_memory_gib": measure.peak_memory_gib()})


if __name__ == "__main__":
    main()
