"""Compares norms and first weights of IGMC by validation RMSE; writes the result file and the README table.

A short run of each combination under the protocol "validated", seed 1; compared is the best validation
RMSE, never a test figure.

Example: python scripts/compare_choices.py --data-dir ../shared/data --only flixster
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

import igmc
from igmc.config import RunConfig, paper_settings

RESULTS = Path(__file__).parent / "results" / "choices.json"
README = Path(__file__).parents[1] / "README.md"
EPOCHS = {"flixster": 40, "ml_100k": 10}
CHOICES = [(norm, init) for norm in ("none", "degree", "relation") for init in ("uniform", "glorot")]


def render(rows: list[dict]) -> str:
    """A line a combination, a column a data set."""
    found = {(row["norm"], row["init"], row["dataset"]): row for row in rows}
    lines = [
        f"| norm, first weights | {' | '.join(f'{d}, {n} epochs' for d, n in EPOCHS.items())} |",
        f"|---|{'---|' * len(EPOCHS)}",
    ]
    for norm, init in CHOICES:
        cells = [found.get((norm, init, dataset)) for dataset in EPOCHS]
        shown = ["not run" if row is None else f"{row['validation_rmse']:.4f}" for row in cells]
        lines.append(f"| {norm}, {init} | {' | '.join(shown)} |")
    return "\n".join(lines)


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
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    for dataset in only or EPOCHS:
        for norm, init in CHOICES:
            key = {"dataset": dataset, "norm": norm, "init": init, "epochs": EPOCHS[dataset]}
            if (norms and norm not in norms) or any(key.items() <= row.items() for row in rows):
                continue
            values = paper_settings(dataset)
            values["data"] = {"dataset": dataset}
            values["model"] = {**values.get("model", {}), "norm": norm, "init": init}
            values["train"] = {
                **values.get("train", {}),
                "epochs": EPOCHS[dataset],
                "patience": EPOCHS[dataset],
            }
            folder = runs / f"{dataset}-{norm}-{init}"
            report = igmc.train(
                RunConfig.from_dict({**values, "live": True}),
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
            RESULTS.write_text(json.dumps(rows, indent=1) + "\n")
            marks = r"(<!-- table: choices -->\n).*?(<!-- end of table -->)"
            text = README.read_text()
            table = render(rows)
            README.write_text(re.sub(marks, lambda m, t=table: f"{m[1]}{t}\n{m[2]}", text, flags=re.DOTALL))


if __name__ == "__main__":
    main()
