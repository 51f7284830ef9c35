"""Reading a data set: by its name, from a folder in a known layout, or from a file of ratings."""

from __future__ import annotations

import difflib
from dataclasses import replace
from functools import partial
from pathlib import Path

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset, LazySplits, Rows
from igmc.ratings.demo import make_demo
from igmc.ratings.readers import (
    HOW_TO_READ,
    is_sql_url,
    looks_like_path,
    read_folder,
    read_path,
    refuse_settings,
)
from igmc.ratings.sources import DATASETS, canonical_name, locate

__all__ = ["load_dataset"]


def load_dataset(
    config: DataConfig | str, *, data_dir: str | Path | None = None, home: str | Path | None = None
) -> Dataset:
    """Read a data set.

    Args:
        config: which one, and how to read it; a plain text stands for ``DataConfig(dataset=text)``.
            The data set is a name (``ml_100k``, also written ``ML-100K``), a folder in the layout of a
            MovieLens release or a Monti set, or a file of ratings (see below).
        data_dir: where the folders of raw data are; see `igmc.ratings.sources.locate.locate`.
        home: where raw data are downloaded to if they are nowhere else.

    A file of ratings is text with ``, ; | tab ::`` or blanks between its fields (or any ``separator``), JSON
    (an object a line, or one array), Parquet (also a folder of Spark's), the blocks of the Netflix Prize, or
    with ``matrix`` a line for each user and a column for each item; also compressed (.gz, .bz2, .xz, .zip).
    Of a zip that holds several files, the one called ratings or reviews is read; else name one as if the zip
    were a folder. ``columns`` says where user, item, rating and, if wanted, timestamp are, in this order: by
    the names in the header, or by positions from 1 if the file has no header. It can be left out if the
    header has the usual names (userId, movie_id, item, rating, ...).

    - ``columns="user_id,book_id,rating"``, ``dataset="goodbooks/ratings.zip"``: a header, items first
    - ``columns="1,2,3,4"``, ``dataset="u.data"``: no header
    - ``columns="2,1,3"``, ``dataset="dump.csv.gz"``: no header, items first
    - ``dataset="ml-20m.zip/ml-20m/ratings.csv"``: one file of a zip
    - ``dataset="sqlite:///shop.db?query=SELECT user_id, item_id, rating FROM ratings"``: any database that
      SQLAlchemy knows

    A rating is a finite number, with a decimal point or comma; true and false stand for 1 and 0. A timestamp
    is in seconds since 1970 or a finer unit, or an ISO date, in UTC where it names no zone; unknown where it
    is empty, 0 or less. A line may lack fields at its end, but has no more than the first. Lines that begin
    with # or % and are no ratings are comments. Ids come back as given, without blanks around. A text column
    whose values all are plain whole numbers, or such as 27.0, holds ints; with one ``01`` or ``x`` among them
    it holds texts, each as it stands in the file. The report of the data set says what was guessed.

    Raises:
        ConfigError: on an unknown name or malformed `columns`.
        DataError: if files are missing or malformed; the message names the file and the line.
    """
    if isinstance(config, str):
        config = DataConfig(dataset=config)
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
        config, (*HOW_TO_READ, "missing", "zero_is_missing", "items"), f"{name}, whose layout is known"
    )
    if name == "demo":
        return make_demo()
    dataset = read_folder(locate(name, data_dir=data_dir, home=home), name, config)
    if config.allow_changed:
        return dataset
    _check_size(dataset)
    parts = {split: partial(_whole_split, dataset, split) for split in dataset.splits}
    return replace(dataset, splits=LazySplits(parts))


def _check_size(dataset: Dataset) -> None:
    """Raise unless a known data set has as many ratings as its makers publish."""
    expected, report = DATASETS[dataset.name].ratings, dataset.report
    if report.rows != expected:
        raise DataError(
            f"{report.source} does not hold {dataset.name} as its makers publish it",
            got=f"{report.rows:,} ratings",
            allowed=f"{expected:,} ratings",
            remedy=_remedy(dataset),
        )


def _whole_split(dataset: Dataset, split: str) -> tuple[Rows, Rows]:
    """An official split, if it divides all ratings; those of ML-100K and of Monti et al. do."""
    train, test = dataset.splits[split]
    if len(train) + len(test) != len(dataset.table):
        raise DataError(
            f"the split {split} does not divide {dataset.name} as its makers do",
            got=f"{len(train):,} ratings for training and {len(test):,} for the test",
            allowed=f"{len(dataset.table):,} in all",
            remedy=_remedy(dataset),
        )
    return train, test


def _remedy(dataset: Dataset) -> str:
    again = f"move its folder away and run 'igmc data fetch {dataset.name}'"
    return f"{again}; to take it as it is, say --allow-changed"
