"""How a run begins and is accompanied: its folder is held, what is logged is written, and items are noted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from igmc.config import NETWORKS, RunConfig
from igmc.errors import ConfigError, DataError
from igmc.files import writing
from igmc.inference import ITEMS_FILE, ItemInfo
from igmc.ranks import Ranks
from igmc.ratings import UNKNOWN_TIME, Dataset, Split, make_split, side_features, side_information
from igmc.training import RunFolder

__all__ = ["begun", "for_times", "logging_to", "note_items", "sides_of", "split_of", "written"]


@contextmanager
def begun(folder: RunFolder, config: RunConfig, facts: dict[str, Any], ranks: Ranks) -> Iterator[bool]:
    """Hold the folder while it lasts, in the first rank alone; whether the run in it is finished."""
    with ExitStack() as stack:

        def claim() -> bool:
            stack.enter_context(folder.claimed(config, facts))
            return folder.finished

        yield ranks.of_first(claim)


@contextmanager
def written(dataset: Dataset, folder: RunFolder, ranks: Ranks) -> Iterator[None]:
    """Write what is logged, and what is known of the items, into the folder, in the first rank alone."""
    with ExitStack() as stack:
        if ranks.first:
            stack.enter_context(logging_to(folder.path / "log.txt"))
            note_items(dataset, folder)
        yield


def sides_of(dataset: Dataset, config: RunConfig) -> dict[str, Any]:
    """What the network of a run reads besides ratings: ``side`` and ``features`` of `Job`, each perhaps None.

    Raises:
        DataError: if it is to read such, and nothing is known.
    """
    features = None
    if NETWORKS[config.network].reads_statistics and config.neighbours.side_features:
        info, vectors = (dataset.user_info, dataset.item_info), dataset.item_vectors
        sizes = len(dataset.table.users), len(dataset.table.items)
        features = side_information(*info, *sizes, item_vectors=vectors)
    return {"side": side_features(dataset) if config.side_features else None, "features": features}


def for_times(config: RunConfig, dataset: Dataset) -> RunConfig:
    """The settings, once it is known whether the data have times."""
    if not NETWORKS[config.network].reads_statistics:
        return config
    times = dataset.table.timestamp
    known = times is not None and bool(np.any(times != UNKNOWN_TIME))
    return config.replace(neighbours=config.neighbours.for_times(known))


def split_of(dataset: Dataset, config: RunConfig) -> Split:
    """The split of a run, whose test part and, where it is needed, validation part are not empty."""
    split = make_split(dataset, config.data, config.seed)
    network = NETWORKS[config.network]
    if network.rates and len(split.scale) == 1:
        raise DataError(
            f"the network {config.network} predicts ratings, and all of them are {split.scale.low:g}",
            remedy="omit --network, or train --network ranker, which makes lists"
            if dataset.implicit
            else "if they only tell who chose what, as clicks and purchases do, read them with --implicit",
        )
    if network.rates and not network.continuous:
        split.scale.require_levels()
    if not len(split.test):
        raise ConfigError(
            "the test part is empty",
            got=config.data.test_ratio,
            remedy="raise --test-ratio, or use an official split",
        )
    if config.training.selection == "validation" and not len(split.validation):
        raise ConfigError(
            "the selection 'validation' needs a validation part, and it is empty",
            got=config.data.validation_ratio,
            remedy="raise --validation-ratio, or use --selection fixed",
        )
    return split


def note_items(dataset: Dataset, folder: RunFolder) -> None:
    """Keep titles and genres beside the run, where the data set has any."""
    if dataset.item_info is not None and not (folder.path / ITEMS_FILE).exists():
        ItemInfo.of(dataset.item_info).save(folder.path, dataset.table.items)


@contextmanager
def logging_to(path: Path) -> Iterator[None]:
    with writing(path):
        handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    root = logging.getLogger("igmc")
    level = root.level
    if level == logging.NOTSET:  # nobody has said what to log: all that a log.txt is for
        root.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield
    finally:
        root.setLevel(level)
        root.removeHandler(handler)
        handler.close()
