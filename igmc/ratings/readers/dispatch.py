"""Chooses the reader for a folder or a file, by what is in it."""

from __future__ import annotations

import os
from pathlib import Path

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset
from igmc.ratings.readers.columns import parse_columns
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.monti import MONTI_FILE, read_monti
from igmc.ratings.readers.movielens import read_csv_release, read_dat_release, read_ml_100k
from igmc.ratings.readers.parquet import read_parquet
from igmc.ratings.readers.text import read_text
from igmc.ratings.readers.to_table import to_table

__all__ = ["looks_like_path", "read_folder", "read_path"]


def looks_like_path(text: str) -> bool:
    """Whether a text that names no data set is meant as a path: it exists, has a folder, or has a suffix."""
    path = Path(text).expanduser()
    return path.exists() or os.sep in text or bool(path.suffix)


def read_folder(folder: Path, name: str, config: DataConfig) -> Dataset:
    """A data set in the layout of a MovieLens release or a Monti set, told by the file that it has.

    Raises:
        DataError: if the folder has none of them, or its files are malformed.
    """
    if (folder / "u.data").exists():
        return read_ml_100k(folder, name, config.duplicates)
    if (folder / "ratings.dat").exists():
        return read_dat_release(folder, name, config.duplicates)
    if (folder / "ratings.csv").exists():
        return read_csv_release(folder, name, config.duplicates)
    if (folder / MONTI_FILE).exists():
        return read_monti(folder, name)
    raise DataError(
        f"{folder} holds no data set",
        allowed=f"u.data, ratings.dat, ratings.csv or {MONTI_FILE}",
        remedy="give the path of the file of ratings",
    )


def read_path(path: Path, config: DataConfig) -> Dataset:
    """The ratings in a file, or in a folder that `read_folder` knows.

    Raises:
        ConfigError: if ``config.columns`` is malformed.
        DataError: if the file is missing or malformed.
    """
    columns = parse_columns(config.columns)
    if path.is_dir():
        if columns is not None:
            raise ConfigError(
                "--columns does not apply to a folder",
                got=config.columns,
                remedy="leave it out, or give the path of the file of ratings",
            )
        return read_folder(path, path.resolve().name, config)
    file = find_file(path)
    raw = read_parquet(file, columns) if file.suffix == ".parquet" else read_text(file, columns)
    table, report = to_table(raw, str(file), duplicates=config.duplicates)
    return Dataset(Path(file.member or path).name.split(".")[0], table, report)
