"""What it is worth to read a rating off several samples of its subgraph, where a cap makes them samples.

A run reports one sample for all its checkpoints. Here its test part is scored too with a sample of its own
for each checkpoint, which cuts more subgraphs but reads no more, and with all samples for all checkpoints.

Example: python scripts/average_draws.py --run runs/ml_100k
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import record
import studies

from igmc.evaluation.metrics import score
from igmc.evaluation.report import machine, versions
from igmc.evaluation.tables import markdown
from igmc.graph.parts import make_parts
from igmc.inference.predictor import Predictor
from igmc.inference.scoring import Scorer
from igmc.ratings.split import Split

WAYS = {"one": "one for all", "own": "one each", "all": "all for all"}


def measured(run: Path, draws: int) -> dict:
    """The row of a run: test errors by way of sampling."""
    predictor = Predictor.from_run(run)
    split, known, config = Split.load(run / "split.npz"), predictor.scorer, predictor.config
    test = make_parts(split, config.train.protocol)["test"]
    scorers = [
        Scorer(known.models, known.extract, seed=known.seed, device=known.device, draw=draw)
        for draw in range(draws)
    ]
    found = np.stack(
        [one.score(test.graph, test.pairs.user, test.pairs.item) for one in scorers]
    )  # [D, M, P]
    models = len(known.models)
    predicted = {
        "one": found[0].mean(axis=0),
        "own": found[np.arange(models) % draws, np.arange(models)].mean(axis=0),
        "all": found.mean(axis=(0, 1)),
    }
    scale = split.scale
    return {
        "dataset": config.data.dataset,
        "seed": config.seed,
        "protocol": config.train.protocol,
        "cap": config.extract.max_nodes_per_hop,
        "epochs": list(predictor.epochs),
        "draws": draws,
        **{
            way: asdict(score(values, test.pairs.rating, scale.low, scale.high))
            for way, values in predicted.items()
        },
        "machine": machine(),
        "versions": versions(),
    }


def render(rows: list[dict]) -> str:
    """A line for each run."""
    body = [
        [r["dataset"], str(r["seed"]), str(r["cap"]), *(f"{r[way]['rmse']:.4f}" for way in WAYS)]
        for r in rows
    ]
    return markdown(["test RMSE, samples of a subgraph", "seed", "cap", *WAYS.values()], body)


@click.command()
@click.option("--run", "runs", multiple=True, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--draws", default=4, show_default=True, type=click.IntRange(1), help="Samples of each subgraph."
)
def main(runs: tuple[Path, ...], draws: int) -> None:
    """Measure each run anew, and write the table."""
    rows = record.read("draws")
    for run in runs:
        rows = studies.merged(rows, [measured(run, draws)], ("dataset", "seed", "protocol", "draws"))
        rows.sort(key=lambda row: (row["dataset"], row["seed"], row["draws"]))
        record.write("draws", rows)
        record.put_table("draws", render(rows))
    click.echo(render(rows))


if __name__ == "__main__":
    main()
