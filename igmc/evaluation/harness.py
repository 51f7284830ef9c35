"""Any number of models on any number of data sets, protocols and seeds, to one report."""

from __future__ import annotations

import hashlib
import itertools
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from igmc import __version__
from igmc.argument_types import checked_types
from igmc.checked_json import dump_checked, load_checked
from igmc.errors import ConfigError, IgmcError, WriteError
from igmc.evaluation.fitted_models import FittedModels
from igmc.evaluation.model_evaluation import ModelEvaluation, evaluate_model
from igmc.evaluation.model_spec import ModelLike, ModelSpec
from igmc.evaluation.protocols import Protocol, make_protocol
from igmc.evaluation.report import EvaluationReport, Failure
from igmc.evaluation.validation import check_metrics
from igmc.files import replace_file, replacing, sweep_shared, writing
from igmc.progress import working_on
from igmc.ratings import DataLike, Dataset, Split, load_dataset
from igmc.tracking import Callback, TrackedTraining, callbacks_for

__all__ = ["evaluate", "several"]

logger = logging.getLogger(__name__)

KS = (5, 10, 20)
# Part of a stored evaluation's name: to be raised when metrics come to mean something else. What was stored
# before a metric was there goes without it, as a model does that has none.
MEASURES = 2


@checked_types
def evaluate(
    models: ModelLike | Sequence[ModelLike],
    datasets: DataLike | Sequence[DataLike],
    *,
    protocols: Protocol | str | Sequence[Protocol | str] = ("random_80_20",),
    seeds: int | Sequence[int] = (1,),
    ks: int | Sequence[int] = KS,
    rankings: bool = True,
    metrics: str | Sequence[str] | None = None,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    track: str | Path | Sequence[str | Path] | None = None,
    callbacks: Sequence[Callback] = (),
) -> EvaluationReport:
    """Fit and measure every model on every split, through the same code.

    Of models, data sets, protocols, seeds and lengths there may be one, or a list of them.

    Args:
        models: names of recommenders, with settings if wanted: see `ModelSpec.parse`; or those of
            `igmc.recommenders`, fitted or not, whose settings are taken.
        datasets: names, paths, DataFrames, ...: whatever `igmc.ratings.load.load_dataset` takes.
        protocols: how to split: names with settings, see `igmc.evaluation.protocols.registry.make_protocol`.
        seeds: of split and model.
        ks: lengths of ranked lists.
        rankings: measure full rankings where the protocol allows it. They ask a score of every item for every
            user, which a graph network takes hours for; without them its ratings are measured in minutes.
        metrics: what the tables of the report show; checked before anything is fitted. Everything is
            measured, and there for other tables: see `EvaluationReport.to_markdown`.
        data_dir, home: where raw data are; see `load_dataset`.
        out: folder for the report and for each evaluation as it is done. What is there already is not run
            again, so that a call that was interrupted resumes where it stopped, and models that took long to
            train are kept for other questions. Nothing is written if None.
        track: where to log all trainings: a folder for TensorBoard, "wandb:PROJECT", "mlflow:URI", or a list.
        callbacks: of your own, see `igmc.tracking.Callback`; called after those of `track`.

    Returns:
        the report. A model that fails on a split is in its `failures`, and the others go on.

    Raises:
        ConfigError: on an unknown name or setting, something that is no model or data set, or without models,
            data sets, protocols or seeds.
        DataError: if a data set cannot be read or split.
        IgmcError: if a folder cannot be written.
        MissingExtraError: without the library that `track` needs.
    """
    asked = [ModelSpec.of(model) for model in several(models)]
    ways = list({way.label: way for way in map(make_protocol, several(protocols))}.values())
    sources, seeds, ks = several(datasets), list(dict.fromkeys(several(seeds))), several(ks)
    given = {"model": asked, "data set": sources, "protocol": ways, "seed": seeds, "list length": ks}
    shown = [] if metrics is None else several(metrics)
    _check_given(given, shown, rankings=rankings)
    called = [*callbacks_for(track), *callbacks]
    digests: dict[str, str] = {}
    kept = _Kept(Path(out), ks, rankings) if out is not None else None
    evaluations: list[ModelEvaluation] = []
    failures: list[Failure] = []
    for source in sources:
        dataset = load_dataset(source, data_dir=data_dir, home=home)
        _check_name(dataset, digests)
        for model in asked:
            model.make(dataset.name, seeds[0])  # a wrong setting ends the evaluation before it begins
        for protocol, seed in itertools.product(ways, seeds):
            split = protocol.draw(dataset, seed)
            for model in asked:
                try:
                    found = _evaluated(model, dataset, protocol, split, ks, rankings, kept, called)
                except WriteError:  # no fault of the model, and the next one would meet it too
                    raise
                except IgmcError as error:
                    failures.append(Failure(dataset.name, protocol.label, seed, model.label, str(error)))
                    logger.warning("%s failed: %s", model.label, error)
                else:
                    evaluations.append(found)
    report = EvaluationReport(tuple(evaluations), tuple(failures), shown=tuple(shown))
    if out is not None:
        report.save(Path(out))
    return report


def several(given: Any) -> list[Any]:
    """One or several of something, as several."""
    return list(given) if isinstance(given, list | tuple | set | frozenset | range) else [given]


def _check_given(given: dict[str, list[Any]], metrics: list[str], *, rankings: bool) -> None:
    """What can be wrong before there are data; see `evaluate`."""
    for name, values in given.items():
        if not values:
            raise ConfigError(f"there is no {name} to evaluate", allowed="one or more")
    ks = given["list length"]
    if min(ks) < 1:
        raise ConfigError("the length K of a list is out of range", got=ks, allowed="whole numbers from 1")
    check_metrics(metrics, ks, rankings=rankings)
    labels = [model.label for model in given["model"]]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ConfigError(
            "two models have the same label", got=twice, remedy="tell them apart as in 'wide=mf:factors=64'"
        )


def _check_name(dataset: Dataset, digests: dict[str, str]) -> None:
    """Evaluations are grouped by the name of the data set, so one name must mean one data set."""
    digest = dataset.table.digest()
    if digests.setdefault(dataset.name, digest) != digest:
        raise ConfigError(
            "two data sets have the same name", got=dataset.name, remedy="rename one of the files"
        )


class _Kept:
    """A folder of evaluations that are done, named after all that determines them.

    Attributes:
        fitted_models: those whose training took long, for evaluations yet to come.
    """

    def __init__(self, folder: Path, ks: Sequence[int], rankings: bool) -> None:
        self.folder = folder / "cells"
        self.fitted_models = FittedModels(folder / "models")
        self._asked = [sorted(set(ks)), *([] if rankings else ["ratings only"])]
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        sweep_shared(self.folder)  # another evaluation may be at work here

    def place(self, model: ModelSpec, dataset: Dataset, protocol: Protocol, split: Split) -> Path:
        """Where the evaluation is, without the suffixes of its two files."""
        settings = model.make(dataset.name, split.seed).config.identity()
        key = [__version__, MEASURES, split.digest(), protocol.record(), model.name, settings, *self._asked]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        name = re.sub(r"[^\w.-]+", "_", dataset.name)
        return self.folder / f"{name}-{protocol.name}-{split.seed}-{model.name}-{digest}"

    def read(self, place: Path) -> ModelEvaluation | None:
        """The evaluation; None if it is not there, or damaged."""
        try:
            values = load_checked(_file(place, "json").read_bytes())
            with np.load(_file(place, "npz"), allow_pickle=False) as file:
                return ModelEvaluation.from_parts(values, {name: file[name] for name in file.files})
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise nearly anything
            logger.warning("%s is damaged and recomputed: %s", place.name, error)
            return None

    def write(self, place: Path, evaluation: ModelEvaluation) -> None:
        arrays: dict[str, Any] = evaluation.arrays()
        with replacing(_file(place, "npz")) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        # Last, since an evaluation without it counts as not there.
        replace_file(_file(place, "json"), dump_checked(evaluation.to_dict(), allow_nan=True))


def _file(place: Path, suffix: str) -> Path:
    return place.with_name(f"{place.name}.{suffix}")  # a data set's name may have a dot in it


def _evaluated(
    model: ModelSpec,
    dataset: Dataset,
    protocol: Protocol,
    split: Split,
    ks: Sequence[int],
    rankings: bool,
    kept: _Kept | None,
    callbacks: Sequence[Callback],
) -> ModelEvaluation:
    """The evaluation of a model on a split: one that is kept, or else made now, and kept."""
    what = f"{model.label} on {dataset.name}, {protocol.label}, seed {split.seed}"
    working_on(what)
    place = kept.place(model, dataset, protocol, split) if kept is not None else None
    found = kept.read(place) if kept is not None and place is not None else None
    if found is not None:
        logger.info("%s: done before", what)
        return replace(found, label=model.label)
    fitted_models = kept.fitted_models if kept is not None else None
    run = f"{dataset.name}/{protocol.label}/seed-{split.seed}/{model.label}"
    settings = model.make(dataset.name, split.seed).config.to_dict()
    with TrackedTraining(callbacks, run, settings) as tracked:
        made = evaluate_model(
            model,
            dataset,
            protocol,
            split,
            ks=ks,
            monitor=tracked.monitor,
            fitted_models=fitted_models,
            rankings=rankings,
        )
        tracked.finish({f"test_{name}": value for name, value in made.metrics.items()})
    names = [name for name in ("rmse", f"ndcg@{max(ks)}") if name in made.metrics]
    shown = ", ".join(f"{name} {made.metrics[name]:.4f}" for name in names)
    logger.info("%s: %s in %.1f s", what, shown, sum(made.seconds.values()))
    if kept is not None and place is not None:
        kept.write(place, made)
    return made
