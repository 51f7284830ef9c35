"""One run, from its settings to its report, in its own folder."""

from __future__ import annotations

import gzip
import hashlib
import logging
import os
import re
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import FIRST_NETWORK, NETWORKS, RunConfig, run_config
from igmc.environment import machine, versions
from igmc.errors import ConfigError, WriteError
from igmc.evaluation.metrics import interval_summary, score
from igmc.files import locked, replace_file, writing
from igmc.graph import Part, make_parts
from igmc.inference import first_weights
from igmc.networks import Job, Trained, find_network
from igmc.plots import save_curves
from igmc.ranks import Ranks, joined
from igmc.ratings import DataLike, Dataset, Split, run_inputs
from igmc.ratings.readers import source_name
from igmc.ratings.sources import home_dir
from igmc.run_lists import list_quality
from igmc.run_references import reference_predictions
from igmc.run_report import RunReport
from igmc.run_start import begun, for_times, logging_to, note_items, sides_of, split_of, written
from igmc.tracking import Callback, TrackedTraining, callbacks_for
from igmc.training import FirstWeights, RunFolder, on_device, pick_device

__all__ = ["default_folder", "demo_run", "train"]

logger = logging.getLogger(__name__)


@checked_types
def train(
    data: DataLike | RunConfig,
    *,
    start: str | os.PathLike[str] | None = None,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
    out: str | Path | None = None,
    device: str = "auto",
    workers: int | None = None,
    statistics_memory: float | None = None,
    progress: bool = True,
    profile: bool = False,
    track: str | Path | Sequence[str | Path] | None = None,
    callbacks: Sequence[Callback] = (),
    **settings: Any,
) -> RunReport:
    """Train on a data set and score its test part.

    If torchrun started several processes, they train together, each on its part of every batch; see
    `igmc.ranks`. All of them return the report.

    If the folder holds the same run, unfinished, training resumes. A finished run returns its report or, if
    more epochs are requested, continues; see `igmc.training.folder.RunFolder.claimed`.

    Args:
        data: a name, a path, a DataFrame or anything else that `igmc.load_dataset` accepts; or all settings,
            as a `RunConfig` or a mapping by its sections.
        start: a run of the same network; training starts from the weights of its single checkpoint instead of
            random weights.
        data_dir, home: folders of raw data and of stores; see `igmc.ratings.load.load_dataset`.
        out: the run folder; `default_folder` if None.
        device: "auto", "cpu", "cuda" or "cuda:N".
        workers: processes for extraction, and threads for training on a CPU; all cores if None.
        statistics_memory: GiB for precomputed inputs of the neighbours network; 2 if None. Results do not
            depend on it.
        progress: show bars, if stderr is a terminal.
        profile: log how the training time divides into stages.
        track: where to log the training: a folder for TensorBoard, "wandb:PROJECT", "mlflow:URI", or a list.
        callbacks: of your own, see `igmc.tracking.Callback`; called after those of `track`.
        **settings: override the preset of the data set, by section of `RunConfig` or by name, as in
            ``epochs=3, network="rgcn"``.

    Raises:
        IgmcError: see `igmc.errors`.
    """
    with joined() as ranks:
        place = pick_device(device, ranks.local if ranks.size > 1 else None)
        called = [*callbacks_for(track), *callbacks] if ranks.first else []
        config, dataset = run_inputs(data, settings, data_dir=data_dir, home=home)
        config = for_times(config, dataset)
        memory = _statistics_bytes(config, statistics_memory)
        weights = None if start is None else first_weights(start, config)
        logger.info("%s", dataset.report)
        split = split_of(dataset, config)
        sides = sides_of(dataset, config)
        folder = RunFolder(Path(out) if out is not None else default_folder(config, split, weights))
        with begun(folder, config, _facts(dataset, split, weights), ranks) as finished:
            if finished:
                return ranks.of_first(_finished, dataset, folder)
            with written(dataset, folder, ranks), on_device(place):
                logger.info("run folder %s, device %s%s", folder.path, place, _several(ranks))
                job = Job(
                    config=config,
                    dataset=dataset.name,
                    parts=make_parts(split, config.training.selection),
                    scale=split.scale,
                    **sides,
                    folder=folder,
                    device=place,
                    home=Path(home or home_dir()),
                    workers=workers,
                    memory=memory,
                    progress=progress and ranks.first,
                    profile=profile,
                    start=None if weights is None else weights.state,
                    ranks=ranks,
                )
                return _run(job, split, called)


def _several(ranks: Ranks) -> str:
    return "" if ranks.size == 1 else f", {ranks.size} processes, each with its part of every batch"


def _statistics_bytes(config: RunConfig, gib: float | None) -> int | None:
    if gib is not None and not NETWORKS[config.network].reads_statistics:
        raise ConfigError(
            "this network does not use statistics",
            got=f"--statistics-memory {gib:g}",
            remedy="omit it, or choose another network with --network",
        )
    if gib is not None and not 0 < gib < 2**30:
        raise ConfigError("statistics_memory is out of range", got=gib, allowed="GiB, more than 0")
    return None if gib is None else int(gib * 2**30)


def _finished(dataset: Dataset, folder: RunFolder) -> RunReport:
    with ExitStack() as stack:
        with suppress(WriteError):  # what is finished can be read where nothing can be written
            stack.enter_context(logging_to(folder.path / "log.txt"))
            note_items(dataset, folder)
        logger.info("%s holds this run, finished; nothing to do", folder.path)
    return RunReport.from_dict(folder.read_json("metrics.json") | {"folder": str(folder.path)})


def _facts(dataset: Dataset, split: Split, weights: FirstWeights | None) -> dict[str, Any]:
    """What else determines the run, and where it was made."""
    started = {} if weights is None else {"start": weights.record()}
    return started | {
        "data_digest": dataset.table.digest(),
        "split_digest": split.digest(),
        "scale": split.scale.to_dict(),
        "versions": versions(),
        "machine": machine(),
    }


def default_folder(config: RunConfig, split: Split, weights: FirstWeights | None = None) -> Path:
    """``runs/<data set>-<selection>-seed<seed>-<digest>``, in the current folder.

    The selection stands there under its former name, "paper" or "validated", so that folders of earlier
    versions are found. The digest is of the settings, of the split ratings and of the weights that the run
    starts from, if any: a file that has grown since makes another run.
    """
    started = "" if weights is None else weights.digest
    digest = hashlib.sha256(f"{config.digest()}{split.digest()}{started}".encode()).hexdigest()
    name = re.sub(r"[^\w.-]+", "_", source_name(config.data.dataset))
    selection = config.training.identity()["protocol"]
    network = "" if config.network == FIRST_NETWORK else f"-{config.network}"
    return Path("runs") / f"{name}{network}-{selection}-seed{config.seed}-{digest[:8]}"


def _run(job: Job, split: Split, callbacks: Sequence[Callback]) -> RunReport:
    if job.ranks.first:
        split.save(job.folder.path / "split.npz")
    with TrackedTraining(callbacks, job.folder.path.resolve().name, job.config.to_dict()) as tracked:
        trained = find_network(job.config.network).train(replace(job, monitor=tracked.monitor))
        report = job.ranks.of_first(_finish, job, split, trained)
        tracked.finish(report.figures())
    return report


def _finish(job: Job, split: Split, trained: Trained) -> RunReport:
    folder, config = job.folder, job.config
    if NETWORKS[config.network].rates:
        _write_predictions(folder.path / "predictions.csv.gz", split, trained.predictions)
    report = _report(config, job.dataset, split, job.parts, trained, folder, job.device)
    save_curves(trained.history, folder.path / "curves")
    folder.write_json("metrics.json", report.to_dict())
    return report


def _report(
    config: RunConfig,
    dataset: str,
    split: Split,
    parts: dict[str, Part],
    trained: Trained,
    folder: RunFolder,
    device: torch.device,
) -> RunReport:
    history, epochs = trained.history, trained.epochs
    return RunReport(
        dataset=dataset,
        split=split.name,
        selection=config.training.selection,
        seed=config.seed,
        train_pairs=len(parts["train"].pairs),
        validation_pairs=len(parts["validation"].pairs) if "validation" in parts else 0,
        test_pairs=len(parts["test"].pairs),
        epochs=len(history),
        seconds=sum(record["seconds"] for record in history),
        single_epoch=epochs[0],
        ensemble_epochs=tuple(epochs),
        validation_rmse=history[epochs[0] - 1].get("validation_rmse"),
        device=str(device),
        machine=machine(),
        versions=versions(),
        folder=str(folder.path),
        network=config.network,
        estimates=trained.estimates,
        intervals=None if trained.bounds is None else interval_summary(split, trained.bounds),
        **(_errors if NETWORKS[config.network].rates else _lists)(split, trained, folder, config, device),
    )


def _errors(
    split: Split, trained: Trained, folder: RunFolder, config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """The test errors of a run that predicts ratings."""
    low, high, predictions = split.scale.low, split.scale.high, trained.predictions
    true = split.pairs(split.test).rating
    return {
        "single": score(predictions[0], true, low, high),
        "ensemble": score(predictions.mean(axis=0), true, low, high),
        "references": {name: score(p, true, low, high) for name, p in reference_predictions(split).items()},
    }


def _lists(
    split: Split, trained: Trained, folder: RunFolder, config: RunConfig, device: torch.device
) -> dict[str, Any]:
    """The quality of the lists of a run that predicts none."""
    network = find_network(config.network)
    scorer = network.load_scorer(folder, config, split.scale, trained.epochs, device)
    return {"single": None, "ensemble": None, "references": {}, "lists": list_quality(split, scorer)}


def _write_predictions(path: Path, split: Split, predictions: NDArray[np.float32]) -> None:
    table, rows = split.table, split.test
    frame = pd.DataFrame(
        {
            "user_id": table.users.decode(table.user[rows]),
            "item_id": table.items.decode(table.item[rows]),
            "rating": table.rating[rows],
            "single": predictions[0],
            "ensemble": predictions.mean(axis=0),
        }
    )
    replace_file(path, gzip.compress(frame.to_csv(index=False).encode(), mtime=0))


def demo_run(home: str | Path | None = None, *, progress: bool = True) -> Path:
    """The folder of a finished run on the data set `demo`, under ``<home>/demo-run``; made on first use.

    It takes a minute or two on two cores, half of it to compile the kernels.

    Args:
        home: see `igmc.files.home_dir`, which is the default.
        progress: show bars, if stderr is a terminal.

    Raises:
        IgmcError: if the folder cannot be written.
    """
    config = run_config("demo")
    place = Path(home or home_dir()) / "demo-run"
    folder = RunFolder(place / f"{versions()['igmc']}-{config.digest()}")
    if not folder.finished:
        logger.info("training a model on the data set demo, once, in %s", folder.path)
        with writing(place):
            place.mkdir(parents=True, exist_ok=True)
        with locked(place, wait=True):  # whoever comes second finds it finished
            train(config, home=home, out=folder.path, device="cpu", progress=progress)
    return folder.path
