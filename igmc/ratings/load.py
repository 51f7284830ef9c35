"""Load data sets by name, from a folder in a known layout, from a file of ratings, or from a DataFrame."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from igmc.argument_types import checked_types
from igmc.config import DataConfig, RunConfig, default_network, merged, network_of, run_config, sectioned
from igmc.errors import ConfigError, DataError
from igmc.ratings.any_table import ArrowTable, is_table
from igmc.ratings.checks import check_min_rating
from igmc.ratings.dataset import Dataset, LazySplits, Rows
from igmc.ratings.demo import make_demo
from igmc.ratings.readers import (
    HOW_TO_READ,
    is_sql_url,
    looks_like_path,
    read_folder,
    read_item_vectors,
    read_path,
    refuse_settings,
)
from igmc.ratings.sources import DATASETS, canonical_name, locate

__all__ = ["DataLike", "data_config", "load_dataset", "run_inputs"]

DataLike = Dataset | DataConfig | str | Path | Mapping[str, Any] | ArrowTable
TAKEN = "a name, a path, a DataFrame, a Dataset, a DataConfig or a mapping of its settings"


@checked_types
def load_dataset(
    data: DataLike, *, data_dir: str | Path | None = None, home: str | Path | None = None
) -> Dataset:
    """Read a data set.

    Args:
        data: a name (``ml_100k`` or ``ML-100K``), a folder in the layout of a MovieLens release or a Monti
            set, or a file of ratings (see below); a `DataConfig`, or a mapping of its settings; a DataFrame
            with the usual column names, as for `Dataset.from_frame`; or a Dataset, which is returned
            unchanged.
        data_dir: folder of raw data sets; see `igmc.ratings.sources.locate.locate`.
        home: folder for downloads of missing data sets.

    A file of ratings is text with ``, ; | tab ::`` or blanks between its fields (or any ``separator``), JSON
    (one object per line, or one array), Parquet (also a folder of Spark's), the blocks of the Netflix Prize,
    or with ``matrix`` a line for each user and a column for each item; also compressed (.gz, .bz2, .xz,
    .zip). In a zip with several files, the one called ratings or reviews is read; name another one as if the
    zip were a folder. ``columns`` names the columns of user, item, rating and optionally timestamp, in this
    order: by the names in the header, or by positions from 1 if the file has no header. It can be omitted if
    the header has the usual names (userId, movie_id, item, rating, ...).

    - ``columns="user_id,book_id,rating"``, ``dataset="goodbooks/ratings.zip"``: a header, items first
    - ``columns="1,2,3,4"``, ``dataset="u.data"``: no header
    - ``columns="2,1,3"``, ``dataset="dump.csv.gz"``: no header, items first
    - ``dataset="ml-20m.zip/ml-20m/ratings.csv"``: one file of a zip
    - ``dataset="sqlite:///shop.db?query=SELECT user_id, item_id, rating FROM ratings"``: any database that
      SQLAlchemy knows

    With ``implicit``, the rows only tell who chose what, such as clicks or purchases: a file may have no
    ratings (``columns="user,item"``, with times ``"user,item,,time"``), and the values of those that it has
    are ignored, once those below ``min_rating`` are dropped; see `Dataset.as_implicit`.

    A rating is a finite number, with a decimal point or comma; true and false are read as 1 and 0. A
    timestamp is in seconds since 1970 or a finer unit, or an ISO date, in UTC unless it names a time zone; it
    is negative before 1970, and unknown if empty or -1. A line may lack fields at its end, but must not have
    more than the first. Lines that begin with # or % and are no ratings are comments. Ids are returned as
    given, stripped of surrounding blanks. A text column whose values are all integers, including values such
    as 27.0, holds ints; if one is ``01`` or ``x``, all are kept as strings, exactly as in the file. The
    report of the data set lists what was guessed.

    Raises:
        ConfigError: on something that is not a data set, an unknown name, or malformed `columns`.
        DataError: if files are missing or malformed; the message names the file and the line.
    """
    if isinstance(data, Dataset):
        return data
    if is_table(data):
        return Dataset.from_frame(data)  # type: ignore[arg-type]
    config = data_config(data)
    check_min_rating(config.min_rating, implicit=config.implicit)
    dataset = _loaded(config, data_dir, home)
    if config.implicit:
        dataset = dataset.as_implicit(config.min_rating)
    if config.item_features is None:
        return dataset
    path = Path(config.item_features).expanduser()
    return replace(dataset, item_vectors=read_item_vectors(path, dataset.table.items))


def _loaded(config: DataConfig, data_dir: str | Path | None, home: str | Path | None) -> Dataset:
    name = canonical_name(config.dataset)
    if name is None:
        if is_sql_url(config.dataset):
            return read_path(Path(), config)
        if looks_like_path(config.dataset):
            return read_path(Path(config.dataset).expanduser(), config)
        near = difflib.get_close_matches(config.dataset.lower().replace("-", "_"), DATASETS, n=3)
        raise ConfigError(
            "unknown data set",
            got=config.dataset,
            allowed=", ".join(DATASETS) + ", or the path of a file or folder",
            remedy=f"did you mean {' or '.join(near)}?" if near else "check the name or the path",
        )
    refuse_settings(
        config, (*HOW_TO_READ, "missing", "zero_is_missing", "item_info"), f"{name}, whose layout is known"
    )
    if name == "demo":
        return make_demo()
    dataset = read_folder(locate(name, data_dir=data_dir, home=home), name, config)
    if config.allow_changed:
        return dataset
    _check_size(dataset)
    parts = {split: partial(_whole_split, dataset, split) for split in dataset.splits}
    return replace(dataset, splits=LazySplits(parts))


def data_config(data: DataLike) -> DataConfig:
    """The settings of anything that `load_dataset` accepts.

    Raises:
        ConfigError: on something that is not a data set, or settings that are not allowed.
    """
    if isinstance(data, DataConfig):
        return data
    if isinstance(data, Dataset):
        return DataConfig(dataset=data.name)
    if isinstance(data, str | Path):
        return DataConfig(dataset=str(data))
    if isinstance(data, Mapping):
        if any(isinstance(value, list | np.ndarray) for value in data.values()):
            raise ConfigError(
                "a mapping holds settings of data, not columns of ratings",
                got=", ".join(map(str, data)),
                remedy="pass pandas.DataFrame(...) of it",
            )
        return DataConfig.from_dict(data)
    if is_table(data):
        return DataConfig(dataset="frame")
    raise ConfigError("this is not a data set", got=data, allowed=TAKEN)


def run_inputs(
    data: DataLike | RunConfig,
    settings: Mapping[str, Any],
    *,
    data_dir: str | Path | None = None,
    home: str | Path | None = None,
) -> tuple[RunConfig, Dataset]:
    """The configuration of a run, and its data set.

    Args:
        data: anything that `load_dataset` accepts, or all settings, as a `RunConfig` or a mapping by its
            sections.
        settings: override the preset of the data set, or those in `data`; by section or by name, as in
            ``{"epochs": 3}``.
        data_dir, home: see `load_dataset`.

    Raises:
        ConfigError: on something that is neither, or a setting that is unknown or not allowed.
        DataError: as `load_dataset`.
    """
    if isinstance(data, RunConfig):
        config = RunConfig.from_dict(merged(data.to_dict(), sectioned(settings, data.network)))
        return config, load_dataset(config.data, data_dir=data_dir, home=home)
    if isinstance(data, Mapping):
        config = run_config(chosen=merged(data, settings))
        return config, load_dataset(config.data, data_dir=data_dir, home=home)
    if isinstance(data, Dataset) or is_table(data):
        given, dataset = dict(settings), data
        if not isinstance(dataset, Dataset):
            told = ("columns", "duplicates", "implicit", "min_rating")
            how = {name: given.pop(name) for name in told if name in given}
            dataset = Dataset.from_frame(dataset, **how)  # type: ignore[arg-type]
        if dataset.implicit and network_of(given) is None:
            given["network"] = default_network(dataset.name, implicit=True)
        config = run_config(dataset.name, given)
        _refuse_reading(config.data)
        return config, dataset
    if not isinstance(data, DataConfig | str | Path):
        raise ConfigError("this is not a data set", got=data, allowed=f"{TAKEN}; a RunConfig")
    config = run_config(chosen=merged({"data": data_config(data).to_dict()}, settings))
    return config, load_dataset(config.data, data_dir=data_dir, home=home)


def _refuse_reading(data: DataConfig) -> None:
    """Raise on settings of how a file is read, which would do nothing to what is read already."""
    usual = DataConfig()
    for name in (
        *HOW_TO_READ,
        "missing",
        "zero_is_missing",
        "item_info",
        "item_features",
        "allow_changed",
        "duplicates",
        "implicit",
        "min_rating",
    ):
        if getattr(data, name) != getattr(usual, name):
            raise ConfigError(
                f"{name} applies to files, not to a table in memory",
                got=getattr(data, name),
                remedy="omit it; Dataset.from_frame takes columns, duplicates, implicit, users and items",
            )


def _check_size(dataset: Dataset) -> None:
    """Raise unless a known data set has as many ratings as its makers publish."""
    expected, report = DATASETS[dataset.name].ratings, dataset.report
    if report.rows not in expected:
        raise DataError(
            f"{report.source} differs from the published {dataset.name}",
            got=f"{report.rows:,} ratings",
            allowed=f"{expected[0]:,} ratings",
            remedy=_remedy(dataset),
        )


def _whole_split(dataset: Dataset, split: str) -> tuple[Rows, Rows]:
    """An official split, if it divides all ratings; those of ML-100K and of Monti et al. do."""
    train, test = dataset.splits[split]
    if len(train) + len(test) != len(dataset.table):
        raise DataError(
            f"the split {split} differs from the published split of {dataset.name}",
            got=f"{len(train):,} ratings for training and {len(test):,} for the test",
            allowed=f"{len(dataset.table):,} in all",
            remedy=_remedy(dataset),
        )
    return train, test


def _remedy(dataset: Dataset) -> str:
    again = f"move its folder away and run 'igmc data fetch {dataset.name}'"
    return f"{again}; to accept it, use --allow-changed"
