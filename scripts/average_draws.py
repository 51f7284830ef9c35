"""What it is worth that each checkpoint reads a sample of its own, where a cap makes samples of subgraphs.

The test part of a run is scored as the run reports it, and with one sample for all checkpoints.

Example: python scripts/average_draws.py --run runs/ml_100k
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click
import numpy as np
import record
import studies

from igmc.environment import machine, versions
from igmc.evaluation import markdown
from igmc.evaluation.metrics import score
from igmc.graph import make_parts
from igmc.inference import Predictor
from igmc.ratings import Split

WAYS = {"one": "one for all", "own": "one each"}


def measured(run: Path) -> dict:
    """The row of a run: test errors by way of sampling."""
    predictor = Predictor.from_run(run)
    split, known, config = Split.load(run / "split.npz"), predictor.scorer, predictor.config
    test = make_parts(split, config.train.selection)["test"]
    # A checkpoint alone reads the first sample.
    alone = [Predictor.from_run(run, checkpoints=epoch).scorer for epoch in predictor.epochs]
    predicted = {
        way: np.concatenate(
            [one.score(test.graph, test.pairs.user, test.pairs.item) for one in scorers]
        ).mean(axis=0)
        for way, scorers in (("one", alone), ("own", [known]))
    }
    scale = split.scale
    return {
        "dataset": config.data.dataset,
        "seed": config.seed,
        "selection": config.train.selection,
        "cap": config.extract.max_nodes_per_hop,
        "epochs": list(predictor.epochs),
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
def main(runs: tuple[Path, ...]) -> None:
    """Measure each run anew, and write the table."""
    rows = record.read_runs("draws")
    for run in runs:
        rows = studies.merged(rows, [measured(run)], ("dataset", "seed", "selection", "cap"))
        rows.sort(key=lambda row: (row["dataset"], row["seed"]))
        record.write("draws", rows)
        record.put_table("draws", render(rows))
    click.echo(render(rows))


if __name__ == "__main__":
    main()
