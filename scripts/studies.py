"""What the studies share: rows of a result file, their table in docs/results.md, and the figure beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import record

from igmc.cli.logs import start_logging
from igmc.evaluation import EvaluationReport, evaluate, markdown
from igmc.evaluation.metrics import paired_test
from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.plots import Curve, CurvePanel, curve_figure, save_figure


def options(folder: str, epochs: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The options that each study has: data_dir, runs, datasets, epochs and rivals_only."""
    shared = [
        click.option("--data-dir", type=click.Path(path_type=Path, exists=True), help="Folder of raw data."),
        click.option(
            "--runs",
            type=click.Path(path_type=Path),
            default=Path("runs") / folder,
            show_default=True,
            help="Where trained models and finished evaluations are kept.",
        ),
        click.option("--dataset", "datasets", multiple=True, default=("ml_100k", "ml_1m"), show_default=True),
        click.option("--epochs", default=epochs, show_default=True, help="Of IGMC, at most."),
        click.option("--rivals-only", is_flag=True, help="Leave IGMC out, which takes long."),
    ]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed(shared):
            command = option(command)
        return command

    return decorate


cap_option = click.option(
    "--cap", default=50, show_default=True, help="Nodes per hop and side of IGMC's subgraphs."
)


def igmc_models(epochs: int, cap: int, share: float = 0.5, side: str = "user") -> list[str]:
    """IGMC as it is, and trained with support dropout; the rate decays after two thirds of the epochs.

    Nothing stops before, since validation errors jump about until then.
    """
    steps = f"train.epochs={epochs},train.decay_every={max(1, 2 * epochs // 3)},train.patience={epochs}"
    settings = f"extract.max_nodes_per_hop={cap},{steps}"
    dropout = f"train.support_dropout={share}"
    if side == "user":
        return [f"igmc:{settings}", f"igmc, support dropout=igmc:{settings},{dropout}"]
    label = f"igmc, support dropout ({side})"
    return [f"igmc:{settings}", f"{label}=igmc:{settings},{dropout},train.support_dropout_side={side}"]


def run(
    jobs: Iterable[tuple[str, list[str]]],
    models: Sequence[str],
    runs: Path,
    found: list[dict[str, Any]],
    write: Callable[[list[dict[str, Any]]], None],
    show: Sequence[str],
    **choices: Any,
) -> None:
    """Evaluate the models on each data set and its protocols; after each, write all rows found so far.

    What is done is kept under ``runs/<data set>`` and not run again. `choices` go to `evaluate`; the metrics
    in `show` are printed.
    """
    start_logging(verbose=False, quiet=False)
    for dataset, protocols in jobs:
        report = evaluate(
            models, [dataset], protocols=protocols, rankings=False, out=runs / dataset, **choices
        )
        found = merged(found, rows(report))
        write(found)
        click.echo(report.to_markdown(show))


def rows(report: EvaluationReport) -> list[dict[str, Any]]:
    """A row for each evaluation, without what only the evaluation itself needs."""
    kept = ("dataset", "seed", "protocol", "split_digest", "label", "model", "settings", "retrained")
    kept += ("sizes", "metrics", "intervals", "seconds")
    found = []
    for evaluation in report.evaluations:
        values = evaluation.to_dict()
        found.append({name: values[name] for name in kept})
        found[-1] |= {"machine": report.machine, "versions": report.versions}
    return found


def squared_errors(evaluations: Iterable[ModelEvaluation], label: str) -> tuple[np.ndarray, np.ndarray]:
    """Squared error and user of each pair of a model, over all seeds; users keep their number."""
    errors, users = [], []
    for one in evaluations:
        if one.label == label:
            errors.append((one.predicted - one.asked_rating) ** 2)
            users.append(one.asked_user)
    return np.concatenate(errors), np.concatenate(users)


def pooled(
    evaluations: Sequence[ModelEvaluation], labels: Iterable[str], ours: str, row: dict[str, Any]
) -> list[dict[str, Any]]:
    """`row` for each model, with its RMSE over the pairs of all seeds, and ours less it with its interval."""
    errors, users = squared_errors(evaluations, ours)
    found = []
    for label in labels:
        own = [one for one in evaluations if one.label == label]
        theirs, _ = squared_errors(own, label)
        measured = {"label": label, "seeds": sorted({one.seed for one in own}), "pairs": len(theirs)}
        measured |= {"rmse": float(theirs.mean() ** 0.5)}
        if label != ours:
            test = paired_test(errors, theirs, users, seed=1, root=True)
            measured |= {"difference": test.difference, "low": test.low, "high": test.high}
        found.append(row | measured | {"settings": own[0].settings})
    return found


def merged(
    old: list[dict[str, Any]], new: list[dict[str, Any]], key: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """All rows, new ones in place of old ones that are equal in the key."""
    names = key or ("dataset", "protocol", "seed", "label")
    for row in new:
        old = [other for other in old if any(other[name] != row[name] for name in names)]
        old.append(row)
    return old


def save(name: str, found: list[dict[str, Any]], table: str, panels: list[CurvePanel]) -> None:
    """Write the result file, the figure, and the table of docs/results.md, if the page has its marks."""
    record.write(name, found)
    if panels:
        save_figure(curve_figure(panels), record.RESULTS / name)
    record.put_table(name, table)


def by_step(found: list[dict[str, Any]], setting: str, steps: Sequence[float], metric: str) -> dict[str, Any]:
    """By label, then by step number, the row that was measured by a metric."""
    table: dict[str, dict[int, dict[str, Any]]] = {}
    for row in found:
        value = row["protocol"]["settings"][setting]
        if value in steps and metric in row["metrics"]:
            table.setdefault(row["label"], {})[list(steps).index(value)] = row
    return table


def step_table(head: str, found: dict[str, Any], steps: Sequence[str], metric: str) -> str:
    """A line a model, a column a step: the figure with its 95 % interval; the best of each column in bold."""
    best_of = min if metric == "rmse" else max
    best = {
        at: best_of(
            (measured[at]["metrics"][metric] for measured in found.values() if at in measured), default=None
        )
        for at in range(len(steps))
    }
    body = []
    for label, measured in found.items():
        line = [f"{label}{trained(measured.values())}"]
        for at in range(len(steps)):
            if at not in measured:
                line.append("not run")
                continue
            value, (low, high) = measured[at]["metrics"][metric], measured[at]["intervals"][metric]
            shown = f"**{value:.4f}**" if value == best[at] else f"{value:.4f}"
            line.append(f"{shown} [{low:.3f}, {high:.3f}]")
        body.append(line)
    return markdown([head, *steps], body)


def trained(rows: Iterable[dict[str, Any]]) -> str:
    """How a model that is trained by epochs was trained, in brackets: of refitted ones, what they chose."""
    found = [row for row in rows if row["model"] == "igmc"]
    if not found:
        return ""
    epochs = sorted({row["settings"]["train"]["epochs"] for row in found})
    span = " to ".join(map(str, dict.fromkeys((epochs[0], epochs[-1]))))
    bound = "" if found[0]["protocol"]["settings"]["refit"] else "at most "
    return f" ({bound}{span} epochs, cap {found[0]['settings']['extract']['max_nodes_per_hop']})"


def step_panel(
    title: str, given: str, found: dict[str, Any], steps: Sequence[str], metric: str
) -> CurvePanel:
    """The same as a panel of a figure."""
    curves = []
    for label, measured in found.items():
        at = sorted(measured)
        bounds = [measured[k]["intervals"][metric] for k in at]
        values = [measured[k]["metrics"][metric] for k in at]
        curves.append(Curve(label, at, values, [b[0] for b in bounds], [b[1] for b in bounds]))
    return CurvePanel(title, given, f"{metric.upper()} (lower is better, 95 % interval)", steps, curves)
