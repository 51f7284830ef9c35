"""The report on evaluated models: means over seeds, comparisons, and tables of all that."""

from __future__ import annotations

import csv
import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from igmc.argument_types import checked_types
from igmc.environment import machine, versions
from igmc.errors import ConfigError, MissingExtraError
from igmc.evaluation.metrics import Comparison, paired_test
from igmc.evaluation.model_evaluation import ModelEvaluation
from igmc.evaluation.protocols import make_protocol
from igmc.evaluation.tables import Group, markdown, newcomer_lists, panels, table
from igmc.files import replace_file, writing
from igmc.plots import model_figure, save_figure
from igmc.short_repr import short_repr

__all__ = ["EvaluationReport", "Failure"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """An evaluation that came to nothing, and why."""

    dataset: str
    protocol: str
    seed: int
    label: str
    error: str


@dataclass(frozen=True)
class EvaluationReport:
    """All evaluations, of each model on each split.

    Attributes:
        evaluations: in the order in which they were asked for.
        failures: what could not be evaluated.
        shown: the columns of its tables that were asked for; empty for those of `usual_metrics`.
    """

    __repr__ = short_repr

    def __str__(self) -> str:
        return self.to_markdown()

    evaluations: tuple[ModelEvaluation, ...]
    failures: tuple[Failure, ...] = ()
    machine: str = field(default_factory=machine)
    versions: dict[str, str] = field(default_factory=versions)
    shown: tuple[str, ...] = ()

    def groups(self) -> list[Group]:
        """The evaluations by data set, protocol and model, seeds together; in the order asked for."""
        found: dict[tuple[str, str, str], list[ModelEvaluation]] = {}
        for one in self.evaluations:
            found.setdefault((one.dataset, _protocol(one), one.label), []).append(one)
        return [Group(*key, tuple(sorted(some, key=lambda one: one.seed))) for key, some in found.items()]

    def metrics(self) -> list[str]:
        """All metrics that any evaluation has, in a fixed order."""
        return list(dict.fromkeys(name for one in self.evaluations for name in one.metrics))

    def compare(self, first: str, second: str, metric: str) -> list[tuple[ModelEvaluation, Comparison]]:
        """Paired tests of two models on every split that both were measured on.

        Args:
            first, second: labels of models.
            metric: "rmse", "mae", or one that is measured for each user, such as "ndcg@10".

        Returns:
            the first model's evaluation and the comparison, first less second, for each split; none where one
            of the two has no such metric, as a model that only ranks has no RMSE.

        Raises:
            ConfigError: on a model or metric that is not in the report.
        """
        if metric not in ("rmse", "mae", *(name for one in self.evaluations for name in one.per_user)):
            raise ConfigError(
                "cannot compare models by this metric",
                got=metric,
                allowed="rmse, mae, or one by user: ndcg@10",
            )
        labels = {one.label for one in self.evaluations}
        for label in (first, second):
            if label not in labels:
                raise ConfigError(
                    "this model was not evaluated", got=label, allowed=", ".join(sorted(labels))
                )
        found = []
        for one in self.evaluations:
            for other in self.evaluations:
                if (one.label, other.label) == (first, second) and one.split_digest == other.split_digest:
                    comparison = _compared(one, other, metric)
                    found += [(one, comparison)] if comparison is not None else []
        return found

    def versus(self, label: str, metric: str) -> str:
        """A table of the paired tests of every other model against one, a line a model and split."""
        header = ["model", "split", f"{metric}, less that of {label}", "95 % interval", "p"]
        body = []
        for other in dict.fromkeys(one.label for one in self.evaluations if one.label != label):
            for one, test in self.compare(other, label, metric):
                where = f"{one.dataset}, {_protocol(one)}, seed {one.seed}"
                bounds = f"{test.low:+.4f} .. {test.high:+.4f}"
                body.append([other, where, f"{test.difference:+.4f}", bounds, f"{test.p_value:.4f}"])
        return markdown(header, body)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types only; without the predictions."""
        return {
            "machine": self.machine,
            "versions": self.versions,
            "cells": [one.to_dict() for one in self.evaluations],
            "failures": [vars(failure) for failure in self.failures],
        }

    def to_csv(self) -> str:
        """A line an evaluation: what it is of, the sizes, all metrics, seconds and memory."""
        rows = []
        for one in self.evaluations:
            row = {
                "dataset": one.dataset,
                "protocol": _protocol(one),
                "seed": one.seed,
                "model": one.label,
            }
            row |= {f"{name}_ratings": size for name, size in one.sizes.items()} | dict(one.metrics)
            row |= {f"{name}_seconds": round(value, 3) for name, value in one.seconds.items()}
            rows.append(row | {"peak_bytes": one.peak_bytes, "retrained": one.retrained})
        header = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, header, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue()

    @checked_types
    def to_markdown(self, metrics: str | Sequence[str] | None = None) -> str:
        """A table for each data set and protocol, the best model first.

        A figure is the mean over seeds ± their standard deviation, or with one seed its 95 % interval.

        Args:
            metrics: the columns; if None, those of `shown` that were measured, or of `usual_metrics`.

        Raises:
            ConfigError: on a metric that no evaluation has.
        """
        shown = [name for name in self.shown if name in self.metrics()] or self.usual_metrics()
        if metrics is not None:
            shown = [metrics] if isinstance(metrics, str) else list(metrics)
        for name in shown:
            if name not in self.metrics():
                raise ConfigError("no such metric", got=name, allowed=", ".join(self.metrics()))
        tables = [table(groups, shown) for groups in self._places()]
        lines = [f"- {f.label} on {f.dataset}, {f.protocol}, seed {f.seed}: {f.error}" for f in self.failures]
        if any(one.retrained for one in self.evaluations):
            tables.append("`*` trained again for the support ratings, which it cannot take in as they come.")
        if lines:
            tables.append("Failed:\n\n" + "\n".join(lines))
        return "\n\n".join(tables)

    def newcomers(self) -> str:
        """What each model shows two newcomers of opposite tastes; empty where none was asked."""
        return "\n\n".join(filter(None, (newcomer_lists(groups) for groups in self._places())))

    def save(self, folder: Path) -> None:
        """Write ``report.json``, ``.csv`` and ``.md`` into a folder, and a figure if matplotlib is there.

        The Markdown ends with the lists of `newcomers`.

        Raises:
            IgmcError: if they cannot be written.
        """
        with writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / "report.json", json.dumps(self.to_dict(), indent=1).encode() + b"\n")
        replace_file(folder / "report.csv", self.to_csv().encode())
        text = "\n\n".join(filter(None, (self.to_markdown(), self.newcomers())))
        replace_file(folder / "report.md", text.encode() + b"\n")
        shown = [name for name in self.usual_metrics() if name.startswith(("rmse", "ndcg@"))]
        drawn = [panel for groups in self._places() for panel in panels(groups, shown)]
        if not drawn:
            return
        try:
            save_figure(model_figure(drawn), folder / "report")
        except MissingExtraError as error:
            logger.warning("no report.png: %s", error)

    def _places(self) -> list[list[Group]]:
        """The groups of each data set and protocol."""
        found: dict[tuple[str, str], list[Group]] = {}
        for group in self.groups():
            found.setdefault((group.dataset, group.protocol), []).append(group)
        return list(found.values())

    def usual_metrics(self) -> list[str]:
        """Errors of ratings; recall, precision and NDCG of the longest list; the overlap of opposite lists.

        All as far as they were measured.
        """
        there = self.metrics()
        lengths = sorted({int(name.partition("@")[2]) for name in there if name.startswith("recall@")})
        longest = [f"{name}@{k}" for k in lengths[-1:] for name in ("recall", "precision", "ndcg")]
        usual = ["rmse", "mae", "mean_error", *longest, "opposite_overlap"]
        return [name for name in usual if name in there]


def _protocol(evaluation: ModelEvaluation) -> str:
    return make_protocol(evaluation.protocol["name"], evaluation.protocol["settings"]).label


def _compared(one: ModelEvaluation, other: ModelEvaluation, metric: str) -> Comparison | None:
    if metric in ("rmse", "mae"):
        if not len(one.predicted) or not len(other.predicted):
            return None
        squared = metric == "rmse"
        errors = (np.abs(e.predicted - e.asked_rating, dtype=np.float64) for e in (one, other))
        first, second = (error**2 if squared else error for error in errors)
        return paired_test(first, second, one.asked_user, seed=one.seed, root=squared)
    if metric not in one.per_user or metric not in other.per_user:
        return None
    return paired_test(one.per_user[metric], other.per_user[metric], seed=one.seed)
