"""Chooses the reader for a folder, a file or a database by its content."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers.columns import parse_columns
from igmc.ratings.readers.files import RatingFile, find_file
from igmc.ratings.readers.items import read_items
from igmc.ratings.readers.json_lines import looks_like_json, read_json
from igmc.ratings.readers.layout import TextOptions
from igmc.ratings.readers.matrix import read_matrix
from igmc.ratings.readers.monti import MONTI_FILE, read_monti
from igmc.ratings.readers.movielens import read_csv_release, read_dat_release, read_ml_100k
from igmc.ratings.readers.netflix import looks_like_netflix, read_netflix
from igmc.ratings.readers.parquet import read_parquet
from igmc.ratings.readers.sql import is_sql_url, read_sql, source_name
from igmc.ratings.readers.text import read_text
from igmc.ratings.to_table import to_table

__all__ = [
    "HOW_TO_READ",
    "looks_like_path",
    "missing_values",
    "read_folder",
    "read_path",
    "read_ratings",
    "refuse_settings",
]

_TEXT_ONLY = ("separator", "encoding", "header")
HOW_TO_READ = ("columns", *_TEXT_ONLY, "matrix")


def looks_like_path(text: str) -> bool:
    """Whether a text that names no data set is meant as a path: it exists, has a folder, or has a suffix."""
    path = Path(text).expanduser()
    return os.sep in text or bool(path.suffix) or path.exists()


def missing_values(config: DataConfig) -> frozenset[float]:
    """The numbers that mean 'not rated'."""
    named = [] if config.missing is None else [config.missing]
    return frozenset([*named, 0.0] if config.zero_is_missing else named)


def refuse_settings(config: DataConfig, names: tuple[str, ...], what: str) -> None:
    """Raise if one of these settings, which would have no effect, was given.

    Raises:
        ConfigError: saying that it does not apply to `what`.
    """
    for name in names:
        if getattr(config, name) != DataConfig.__dataclass_fields__[name].default:
            flag = "--" + name.replace("_", "-")
            raise ConfigError(
                f"{flag} does not apply to {what}",
                got=getattr(config, name),
                remedy=f"omit {flag}, or give the path of the file of ratings",
            )


def read_folder(folder: Path, name: str, config: DataConfig) -> Dataset:
    """A data set in the layout of a MovieLens release or a Monti set, or a folder of Parquet files.

    Raises:
        ConfigError: on settings that do not apply.
        DataError: if the folder has none of them, or its files are malformed.
    """
    for file, read in (
        ("u.data", read_ml_100k),
        ("ratings.dat", read_dat_release),
        ("ratings.csv", read_csv_release),
    ):
        if (folder / file).exists():
            refuse_settings(config, HOW_TO_READ, "a folder")
            return _with_items(read(folder, name, config.duplicates, missing_values(config)), config)
    if (folder / MONTI_FILE).exists():
        refuse_settings(config, (*HOW_TO_READ, "missing", "zero_is_missing"), "a folder")
        return _with_items(read_monti(folder, name), config)
    atomic = sorted(folder.glob("*.inter"))
    if len(atomic) == 1:  # of RecBole
        items = atomic[0].with_suffix(".item")
        if config.item_info is None and items.is_file():
            config = config.replace(item_info=str(items))
        return read_path(atomic[0], config)
    if any(not path.name.startswith(("_", ".")) for path in folder.rglob("*.parquet")):
        refuse_settings(config, (*_TEXT_ONLY, "matrix"), "Parquet")
        raw = read_parquet(folder, _columns(config), implicit=config.implicit)
        return _dataset(name.partition(".")[0], raw, str(folder), config)
    raise DataError(
        f"{folder} holds no data set",
        allowed=f"u.data, ratings.dat, ratings.csv or {MONTI_FILE}, one .inter file, or Parquet files",
        remedy="give the path of the file of ratings",
    )


def read_path(path: Path, config: DataConfig) -> Dataset:
    """The ratings in a file, or in a folder that `read_folder` knows; or those of a query, see `read_sql`.

    Raises:
        ConfigError: if a setting is malformed, or does not apply.
        DataError: if the file is missing or malformed.
    """
    if is_sql_url(config.dataset):
        refuse_settings(config, (*_TEXT_ONLY, "matrix"), "a database")
        name = source_name(config.dataset)
        raw = read_sql(config.dataset, _columns(config), implicit=config.implicit)
        return _dataset(name, raw, f"the database {name}", config)
    if path.is_dir():
        return read_folder(path, path.resolve().name, config)
    file = find_file(path)
    raw = read_ratings(file, config)
    return _dataset(Path(file.member or path).name.split(".")[0], raw, str(file), config)


def read_ratings(file: RatingFile, config: DataConfig) -> RawRatings:
    """The ratings in a file of any kind, as they stand there.

    Raises:
        ConfigError: if a setting is malformed, or does not apply to such a file.
        DataError: if the file is malformed.
    """
    columns, implicit = _columns(config), config.implicit
    options = TextOptions(config.separator, config.header, config.encoding, implicit)
    if file.is_parquet:
        refuse_settings(config, (*_TEXT_ONLY, "matrix"), "Parquet")
        return read_parquet(file, columns, implicit=implicit)
    if config.matrix:
        refuse_settings(config, ("columns",), "a matrix")
        return read_matrix(file, options, missing_values(config))
    if looks_like_json(file):
        refuse_settings(config, ("separator", "header"), "JSON")
        return read_json(file, columns, config.encoding, implicit=implicit)
    if columns is None and looks_like_netflix(file):
        refuse_settings(config, _TEXT_ONLY, "the blocks of the Netflix Prize")
        return read_netflix(file)
    return read_text(file, columns, options=options)


def _columns(config: DataConfig) -> tuple[str, ...] | None:
    return parse_columns(config.columns, implicit=config.implicit)


def _dataset(name: str, raw: RawRatings, source: str, config: DataConfig) -> Dataset:
    table, report = to_table(raw, source, duplicates=config.duplicates, missing=missing_values(config))
    return _with_items(Dataset(name, table, report), config)


def _with_items(dataset: Dataset, config: DataConfig) -> Dataset:
    if config.item_info is None:
        return dataset
    named = _columns(config) or (None, None)
    path = Path(config.item_info).expanduser()
    info, note = read_items(path, dataset.table.items, config.encoding, named[1])
    report = replace(dataset.report, notes=(*dataset.report.notes, note))
    return replace(dataset, item_info=info, report=report)
