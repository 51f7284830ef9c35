"""The layouts of the MovieLens releases: u.data (100K), ``::`` files (1M, 10M), CSV (latest, 20M, 25M)."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset, LazySplits
from igmc.ratings.ids import IdTable
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.readers.files import RatingFile, decoded, find_file
from igmc.ratings.readers.layout import NOTHING_SAID, TextOptions
from igmc.ratings.readers.tags import find_tags
from igmc.ratings.readers.text import read_text
from igmc.ratings.scale import KnownScale
from igmc.ratings.sources import canonical_name
from igmc.ratings.table import UNKNOWN_TIME, RatingTable, pair_keys
from igmc.ratings.to_table import to_table

__all__ = ["HALF_STARS", "STARS", "read_csv_release", "read_dat_release", "read_ml_100k"]

STARS = KnownScale(1, 5)
HALF_STARS = KnownScale(0.5, 5, 0.5)

_SPLITS_100K = ("u1", "u2", "u3", "u4", "u5", "ua", "ub")
_POSITIONS = ("1", "2", "3", "4")
_U_DATA = TextOptions("\t", header=False)
_DAT = TextOptions("::", header=False)
_YEAR = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
# The codes 0..20 of users.dat, as the README of ML-1M explains them.
_OCCUPATIONS_1M = (
    *("other or not specified", "academic/educator", "artist", "clerical/admin", "college/grad student"),
    *("customer service", "doctor/health care", "executive/managerial", "farmer", "homemaker"),
    *("K-12 student", "lawyer", "programmer", "retired", "sales/marketing", "scientist", "self-employed"),
    *("technician/engineer", "tradesman/craftsman", "unemployed", "writer"),
)

Rows = NDArray[np.int64]
Info = dict[str, Any]


def read_ml_100k(
    folder: Path, name: str, duplicates: str, missing: frozenset[float] = frozenset()
) -> Dataset:
    """MovieLens 100K: ``u.data``; and users, items and the official splits where their files are."""
    file = find_file(folder / "u.data")
    raw = _ratings(file, _POSITIONS, 4, _U_DATA)
    scale = _scale_of(raw, name, STARS, missing)
    table, report = to_table(raw, str(file), duplicates=duplicates, known=scale, missing=missing)
    return Dataset(
        name,
        table,
        report,
        user_info=_info(folder / "u.user", "|", 5, _user_100k, table.users),
        item_info=_items_100k(folder, table.items),
        splits=LazySplits(
            {
                split: partial(_split_100k, folder, split, table)
                for split in _SPLITS_100K
                if (folder / f"{split}.base").exists() or (folder / f"{split}.test").exists()
            }
        ),
        scale_hint=scale,
    )


def read_dat_release(
    folder: Path, name: str, duplicates: str, missing: frozenset[float] = frozenset()
) -> Dataset:
    """MovieLens 1M and 10M: ``ratings.dat``, and ``users.dat`` and ``movies.dat`` if there.

    1M has whole stars, 10M half ones; another data set in this layout, such as MovieTweetings, has the scale
    of its ratings.
    """
    file = find_file(folder / "ratings.dat")
    raw = _ratings(file, _POSITIONS, 4, _DAT)
    halves = name != "ml_1m" and bool(np.any(raw.rating % 1 != 0))
    scale = _scale_of(raw, name, HALF_STARS if halves else STARS, missing)
    table, report = to_table(raw, str(file), duplicates=duplicates, known=scale, missing=missing)
    info = _info(folder / "movies.dat", "::", 3, _movie, table.items)
    if scale is None:  # what else it says of users is not known
        return Dataset(name, table, report, item_info=info)
    return Dataset(
        name,
        table,
        report,
        user_info=_info(folder / "users.dat", "::", 5, _user_1m, table.users),
        item_info=info,
        scale_hint=scale,
    )


def read_csv_release(
    folder: Path, name: str, duplicates: str, missing: frozenset[float] = frozenset()
) -> Dataset:
    """MovieLens latest-small, 20M, 25M, ...: ``ratings.csv``, and ``movies.csv`` and tags if there."""
    file = find_file(folder / "ratings.csv")
    raw = _ratings(file, ("userId", "movieId", "rating", "timestamp"))
    scale = _scale_of(raw, name, HALF_STARS, missing)
    table, report = to_table(raw, str(file), duplicates=duplicates, known=scale, missing=missing)
    info = _info(folder / "movies.csv", ",", 3, _movie, table.items, header=True)
    tags = find_tags(folder, table.items)
    return Dataset(name, table, report, item_info=info, scale_hint=scale, item_tags=tags)


def _scale_of(raw: RawRatings, name: str, usual: KnownScale, missing: frozenset[float]) -> KnownScale | None:
    """The usual scale, or None if the ratings of a set that is not in the catalogue are not all on it."""
    outside = usual.outside(raw.rating[~np.isin(raw.rating, sorted(missing))])
    return None if outside.size and canonical_name(name) is None else usual


def _ratings(
    file: RatingFile,
    columns: tuple[str, ...],
    fields: int | None = None,
    options: TextOptions = NOTHING_SAID,
) -> RawRatings:
    """The ratings of a release, where timestamp 0 stands for unknown: nobody rated before 1995."""
    raw = read_text(file, columns, fields, options)
    if raw.timestamp is not None:
        raw.timestamp[raw.timestamp == 0] = UNKNOWN_TIME
    return raw


def _split_100k(folder: Path, split: str, table: RatingTable) -> tuple[Rows, Rows]:
    train, test = (_rows_of(folder / f"{split}.{part}", table) for part in ("base", "test"))
    both = np.intersect1d(train, test)
    if both.size:
        row = int(both[0])
        raise DataError(
            f"{folder / split}.base and .test share a rating",
            got=f"user {table.users.ids[table.user[row]]}, item {table.items.ids[table.item[row]]}",
            remedy="move its folder away and fetch the data set again",
        )
    return train, test


def _rows_of(path: Path, table: RatingTable) -> Rows:
    """The rows of the table that a file of ratings names."""
    file = find_file(path)
    raw = _ratings(file, _POSITIONS, 4, _U_DATA)
    user = table.users.encode(raw.users)[raw.user]
    item = table.items.encode(raw.items)[raw.item]
    keys = pair_keys(table.user, table.item, len(table.items))
    order = np.argsort(keys)
    wanted = np.where((user >= 0) & (item >= 0), pair_keys(user, item, len(table.items)), -1)
    place = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
    rows = order[place]
    bad = np.flatnonzero((keys[rows] != wanted) | (table.rating[rows] != raw.rating))
    if bad.size:
        raise _stray(raw, int(bad[0]))
    return rows.astype(np.int64)


def _stray(raw: RawRatings, row: int) -> DataError:
    return DataError(
        f"{raw.where(row)}: this rating is not in u.data",
        got=f"user {raw.users[raw.user[row]]}, item {raw.items[raw.item[row]]}, rating {raw.rating[row]:g}",
        allowed="the ratings of u.data",
        remedy="move its folder away and fetch the data set again",
    )


def _items_100k(folder: Path, items: IdTable) -> pd.DataFrame | None:
    if not (folder / "u.item").exists():
        return None
    genres = [cells[0] for _, cells in _cells(find_file(folder / "u.genre"), "|", 2)]

    def item(cells: list[str]) -> Info:
        flags = [genre for genre, flag in zip(genres, cells[5:], strict=True) if flag == "1"]
        return {"title": cells[1], "year": _year(cells[1]), "genres": "|".join(flags)}

    return _info(folder / "u.item", "|", 5 + len(genres), item, items)


def _user_100k(cells: list[str]) -> Info:
    return {"age": int(cells[1]), "gender": cells[2], "occupation": cells[3], "zip_code": cells[4]}


def _user_1m(cells: list[str]) -> Info:
    # The age is the least of a bracket: 1 (under 18), 18, 25, 35, 45, 50, 56.
    occupation = _OCCUPATIONS_1M[int(cells[3])]
    return {"age": int(cells[2]), "gender": cells[1], "occupation": occupation, "zip_code": cells[4]}


def _movie(cells: list[str]) -> Info:
    genres = "" if cells[2] == "(no genres listed)" else cells[2]
    return {"title": cells[1], "year": _year(cells[1]), "genres": genres}


def _year(title: str) -> int | None:
    found = _YEAR.search(title)
    return int(found[1]) if found else None


def _info(
    path: Path,
    delimiter: str,
    fields: int,
    parse: Callable[[list[str]], Info],
    ids: IdTable,
    header: bool = False,
) -> pd.DataFrame | None:
    """What a file says of the ids, in their order; None without the file. Ids without a line are empty."""
    if not path.exists():
        return None
    file = find_file(path)
    numbered = all(isinstance(raw, int) for raw in ids.ids)  # others, as in MovieTweetings, begin with zeros
    found: dict[Any, Info] = {}
    for line, cells in _cells(file, delimiter, fields):
        if header and line == 1:
            continue
        try:
            found[int(cells[0]) if numbered else cells[0]] = parse(cells)
        except (ValueError, IndexError) as error:
            raise DataError(
                f"{file}, line {line}: a field is malformed ({error})",
                got=delimiter.join(cells),
                allowed=f"{fields} fields as in the official file",
                remedy="move its folder away and fetch the data set again",
            ) from error
    # Of an id that the file lacks, the texts are empty and the numbers missing.
    names = list(next(iter(found.values()), {}))
    rows = [found.get(raw, {}) for raw in ids.ids]
    numbers = [name for name in names if name in ("age", "year")]
    return pd.DataFrame(
        {
            name: pd.array([row.get(name) for row in rows], dtype="Int64")
            if name in numbers
            else [row.get(name, "") for row in rows]
            for name in names
        }
    )


def _cells(file: RatingFile, delimiter: str, fields: int) -> Iterator[tuple[int, list[str]]]:
    """The number and fields of each line that is not blank; Latin-1 unless it is UTF-8."""
    with file.open() as stream:
        text = decoded(stream.read())
    lines = re.split("\r\n|\n|\r", text)
    # Only the CSV files quote; there is no line break inside their quotes.
    rows = csv.reader(lines) if delimiter == "," else (line.split(delimiter) for line in lines)
    for number, cells in enumerate(rows, start=1):
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != fields:
            raise DataError(
                f"{file}, line {number}: the line has the wrong number of fields",
                got=delimiter.join(cells)[:200],
                allowed=f"{fields} fields separated by {delimiter!r}",
                remedy="move its folder away and fetch the data set again",
            )
        yield number, cells
