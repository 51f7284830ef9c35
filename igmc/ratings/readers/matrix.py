"""A dense matrix of ratings: a line for each user, a column for each item."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.raw_ratings import RawRatings, natural_ids
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.layout import DECIMAL_COMMA, NUMBER, TextOptions, pick_separator, split_line
from igmc.ratings.readers.text import text_encodings

__all__ = ["read_matrix"]

_PLAIN = re.compile(r"[0-9 .+-]*", re.ASCII)
_DELIMITERS = (",", "\t", ";", "|", "blanks")


def read_matrix(file: RatingFile, options: TextOptions, missing: frozenset[float]) -> RawRatings:
    """The ratings in a matrix of text; a cell that is empty is not a rating.

    With a header, it names the items, and the first column the users. Without one, users and items are the
    numbers of lines and columns, from 1; a first column that counts the ratings of its line, as in Jester, is
    left out.

    Args:
        missing: the numbers that stand for no rating.

    Raises:
        DataError: naming the line and column that makes no sense.
    """
    for encoding in text_encodings(file, options.encoding):
        try:
            lines = list(_rows(file, encoding, options.separator))
            break
        except UnicodeDecodeError:
            continue
    if not lines or len(lines[0][1]) < 2:
        raise DataError(
            f"{file} is not a matrix",
            got=f"{len(lines[0][1]) if lines else 0} columns",
            allowed="a line for each user, a column for each item",
            remedy="set the separator with --separator",
        )
    header = lines[0][1]
    named = options.header
    if named is None:
        named = not all(not cell.strip() or _is_number(cell) for cell in header) or not header[0].strip()
    cells = np.full((len(lines) - named, len(header)), np.nan)
    texts: list[str] = []
    for row, (line, fields) in enumerate(lines[named:]):
        if len(fields) != len(header):
            raise DataError(
                f"{file}, line {line}: there are {len(fields)} fields; the first line has {len(header)}",
                remedy="fix or remove this line",
            )
        texts.append(fields[0].strip())
        cells[row, int(named) :] = _numbers(file, line, int(named), fields)
    numbers = np.array([line for line, _ in lines[named:]])
    if named:
        users, items = natural_ids(texts), natural_ids([name.strip() for name in header[1:]])
        for name, found in (("user", users), ("item", items)):
            if len(set(found)) < len(found) or "" in found:
                raise DataError(f"{file}: an id of a {name} is empty or occurs twice", allowed="distinct ids")
        return _long(file, cells[:, 1:], users, items, numbers, missing, ())
    cells, notes = _without_counts(file, cells, missing)
    users, items = ([*range(1, size + 1)] for size in cells.shape)
    return _long(file, cells, users, items, numbers, missing, notes)


def _rows(file: RatingFile, encoding: str, separator: str | None) -> Iterator[tuple[int, list[str]]]:
    delimiter = None if separator is None else pick_separator(separator)
    with file.open_text(encoding) as text:
        for number, line in enumerate(text, start=1):
            line = line.rstrip("\r\n")
            if line.strip():
                delimiter = delimiter or max(_DELIMITERS, key=lambda d: len(split_line(line, d)))
                yield number, split_line(line, delimiter)


def _is_number(cell: str) -> bool:
    return bool(NUMBER.fullmatch(cell) or DECIMAL_COMMA.fullmatch(cell))


def _numbers(file: RatingFile, line: int, first: int, fields: list[str]) -> list[float]:
    if _PLAIN.fullmatch(" ".join(fields[first:])):  # the usual case, and much quicker
        with contextlib.suppress(ValueError):
            return [float(text) if text and not text.isspace() else np.nan for text in fields[first:]]
    return [_number(file, line, column, fields[column]) for column in range(first, len(fields))]


def _number(file: RatingFile, line: int, column: int, text: str) -> float:
    if not text.strip():
        return np.nan
    if not _is_number(text) or not np.isfinite(value := float(text.replace(",", "."))):
        raise DataError(
            f"{file}, line {line}, column {column + 1}: the rating is not a finite number",
            got=text,
            allowed="numbers, and empty cells where there is no rating",
            remedy="fix it; if the first line names the items, use --header",
        )
    return value


def _without_counts(
    file: RatingFile, cells: NDArray[np.float64], missing: frozenset[float]
) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    rest = cells[:, 1:]
    rated = (~np.isnan(rest) & ~np.isin(rest, sorted(missing))).sum(axis=1)
    if np.array_equal(cells[:, 0], rated):
        return rest, ("the first column, which counts the ratings of its line, left out",)
    first = cells[:, 0]
    if (
        len(first) > 2
        and len(np.unique(first)) == len(first)
        and not np.any(first % 1)
        and first.max() > np.nanmax(rest)
    ):
        raise DataError(
            f"{file}: the first column looks like ids of users rather than ratings",
            got=first[:3].tolist(),
            allowed="a header that names the items, the first cell of which may be empty; or ratings alone",
            remedy="add a header line, or remove the column",
        )
    return cells, ()


def _long(
    file: RatingFile,
    cells: NDArray[np.float64],
    users: list[int | str],
    items: list[int | str],
    lines: NDArray[np.int64],
    missing: frozenset[float],
    notes: tuple[str, ...],
) -> RawRatings:
    user, item = np.nonzero(~np.isnan(cells))
    shape = f"a matrix of {len(users):,} users and {len(items):,} items"

    def where(row: int) -> str:
        return f"{file}, line {lines[user[row]]}, item {items[item[row]]}"

    if not len(user):
        raise DataError(f"{file} holds no ratings", allowed="at least one rating", remedy="check the file")
    return RawRatings(users, items, user, item, cells[user, item], None, where, notes=(shape, *notes))
