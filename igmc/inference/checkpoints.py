"""Selection of the checkpoints used for prediction."""

from __future__ import annotations

import os
from pathlib import Path

from igmc.config import RunConfig, TrainConfig
from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.files import check_run
from igmc.loading import SideFeatures
from igmc.ratings import DataLike, Split, load_dataset, side_features
from igmc.training import FirstWeights, RunFolder, chosen_epochs

__all__ = ["first_weights", "open_run", "pick_epochs", "run_side_features", "run_split"]

CHOICES = ("ensemble", "single")


def open_run(path: str | os.PathLike[str]) -> RunFolder:
    """Open an existing run folder.

    Args:
        path: of the folder, or the report of the run.

    Raises:
        CheckpointError: if it is not a run folder, or has no checkpoint yet.
        ConfigError: if it is not a path.
    """
    folder = RunFolder(check_run(path))
    if not (folder.path / "checkpoints").is_dir() or not folder.epochs():
        raise CheckpointError(
            f"the run in {folder.path} has no checkpoint yet",
            remedy="let igmc-train finish its first epoch; the same command resumes where it stopped",
        )
    return folder


def first_weights(run: str | os.PathLike[str], config: RunConfig) -> FirstWeights:
    """The weights of the single checkpoint of a run, as initial weights of a new one.

    Args:
        run: its folder, or its report.
        config: of the new run.

    Raises:
        CheckpointError: as `open_run`, or if the checkpoint is damaged.
        ConfigError: if the networks differ.
    """
    folder = open_run(run)
    found = folder.config()
    if found.network != config.network:
        raise ConfigError(
            f"the run in {folder.path} cannot start one of another network",
            got=found.network,
            allowed=config.network,
        )
    epoch = pick_epochs(folder, found.training, "single")[0]
    return FirstWeights(str(folder.path), epoch, folder.load_epoch(epoch)["model"])


def pick_epochs(folder: RunFolder, config: TrainConfig, choice: str | int | None = None) -> list[int]:
    """The epochs whose checkpoints are used; the predictions of several are averaged.

    Args:
        folder: of a run with at least one checkpoint.
        config: of its training.
        choice: "ensemble", the checkpoints that the run averages; "single", the best on validation so
            far, or the last one under "fixed"; or an epoch. One alone reads the first sample of a subgraph,
            whichever it reads in the ensemble. If None, "ensemble" where the run is finished,
            else "single".

    Raises:
        ConfigError: on another choice, "ensemble" of an unfinished run, or an epoch that is not kept.
        CheckpointError: if a checkpoint is damaged, or one is missing that the report of the run names.
    """
    kept = folder.epochs()
    if choice is None:
        choice = "ensemble" if folder.finished else "single"
    if choice not in (*CHOICES, *kept):
        raise ConfigError(
            f"the run in {folder.path} has no such checkpoint",
            got=choice,
            allowed=f"{', '.join(CHOICES)}, or one of the epochs {', '.join(map(str, kept))}",
        )
    if isinstance(choice, int):
        return [choice]
    if choice == "ensemble" and not folder.finished:
        raise ConfigError(
            f"the run in {folder.path} is unfinished, so its ensemble is not yet known",
            got=choice,
            allowed=f"single, or one of the epochs {', '.join(map(str, kept))}",
            remedy="let igmc-train finish it, or use 'single'",
        )
    if folder.finished:
        return _reported(folder, kept, choice)
    if choice == "single" and config.selection == "fixed":
        return kept[-1:]
    history = folder.load_epoch(kept[-1])["history"]
    epochs = chosen_epochs(config, [record["validation_rmse"] for record in history])
    return epochs[:1] if choice == "single" else epochs


def _reported(folder: RunFolder, kept: list[int], choice: str) -> list[int]:
    """The epochs that the figures of a finished run are of."""
    report = folder.read_json("metrics.json")
    epochs: list[int] = [report["single_epoch"]] if choice == "single" else report["ensemble_epochs"]
    missing = [epoch for epoch in epochs if epoch not in kept]
    if missing:
        raise CheckpointError(
            f"{folder.path / 'checkpoints'} lacks checkpoints that the report of this run needs",
            got=f"those of the epochs {', '.join(map(str, kept))}",
            allowed=f"those of the epochs {', '.join(map(str, epochs))}",
            remedy="restore them from a copy; "
            "or delete metrics.json and run igmc-train again, which resumes from the last checkpoint",
        )
    return epochs


def run_split(run: RunFolder, digest: object) -> Split:
    """The split of a run.

    Args:
        run: its folder.
        digest: that its settings name.

    Raises:
        CheckpointError: if the folder holds another split.
    """
    split = Split.load(run.path / "split.npz")
    if split.digest() != digest:
        raise CheckpointError(
            f"{run.path / 'split.npz'} is not the split of this run",
            remedy="restore the folder as igmc-train left it",
        )
    return split


def run_side_features(
    data: DataLike, digest: object, data_dir: str | Path | None, home: str | Path | None
) -> SideFeatures:
    """The side features of a run's data set.

    Args:
        data: what the data set is; digest: of the ratings that it had when the run was trained.
        data_dir, home: folders of raw data.

    Raises:
        DataError: if they are missing or not those of the run.
    """
    dataset = load_dataset(data, data_dir=data_dir, home=home)
    if dataset.table.digest() != digest:
        raise DataError(
            f"{dataset.name} has changed since the run was trained",
            remedy="restore the data of that run, which its side features are made from",
        )
    return side_features(dataset)
