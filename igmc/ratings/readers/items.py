"""Files of item information: titles, genres and years."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from igmc.errors import DataError, MissingExtraError
from igmc.ratings.ids import IdTable
from igmc.ratings.info_cells import genres, word, year, year_of_title
from igmc.ratings.readers.columns import bare_names
from igmc.ratings.readers.files import RatingFile, find_file
from igmc.ratings.readers.json_lines import json_objects, looks_like_json
from igmc.ratings.readers.layout import split_line
from igmc.ratings.readers.text import text_encodings
from igmc.ratings.usual_names import INFO, USUAL, plain_name

__all__ = ["item_table", "read_items"]

_IDS = (*USUAL["item"], "id", "index")
_DELIMITERS = ("::", "\t", ",", ";", "|")

Rows = list[list[Any]]


def read_items(
    path: Path, ids: IdTable, encoding: str | None = None, label: str | None = None
) -> tuple[pd.DataFrame, str]:
    """Read item information from a file.

    The file is CSV or other text, JSON lines or Parquet, optionally compressed. Its header names the column
    of ids (`label`, as in the ratings, or the one among item_id, id, ... that holds most of `ids`) and title,
    genres, year or text, all optional; without a header, the columns are id, title and, of three, genres.

    Returns:
        the table `item_info` of `igmc.ratings.dataset.Dataset`, and a note for the report.

    Raises:
        DataError: if the file is missing or malformed, or contains none of the items.
    """
    file = find_file(path)
    names, rows = _table(file, encoding)
    plain = [plain_name(name) for name in names]
    candidates = [k for k, name in enumerate(names) if name == label]
    candidates = candidates or [k for k, name in enumerate(plain) if name in _IDS]
    wanted = {
        name: next((plain.index(w) for w in usual if w in plain), None)
        for name, usual in INFO["item"].items()
    }
    if not candidates:  # no header
        candidates, rows = [0], [names, *rows]
        wanted = {"title": 1, "genres": 2 if len(names) == 3 else None}
    texts = [str(raw) for raw in ids.ids]
    kept = {name: k for name, k in wanted.items() if k is not None}
    tried = [(*_by_id(rows, k, texts, list(kept.values())), k) for k in candidates]
    found, twice, column = max(tried, key=lambda one: len(one[0]))
    if twice is not None:
        raise DataError(
            f"{file} describes an item twice, in different ways", got=twice, remedy="keep one of these lines"
        )
    if not found or not any(k is not None and k < len(names) for k in wanted.values()):
        raise DataError(
            f"{file} contains none of the rated items",
            got=", ".join(map(str, names[:12])),
            allowed="a column of their ids, named as in the ratings, and title, genres, year or text",
            remedy="name its columns in a first line; ids are such as " + ", ".join(texts[:3]),
        )
    told = [found.get(text, []) for text in texts]
    cells = {name: [row[k] if k < len(row) else "" for row in told] for name, k in kept.items()}
    name = names[column] if rows[:1] != [names] else f"column {column + 1}"
    info = _info(cells, names, kept)
    told_of = f"{', '.join(info.columns)} of {len(found):,} of {len(texts):,} items"
    return info, f"{told_of} known from {file} (by {name})"


def item_table(path: Path, encoding: str | None = None) -> pd.DataFrame:
    """The table of a file about items, with a header, as it stands there.

    Raises:
        DataError: if the file is missing or malformed.
    """
    names, rows = _table(find_file(path), encoding)
    cells = [[*row, *[""] * (len(names) - len(row))][: len(names)] for row in rows]
    return pd.DataFrame(cells, columns=names)


def _by_id(
    rows: Rows, column: int, wanted: Sequence[str], read: Sequence[int]
) -> tuple[dict[str, list[Any]], str | None]:
    """The row of each id that is wanted, and an id whose rows differ in what is read, if there is any.

    Ids are read as numbers if none is written as the ratings write it.
    """

    def told(row: list[Any]) -> list[Any]:
        return [row[k] for k in read if k < len(row)]

    for plain in (_text, _number):
        keys = {plain(text): text for text in wanted}
        found: dict[str, list[Any]] = {}
        twice = None
        for row in rows:
            text = keys.get(plain(row[column])) if column < len(row) else None
            if text is not None and told(found.setdefault(text, row)) != told(row):
                twice = text
        if found:
            return found, twice
    return {}, None


def _text(raw: Any) -> str:
    return str(raw).strip()


def _number(raw: Any) -> str:
    text = _text(raw).removesuffix(".0")
    return text.lstrip("0") or "0"


def _info(cells: dict[str, list[Any]], names: list[str], kept: dict[str, int]) -> pd.DataFrame:
    titles = [word(cell) for cell in cells.get("title", [])]
    columns: dict[str, Any] = {"title": titles} if titles else {}
    years = [year(cell) for cell in cells.get("year", [])] or [year_of_title(title) for title in titles]
    if any(years):
        columns["year"] = pd.array(years, dtype="Int64")
    if "genres" in cells:
        by_blanks = names[kept["genres"]] == "class"  # as RecBole writes a sequence of words
        columns["genres"] = [genres(cell, by_blanks=by_blanks) for cell in cells["genres"]]
    if "text" in cells:
        columns["text"] = [word(cell) for cell in cells["text"]]
    return pd.DataFrame(columns)


def _table(file: RatingFile, encoding: str | None) -> tuple[list[str], Rows]:
    """The names of the columns, or the first row, and the (other) rows."""
    if file.is_parquet:
        return _parquet(file)
    if looks_like_json(file):
        objects = [one for _, one in json_objects(file, encoding)]
        names = list(dict.fromkeys(name for one in objects for name in one))
        return names, [[one.get(name, "") for name in names] for one in objects]
    for codec in text_encodings(file, encoding):
        try:
            return _text_table(file, codec)
        except UnicodeDecodeError:
            continue
    raise DataError(f"{file} is not text", remedy="name its encoding with --encoding")


def _parquet(file: RatingFile) -> tuple[list[str], Rows]:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise MissingExtraError(f"{file} is Parquet", extra="parquet") from error
    with file.open() as stream:
        try:
            table = pq.read_table(pa.BufferReader(stream.read()))
        except pa.ArrowException as error:
            raise DataError(f"{file} is not a Parquet file, or damaged ({error})") from error
    return list(table.column_names), [list(row.values()) for row in table.to_pylist()]


def _text_table(file: RatingFile, encoding: str) -> tuple[list[str], Rows]:
    with file.open_text(encoding) as text:
        first = text.readline().rstrip("\r\n")
        delimiter = max(_DELIMITERS, key=lambda d: (len(split_line(first, d)) - 1) * len(d))
        names = bare_names(split_line(first, delimiter))
        if len(delimiter) > 1 or delimiter == "|":
            return names, [line.rstrip("\r\n").split(delimiter) for line in text if line.strip()]
        reader = csv.reader(text, delimiter=delimiter, strict=delimiter != "\t")
        try:
            return names, [row for row in reader if row]
        except csv.Error as error:
            raise DataError(
                f"{file}, line {reader.line_num + 1}: the line is malformed: {error}",
                remedy="close or remove the quote of this line",
            ) from error
