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
from igmc.config import DataConfig
from igmc.errors import ConfigError, IgmcError
from igmc.evaluation.fitted_models import FittedModels
from igmc.evaluation.model_evaluation import ModelEvaluation, evaluate_model
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.protocols import Protocol, make_protocol
from igmc.evaluation.report import EvaluationReport, Failure
from igmc.files import locked, replace_file, replacing, sweep, writing
from igmc.ratings import Dataset, Split, load_dataset
from igmc.training import Tracker

__all__ = ["evaluate"]

logger = logging.getLogger(__name__)

KS = (5, 10, 20)
MEASURES = 2  # part of a stored cell's name: to be raised when cells come to hold other metrics


def evaluate(
    models: Sequence[ModelSpec | str],
    datasets: Sequence[DataConfig | str],
    *,
    protocols: Sequence[Protocol | str] = ("random_80_20",),
    seeds: Sequence[int] = (1,),
    ks: Sequence[int] = KS,
    rankings: bool = True,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    track: str | Path | None = None,
) -> EvaluationReport:
    """Fit and measure every model on every split, through the same code.

    Args:
        models: names of recommenders, with settings if wanted: see `ModelSpec.parse`.
        datasets: names or paths; see `igmc.ratings.load.load_dataset`.
        protocols: how to split: names with settings, see `igmc.evaluation.protocols.registry.make_protocol`.
        seeds: of split and model.
        ks: lengths of ranked lists.
        rankings: measure full rankings where the protocol allows it. They ask a score of every item for every
            user, which a graph network takes hours for; without them its ratings are measured in minutes.
        data_dir, home: where raw data are; see `load_dataset`.
        out: folder for the report and for each cell as it is done. What is there already is not run again, so
            an evaluation that was interrupted goes on where it stopped, and models that took long to train
            are kept for other questions. Nothing is written if None.
        track: folder for the curves of all trainings; see `igmc.training.track.Tracker`.

    Returns:
        the report. A model that fails on a split is in its `failures`, and the others go on.

    Raises:
        ConfigError: on an unknown name or setting, or without models, data sets, protocols or seeds.
        DataError: if a data set cannot be read or split.
        IgmcError: if a folder cannot be written.
        MissingExtraError: without TensorBoard for `track`.
    """
    specs = [ModelSpec.parse(model) if isinstance(model, str) else model for model in models]
    ways = [make_protocol(way) if isinstance(way, str) else way for way in protocols]
    ways = list({way.label: way for way in ways}.values())
    given = {"model": specs, "data set": datasets, "protocol": ways, "seed": seeds, "list length": ks}
    for name, values in given.items():
        if not values:
            raise ConfigError(f"there is no {name} to evaluate", allowed="one or more")
    labels = [spec.label for spec in specs]
    if len(set(labels)) < len(labels):
        twice = next(label for label in labels if labels.count(label) > 1)
        raise ConfigError(
            "two models have the same label", got=twice, remedy="tell them apart as in 'wide=mf:factors=64'"
        )
    seeds = list(dict.fromkeys(seeds))
    digests: dict[str, str] = {}
    store = _Store(Path(out), ks, rankings) if out is not None else None
    cells: list[ModelEvaluation] = []
    failures: list[Failure] = []
    with Tracker(track) as tracker:
        for config in datasets:
            dataset = load_dataset(config, data_dir=data_dir, home=home)
            _check_name(dataset, digests)
            for spec in specs:
                spec.make(dataset.name, seeds[0])  # a wrong setting ends the evaluation before it begins
            for protocol, seed in itertools.product(ways, seeds):
                split = protocol.draw(dataset, seed)
                for spec in specs:
                    try:
                        cells.append(_cell(spec, dataset, protocol, split, ks, rankings, store, tracker))
                    except IgmcError as error:
                        failures.append(Failure(dataset.name, protocol.label, seed, spec.label, str(error)))
                        logger.warning("%s failed: %s", spec.label, error)
    report = EvaluationReport(tuple(cells), tuple(failures))
    if out is not None:
        report.save(Path(out))
    return report


def _check_name(dataset: Dataset, digests: dict[str, str]) -> None:
    """Cells are grouped by the name of the data set, so one name must mean one data set."""
    digest = dataset.table.digest()
    if digests.setdefault(dataset.name, digest) != digest:
        raise ConfigError(
            "two data sets have the same name", got=dataset.name, remedy="rename one of the files"
        )


class _Store:
    """A folder of cells that are done, named after all that determines them."""

    def __init__(self, folder: Path, ks: Sequence[int], rankings: bool) -> None:
        self.folder, self._asked = (
            folder / "cells",
            [sorted(set(ks)), *([] if rankings else ["ratings only"])],
        )
        self.shelf = FittedModels(folder / "models")
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder):
            sweep(self.folder)

    def place(self, spec: ModelSpec, dataset: Dataset, protocol: Protocol, split: Split) -> Path:
        """Where the cell is, without the suffixes of its two files."""
        settings = spec.make(dataset.name, split.seed).config.identity()
        key = [__version__, MEASURES, split.digest(), protocol.record(), spec.name, settings, *self._asked]
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:16]
        name = re.sub(r"[^\w.-]+", "_", dataset.name)
        return self.folder / f"{name}-{protocol.name}-{split.seed}-{spec.name}-{digest}"

    def read(self, place: Path) -> ModelEvaluation | None:
        """The cell; None if it is not there, or damaged."""
        try:
            values = json.loads(_file(place, "json").read_text())
            with np.load(_file(place, "npz"), allow_pickle=False) as file:
                return ModelEvaluation.from_parts(values, {name: file[name] for name in file.files})
        except FileNotFoundError:
            return None
        except Exception as error:  # a damaged archive makes zipfile, zlib and NumPy raise nearly anything
            logger.warning("%s is damaged and made anew: %s", place.name, error)
            return None

    def write(self, place: Path, cell: ModelEvaluation) -> None:
        arrays: dict[str, Any] = cell.arrays()
        with replacing(_file(place, "npz")) as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        # Last, since a cell without it counts as not there.
        replace_file(_file(place, "json"), json.dumps(cell.to_dict(), indent=1).encode() + b"\n")


def _file(place: Path, suffix: str) -> Path:
    return place.with_name(f"{place.name}.{suffix}")  # a data set's name may have a dot in it


def _cell(
    spec: ModelSpec,
    dataset: Dataset,
    protocol: Protocol,
    split: Split,
    ks: Sequence[int],
    rankings: bool,
    store: _Store | None,
    tracker: Tracker,
) -> ModelEvaluation:
    place = store.place(spec, dataset, protocol, split) if store is not None else None
    found = store.read(place) if store is not None and place is not None else None
    if found is not None:
        logger.info(
            "%s on %s, %s, seed %d: done before", spec.label, dataset.name, protocol.label, split.seed
        )
        return replace(found, label=spec.label)
    shelf = store.shelf if store is not None else None
    monitor = tracker.monitor(f"{dataset.name}/{protocol.label}/seed-{split.seed}/{spec.label}")
    cell = evaluate_model(
        spec, dataset, protocol, split, ks=ks, monitor=monitor, shelf=shelf, rankings=rankings
    )
    shown = [
        f"{name} {cell.metrics[name]:.4f}" for name in ("rmse", f"ndcg@{max(ks)}") if name in cell.metrics
    ]
    logger.info(
        "%s on %s, %s, seed %d: %s in %.1f s",
        spec.label,
        dataset.name,
        protocol.label,
        split.seed,
        ", ".join(shown),
        sum(cell.seconds.values()),
    )
    if store is not None and place is not None:
        store.write(place, cell)
    return cell
