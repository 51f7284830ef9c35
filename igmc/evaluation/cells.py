"""The cells of an evaluation, each a model on a split: measured in any process, and kept in a folder."""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from igmc import __version__
from igmc.checked_json import dump_checked, load_checked
from igmc.errors import DataError, IgmcError, WriteError
from igmc.evaluation.fitted_models import FittedModels
from igmc.evaluation.model_evaluation import ModelEvaluation, evaluate_model, needs_retraining
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols import Protocol
from igmc.evaluation.report import Failure
from igmc.files import replace_file, replacing, sweep_shared, writing
from igmc.jobs import loaded
from igmc.ratings import Dataset, Split
from igmc.recommenders import RECOMMENDERS
from igmc.tracking import Callback, Targets, TrackedTraining, callbacks_for

__all__ = ["Cell", "Job", "Kept", "measure", "measure_away"]

logger = logging.getLogger(__name__)

# Part of a stored evaluation's name: to be raised when metrics come to mean something else. What was stored
# before a metric was there goes without it, as a model does that has none.
MEASURES = 2


@dataclass(frozen=True)
class Cell:
    """A model that is to be measured on a split.

    Attributes:
        number: its place in the report.
        dataset, protocol, seed: of the split; the data set by name.
        model: which one, with its settings.
        ks, rankings: what is measured; see `evaluate_model`.
        models: folder of fitted models, if they are kept.
        keep_models: whether all of them are kept, and not only those whose training took long.
    """

    number: int
    dataset: str
    protocol: Protocol
    seed: int
    model: ModelSpec
    ks: Sequence[int]
    rankings: bool
    models: Path | None
    keep_models: bool = False

    def __str__(self) -> str:
        return f"{self.model.label} on {self.dataset}, {self.protocol.label}, seed {self.seed}"

    def fitted_models(self) -> FittedModels | None:
        """Where its model is kept, once it is fitted."""
        return None if self.models is None else FittedModels(self.models, keep_all=self.keep_models)

    def lacks_model(self, dataset: Dataset, split: Split) -> bool:
        """Whether its model is to be kept and is not there."""
        model, fitted = self.model.make(dataset.name, split.seed), self.fitted_models()
        if fitted is None or not self.keep_models or needs_retraining(model, split):
            return False
        return not fitted.has(fitted.place(model, split, self.protocol))

    def failure(self, error: IgmcError) -> Failure:
        """What the report says if it cannot be measured."""
        return Failure(self.dataset, self.protocol.label, self.seed, self.model.label, str(error))


def measure(
    cell: Cell, dataset: Dataset, split: Split, callbacks: Sequence[Callback]
) -> ModelEvaluation | Failure:
    """The evaluation of a cell, or why there is none.

    Raises:
        WriteError: if a file cannot be written; the next cell would meet that too.
    """
    run = f"{dataset.name}/{cell.protocol.label}/seed-{split.seed}/{cell.model.label}"
    try:
        settings = cell.model.make(dataset.name, split.seed).config.to_dict()
        with TrackedTraining(callbacks, run, settings) as tracked:
            made = evaluate_model(
                cell.model,
                dataset,
                cell.protocol,
                split,
                ks=cell.ks,
                monitor=tracked.monitor,
                fitted_models=cell.fitted_models(),
                rankings=cell.rankings,
            )
            tracked.finish({f"test_{name}": value for name, value in made.metrics.items()})
    except WriteError:
        raise
    except IgmcError as error:
        return cell.failure(error)
    return made


@dataclass(frozen=True)
class Job:
    """A cell, and what a worker needs to measure it.

    Attributes:
        load: gives the data set, as pickled. digest: of its table.
        home: of the model's class, in the registry of the process that asks.
        track: where to log.
        cell: what to measure.
    """

    load: bytes
    digest: str
    home: str
    track: Targets
    cell: Cell


def measure_away(job: Job) -> tuple[Cell, ModelEvaluation | Failure]:
    """As `measure`, in a worker, which loads a data set once.

    Raises:
        DataError: if the data set is another one for this worker.
    """
    cell, dataset = job.cell, loaded(job.load)
    if dataset.table.digest() != job.digest:
        raise DataError(
            f"a worker reads other ratings of {dataset.name} than the command did",
            remedy="give all workers the same files, and leave these as they are",
        )
    RECOMMENDERS.setdefault(cell.model.name, job.home)
    split = cell.protocol.draw(dataset, cell.seed)
    return cell, measure(cell, dataset, split, callbacks_for(job.track))


class Kept:
    """A folder of evaluations that are done, named after all that determines them.

    Attributes:
        folder: where they are.
        models: folder of models whose training took long, for evaluations yet to come.
    """

    def __init__(self, folder: Path, ks: Sequence[int], rankings: bool) -> None:
        self.folder = folder / "cells"
        self.models = folder / "models"
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
