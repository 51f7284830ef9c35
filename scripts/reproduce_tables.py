"""Runs the published protocol with either network, and writes the result file and the tables.

Every run is resumed where it stopped, and what the result file holds under the same settings is not run
again, so the script can be ended and started at any time, on another machine too. To run a row anew,
delete it.

Example: python scripts/reproduce_tables.py --data-dir ../shared/data --network neighbours --only flixster
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from statistics import mean, stdev
from typing import Any

import click
import record

import igmc
from igmc.config import PAPER_DATASETS, SELECTIONS, RunConfig, run_config
from igmc.evaluation import evaluate, markdown

SEEDS = {"yahoo_music": 5, "flixster": 5, "ml_100k": 3, "douban": 5, "ml_1m": 1}  # the quickest first
# What is read besides ratings, dates and side features: rows apart, as published figures here read neither.
INPUTS = {("ml_100k", "u1"): (("none", False), ("past", False), ("both", False), ("both", True))}
FOLDS = ("u1", "u2", "u3", "u4", "u5")  # of ml_100k; whatever was chosen was chosen on u1
PUBLISHED = {  # Zhang & Chen, ICLR 2020: checkpoint ensembles
    "ml_100k": 0.905,
    "ml_1m": 0.857,
    "flixster": 0.872,
    "douban": 0.721,
    "yahoo_music": 19.1,
}
BEST = {  # the best published figure without side information, as ../shared/ANCHORS.md has it
    ("ml_100k", "u1"): "0.8868",
    ("ml_1m", "default"): "0.8227",
    ("flixster", "default"): "0.868",
    ("douban", "default"): "0.7208",
    ("yahoo_music", "default"): "18.70",
}


def settings(job: dict[str, Any]) -> RunConfig:
    """The data set's settings, with the selection of checkpoints and the inputs of the row."""
    network, selection = job["network"], {"selection": job["selection"]}
    own = (
        {"train": selection, "live": True}
        if network == "rgcn"
        else {"neighbours": selection | {"dates": job["dates"], "side_features": job["features"]}}
    )
    chosen = {"network": network, "data": {"split": job["split"]}, "seed": job["seed"]}
    return run_config(job["dataset"], chosen | own)


def folder(job: dict[str, Any]) -> str:
    """The name of a run's folder."""
    if job["network"] == "rgcn":  # as earlier versions named them
        return f"{job['dataset']}-{settings(job).train.identity()['protocol']}-{job['seed']}"
    names = [job[name] for name in ("dataset", "split", "network", "selection", "seed")]
    return "-".join(map(str, [*names, settings(job).digest()[:8]]))


def holds(row: dict[str, Any], **job: Any) -> bool:
    """Whether a row of the result file is a job, or one of those that share these values, however set."""
    data = row["config"]["data"]
    there = row | {"network": row.get("network", "rgcn"), "dataset": data["dataset"], "split": data["split"]}
    there |= dict(zip(("dates", "features"), inputs_of(row), strict=True))
    return job.items() <= there.items()


def inputs_of(row: dict[str, Any]) -> tuple[str, bool]:
    """The dates that a row of the result file read, and whether it read side features."""
    own = row["config"].get("neighbours", {"dates": "none"})
    return own["dates"], own.get("side_features", False)


def jobs(networks: tuple[str, ...], selections: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """All rows: the paper's network with both selections; ours with fixed epochs, as others' figures are."""
    if "rgcn" in networks:
        for selection in selections:
            for dataset, seeds in SEEDS.items():
                for seed in range(1, seeds + 1):
                    yield row("rgcn", dataset, "default", selection, seed)
    if "neighbours" in networks and "fixed" in selections:
        for dataset, split, *inputs in sorted(
            neighbours_lines(), key=lambda line: list(SEEDS).index(line[0])
        ):
            seeds = 3 if dataset == "ml_1m" else SEEDS[dataset]
            for seed in range(1, (seeds if split in ("u1", "default") else 1) + 1):
                yield row("neighbours", dataset, split, "fixed", seed, *inputs)


def row(
    network: str,
    dataset: str,
    split: str,
    selection: str,
    seed: int,
    dates: str = "none",
    features: bool = False,
) -> dict[str, Any]:
    """What tells one row of the result file from the others."""
    return {
        "network": network,
        "dataset": dataset,
        "split": split,
        "selection": selection,
        "seed": seed,
        "dates": dates,
        "features": features,
    }


def order(row: dict) -> tuple:
    """The place of a row in the result file."""
    names = row.get("network", "rgcn"), row["dataset"], row["split"], row["selection"]
    return *names, *inputs_of(row), row["seed"]


def rgcn_table(rows: list[dict]) -> str:
    """The paper's network: mean and standard deviation over the seeds that are done."""
    body = []
    for dataset, figure in PUBLISHED.items():
        here = [r for r in rows if r.get("network", "rgcn") == "rgcn" and r["dataset"] == dataset]
        fixed, chosen = ([r for r in here if r["selection"] == one] for one in SELECTIONS)
        if fixed:
            line = [dataset, str(figure), spread([r["ensemble"]["rmse"] for r in fixed])]
            line += [spread([r["single"]["rmse"] for r in fixed]), str(len(fixed)), str(fixed[0]["epochs"])]
            body.append([*line, spread([r["ensemble"]["rmse"] for r in chosen]), str(len(chosen))])
    head = ["data set", "paper", "ours, ensemble", "ours, last epoch alone", "seeds", "epochs"]
    return markdown([*head, "validation: ensemble", "seeds"], body)


def neighbours_table(rows: list[dict], rivals: list[dict]) -> str:
    """Ours beside the best published figure, the paper's network and `svdpp`; clipped to the scale."""
    body = []
    for dataset, split, dates, features in neighbours_lines():
        here = {"dataset": dataset, "selection": "fixed"}
        read = {"dates": dates, "features": features}
        own = [r for r in rows if holds(r, network="neighbours", split=split, **read, **here)]
        if not own:
            continue
        name = dataset if split == "default" else f"{dataset} {split}"
        if dates == "none":
            first = split in ("u1", "default")
            igmc_rows = [r for r in rows if first and holds(r, network="rgcn", split="default", **here)]
            svdpp = [r["metrics"]["rmse_clipped"] for r in rivals if of_split(r, dataset, split)]
            line = [name, BEST.get((dataset, split), "-")]
            line += [spread([r["ensemble"]["rmse_clipped"] for r in igmc_rows]) if igmc_rows else "-"]
            line.append(spread(svdpp))
        else:  # no rival reads dates
            line = [f"{name}, dates: {dates}{', side features' if features else ''}", "-", "-", "-"]
        line += [spread([r["ensemble"]["rmse_clipped"] for r in own]), str(len(own))]
        body.append([*line, f"{mean(r['seconds'] for r in own):.0f} s"])
    head = ["data set", "best published", "IGMC", "svdpp", "neighbours", "seeds", "training"]
    return markdown(head, body)


def neighbours_lines() -> Iterator[tuple[str, str, str, bool]]:
    """Data set, split, dates and side features of each line, in the table's order."""
    for dataset in PAPER_DATASETS:
        for split in FOLDS if dataset == "ml_100k" else ("default",):
            for dates, features in INPUTS.get((dataset, split), (("none", False),)):
                yield dataset, split, dates, features


def of_split(row: dict, dataset: str, split: str) -> bool:
    """Whether a cell of the harness is of a data set's official split."""
    there = row["protocol"]["settings"].get("split", "default")
    same = there == split or (there == "default" and split in ("u1", "default"))
    return (row["label"], row["dataset"], row["protocol"]["name"]) == ("svdpp", dataset, "official") and same


def spread(values: list[float]) -> str:
    """Mean, and standard deviation where there are several."""
    if not values:
        return "not run"
    return f"{mean(values):.4f}" + (f" ± {stdev(values):.4f}" if len(values) > 1 else "")


def rivals(data_dir: Path | None, runs: Path) -> list[dict]:
    """`svdpp` of the harness on u2..u5; on the other splits `reproduce_baselines.py` has it."""
    protocols = [f"official:split={split}" for split in FOLDS[1:]]
    report = evaluate(
        ["svdpp"], ["ml_100k"], protocols=protocols, data_dir=data_dir, out=runs, rankings=False
    )
    return [row | {"machine": report.machine} for row in report.to_dict()["cells"]]


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data.")
@click.option("--runs", type=click.Path(path_type=Path), default=Path("runs/tables"), show_default=True)
@click.option("--network", "networks", multiple=True, type=click.Choice(["rgcn", "neighbours"]))
@click.option(
    "--only", multiple=True, type=click.Choice(list(SEEDS)), help="These data sets; all if not given."
)
@click.option("--selection", "selections", multiple=True, type=click.Choice(SELECTIONS))
@click.option("--seeds", type=int, help="So many seeds instead of the default number.")
@click.option("--workers", type=int, help="Threads; all cores if not given.")
def main(
    data_dir: Path | None,
    runs: Path,
    networks: tuple[str, ...],
    only: tuple[str, ...],
    selections: tuple[str, ...],
    seeds: int | None,
    workers: int | None,
) -> None:
    """Run what is missing, and write the tables after each run."""
    rows = record.read_runs("tables")
    for job in jobs(networks or ("rgcn", "neighbours"), selections or SELECTIONS):
        if (only and job["dataset"] not in only) or (seeds and job["seed"] > seeds):
            continue
        config = settings(job)
        if any(holds(r, **job) and RunConfig.from_dict(r["config"]) == config for r in rows):
            continue
        report = igmc.train(
            config, data_dir=data_dir, out=runs / folder(job), workers=workers, progress=False
        )
        click.echo(f"{job}\n{report.format()}\n")
        found = report.to_dict()
        del found["folder"]  # of this machine only
        rows = [r for r in rows if not holds(r, **job)]
        rows.append(found | {"dataset": job["dataset"], "config": config.to_dict()})
        rows.sort(key=order)
        record.write("tables", rows)
        render(rows)
    if not networks or "neighbours" in networks:
        if not only or "ml_100k" in only:
            record.write("tables_rivals", rivals(data_dir, runs / "rivals"))
        render(rows)


def render(rows: list[dict]) -> None:
    """Both tables, between their marks in docs/results.md."""
    harness = record.read("tables_rivals") + record.read("baselines")
    record.put_table("reproduce_tables", rgcn_table(rows))
    record.put_table("reproduce_tables, neighbours", neighbours_table(rows, harness))


if __name__ == "__main__":
    main()
