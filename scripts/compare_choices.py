"""Compares norms and first weights of IGMC by validation RMSE; writes the result file and its table.

A short run of each combination with selection on validation, seed 1; compared is the best validation RMSE,
never a test figure.

Example: python scripts/compare_choices.py --data-dir ../shared/data --only flixster
"""

from __future__ import annotations

import json
from pathlib import Path

import click
import record

import igmc
from igmc.config import run_config
from igmc.evaluation import markdown

EPOCHS = {"flixster": 40, "ml_100k": 10}
CHOICES = [(norm, init) for norm in ("none", "degree", "relation") for init in ("uniform", "glorot")]


def render(rows: list[dict]) -> str:
    """A line a combination, a column a data set."""
    found = {(row["norm"], row["init"], row["dataset"]): row for row in rows}
    body = []
    for norm, init in CHOICES:
        here = [found.get((norm, init, dataset)) for dataset in EPOCHS]
        shown = ["not run" if row is None else f"{row['validation_rmse']:.4f}" for row in here]
        body.append([f"{norm}, {init}", *shown])
    return markdown(["norm, first weights", *(f"{d}, {n} epochs" for d, n in EPOCHS.items())], body)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/choices"), show_default=True)
@click.option(
    "--only", multiple=True, type=click.Choice(list(EPOCHS)), help="These data sets; all if not given."
)
@click.option("--norm", "norms", multiple=True, help="These norms; all if not given.")
@click.option("--workers", type=int, help="Threads; all cores if not given.")
def main(
    data_dir: Path | None, runs: Path, only: tuple[str, ...], norms: tuple[str, ...], workers: int | None
) -> None:
    """Run what is missing, and write the table after each run."""
    rows = record.read("choices")
    for dataset in only or EPOCHS:
        for norm, init in CHOICES:
            key = {"dataset": dataset, "norm": norm, "init": init, "epochs": EPOCHS[dataset]}
            if (norms and norm not in norms) or any(key.items() <= row.items() for row in rows):
                continue
            train = {"epochs": EPOCHS[dataset], "patience": EPOCHS[dataset]}
            model = {"norm": norm, "init": init}
            chosen = {"network": "rgcn", "model": model, "train": train, "live": True}
            folder = runs / f"{dataset}-{norm}-{init}"
            report = igmc.train(
                run_config(dataset, chosen),
                data_dir=data_dir,
                out=folder,
                workers=workers,
                progress=False,
            )
            history = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
            rows.append(
                {
                    **key,
                    "seed": 1,
                    "validation_rmse": report.validation_rmse,
                    "best_epoch": report.single_epoch,
                    "history": [{k: r[k] for k in ("epoch", "mse", "validation_rmse")} for r in history],
                    "machine": report.machine,
                    "versions": report.versions,
                }
            )
            click.echo(f"{key} {report.validation_rmse:.4f}")
            record.write("choices", rows)
            record.put_table("choices", render(rows))


if __name__ == "__main__":
    main()
