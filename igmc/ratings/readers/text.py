"""Ratings from lines of text: a slow reader that says what a file means, and a fast one that must agree.

The fast reader (pandas' C parser) takes clean files and gives up on anything doubtful; the slow one then
reads the file again line by line, and either finds the exact line that is wrong or that nothing is.
"""

from __future__ import annotations

import array
import contextlib
import csv
import itertools
import logging
import re
import warnings
from collections.abc import Iterator
from typing import Any, NoReturn, TextIO

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.readers.columns import LONGEST, TextLayout, read_line, text_layout
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.raw_ratings import RawRatings, Vocabulary, natural_ids
from igmc.ratings.table import UNKNOWN_TIME

__all__ = ["read_fast", "read_slow", "read_text"]

logger = logging.getLogger(__name__)

_NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
# What the C parser takes for numbers in a column that holds nothing else: a rating may well be one of two.
_TRUTH = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}
_CHUNK = 1 << 20  # lines that the fast reader holds as text at a time
_MAX_SECONDS = 2.0**53


class _DoubtfulError(Exception):
    """The fast reader will not vouch for this file."""


class _Bounded:
    """A text that pandas reads, as long as its lines are no longer than the slow reader takes."""

    def __init__(self, text: TextIO) -> None:
        self.text, self.since = text, 0  # characters since the last end of a line

    def read(self, size: int = -1) -> str:
        chunk = self.text.read(size)  # of a quarter of a million characters: only its first line may be long
        first = min((k for k in (chunk.find("\n"), chunk.find("\r")) if k >= 0), default=len(chunk))
        if self.since + first >= LONGEST:
            raise _DoubtfulError
        last = max(chunk.rfind("\n"), chunk.rfind("\r"))
        self.since = self.since + len(chunk) if last < 0 else len(chunk) - last - 1
        return chunk

    def __iter__(self) -> Iterator[str]:
        return iter(self.text)  # what pandas takes for a file has it


def read_text(
    file: RatingFile, columns: tuple[str, ...] | None = None, fields: int | None = None
) -> RawRatings:
    """The ratings in a file of text.

    Args:
        columns: see `parse_columns`.
        fields: the number of fields of a line, if it is known; else that of the first line.

    Raises:
        DataError: naming file and line, on whatever is wrong with it.
    """
    *others, last = file.encodings()
    for encoding in others:
        with contextlib.suppress(UnicodeDecodeError):
            return _read_encoded(file, columns, fields, encoding)
    try:
        return _read_encoded(file, columns, fields, last)
    except UnicodeDecodeError as error:
        raise DataError(f"{file} is not {last} text ({error})", allowed="UTF-8 or Latin-1") from error


def _read_encoded(
    file: RatingFile, columns: tuple[str, ...] | None, fields: int | None, encoding: str
) -> RawRatings:
    layout = text_layout(file, columns, encoding, fields)
    try:
        return read_fast(file, layout, encoding)
    except UnicodeDecodeError:
        raise
    except (_DoubtfulError, ValueError, OverflowError, pd.errors.ParserWarning):
        logger.debug("%s is not plain throughout: reading it line by line", file)
        return read_slow(file, layout, encoding)


def read_fast(file: RatingFile, layout: TextLayout, encoding: str) -> RawRatings:
    """As `read_slow`, some fifty times faster; raises one of several exceptions when in doubt."""
    users, items, blank = Vocabulary(), Vocabulary(), layout.blank
    pieces: list[list[NDArray[Any]]] = []
    places, options = _c_parser(layout)
    user, item, rating = places[:3]
    with file.open_text(encoding) as text, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        for _ in range(layout.skip):
            text.readline()
        for chunk in pd.read_csv(_Bounded(text), engine="c", chunksize=_CHUNK, **options):
            if len(layout.delimiter) == 2 and (chunk.iloc[:, 1::2] != "").any(axis=None):
                raise _DoubtfulError
            kept = _without_blank(chunk, user, item, rating)
            blank += len(chunk) - len(kept)
            _check_numbers(kept, places)
            codes = [users.add_all(kept[user].array), items.add_all(kept[item].array)]
            pieces.append([*codes, *(kept[k].to_numpy() for k in places[2:])])
    if any(not name.strip() for names in (users, items) for name in names.codes):
        raise _DoubtfulError
    if not any(len(piece[0]) for piece in pieces):
        raise _DoubtfulError
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    times = _seconds(columns[3]) if len(columns) == 4 else None
    return _finish(file, layout, encoding, users, items, columns[0], columns[1], columns[2], times, blank)


def _c_parser(layout: TextLayout) -> tuple[list[int], dict[str, Any]]:
    """The positions of user, item, rating and timestamp as pandas' C parser sees them, and its options."""
    # It has no delimiters of two characters, but sees empty fields between two colons.
    stride = len(layout.delimiter)
    wanted = (layout.user, layout.item, layout.rating, layout.timestamp)
    places = [stride * k for k in wanted if k is not None]
    numbers, names = places[2:], list(range(stride * (layout.fields - 1) + 1))
    return places, {
        "sep": layout.delimiter[0],
        "header": None,
        # All columns are read, since with usecols= it lets lines with too many fields pass.
        "names": names,
        "index_col": False,
        "dtype": {k: np.float64 if k in numbers else str for k in names},
        "na_values": {k: [""] for k in numbers},
        "keep_default_na": False,
        "skip_blank_lines": False,
        "quoting": csv.QUOTE_MINIMAL if stride == 1 else csv.QUOTE_NONE,
    }


def _check_numbers(chunk: pd.DataFrame, places: list[int]) -> None:
    if not np.isfinite(chunk[places[2]]).all():
        raise _DoubtfulError
    for times in (chunk[k] for k in places[3:]):
        # Nothing but 0 and 1 may have been the words false and true, which are ratings, but no timestamps.
        if (times.abs() > _MAX_SECONDS).any() or times.dropna().isin((0, 1)).all():
            raise _DoubtfulError


def _without_blank(chunk: pd.DataFrame, user: int, item: int, rating: int) -> pd.DataFrame:
    missing = chunk[rating].isna()
    if not missing.any():
        return chunk
    rows = chunk[missing]
    if (rows[user].str.strip() != "").any() or (rows[item].str.strip() != "").any():
        raise _DoubtfulError
    return chunk[~missing]


def _seconds(times: NDArray[np.float64]) -> NDArray[np.int64]:
    """Timestamps in whole seconds, int64; `UNKNOWN_TIME` where they are missing (NaN)."""
    return np.where(np.isnan(times), UNKNOWN_TIME, times).astype(np.int64)


def read_slow(file: RatingFile, layout: TextLayout, encoding: str) -> RawRatings:
    """The ratings of a file, line by line: what `read_fast` must agree with.

    Raises:
        DataError: naming file and line, on whatever is wrong.
    """
    users, items, blank = Vocabulary(), Vocabulary(), layout.blank
    user, item, rating = array.array("q"), array.array("q"), array.array("d")
    times = array.array("d")
    for line, cells in _lines(file, layout, encoding):
        if _is_blank(cells, layout):
            blank += 1
            continue
        for name, codes, vocabulary, k in (
            ("user", user, users, layout.user),
            ("item", item, items, layout.item),
        ):
            if not _cell(cells, k).strip():
                _bad_line(file, line, f"the {name} is missing", cells, "an id")
            codes.append(vocabulary.add(cells[k]))
        rating.append(_number(file, line, "rating", _cell(cells, layout.rating), layout))
        if layout.timestamp is not None:
            text = _cell(cells, layout.timestamp)
            times.append(_number(file, line, "timestamp", text, layout) if text else np.nan)
    if not rating:
        raise DataError(f"{file} holds no ratings", allowed="at least one rating", remedy="check the file")
    stamps = None if layout.timestamp is None else _seconds(np.array(times))
    columns = (np.array(user, np.int64), np.array(item, np.int64), np.array(rating, np.float64))
    return _finish(file, layout, encoding, users, items, *columns, stamps, blank)


def _lines(file: RatingFile, layout: TextLayout, encoding: str) -> Iterator[tuple[int, list[str]]]:
    """The number, from 1, and the fields of each line after the header."""
    with file.open_text(encoding) as text:
        for _ in range(layout.skip):
            text.readline()
        numbers = itertools.count(layout.skip + 1)
        lines = iter(lambda: read_line(file, next(numbers), text), "")
        if len(layout.delimiter) > 1:
            for number, row in enumerate(lines, start=layout.skip + 1):
                yield number, _checked(file, number, row.rstrip("\r\n").split(layout.delimiter), layout)
            return
        reader = csv.reader(lines, delimiter=layout.delimiter, strict=True)
        try:
            for cells in reader:
                number = layout.skip + reader.line_num
                yield number, _checked(file, number, cells, layout)
        except csv.Error as error:
            _bad_line(file, layout.skip + reader.line_num, f"the line is malformed: {error}", None, "CSV")


def _checked(file: RatingFile, line: int, cells: list[str], layout: TextLayout) -> list[str]:
    if len(cells) > layout.fields:
        extra = layout.delimiter.join(cells[layout.fields :])
        what = f"there are {len(cells)} fields, where the first line has {layout.fields}"
        _bad_line(file, line, what, extra, f"at most {layout.fields} fields")
    return cells


def _cell(cells: list[str], position: int) -> str:
    return cells[position] if position < len(cells) else ""


def _is_blank(cells: list[str], layout: TextLayout) -> bool:
    # The fast reader counts rows, so both must take the same ones for blank.
    return not any(_cell(cells, k).strip() for k in (layout.user, layout.item, layout.rating))


def _number(file: RatingFile, line: int, name: str, text: str, layout: TextLayout) -> float:
    if name == "rating" and text in _TRUTH:
        return _TRUTH[text]
    if not _NUMBER.fullmatch(text):
        what = f"the {name} is missing" if not text.strip() else f"the {name} is not a number"
        _bad_line(file, line, what, text, _allowed(name), header=line == 1 and layout.skip == 0)
    value = float(text)
    if not np.isfinite(value) or (name == "timestamp" and abs(value) > _MAX_SECONDS):
        _bad_line(file, line, f"the {name} is too large", text, _allowed(name))
    return value


def _allowed(name: str) -> str:
    if name == "rating":
        return "a finite number such as 4 or 3.5"
    return "seconds since 1970, such as 978300760 (nothing or -1 where unknown)"


def _bad_line(
    file: RatingFile, line: int, what: str, got: object, allowed: str, header: bool = False
) -> NoReturn:
    remedy = "mend or remove this line"
    if header:
        remedy = "if line 1 is a header, name its columns, as in --columns user_id,item_id,rating"
    raise DataError(f"{file}, line {line}: {what}", got=got, allowed=allowed, remedy=remedy)


def _finish(
    file: RatingFile,
    layout: TextLayout,
    encoding: str,
    users: Vocabulary,
    items: Vocabulary,
    user: NDArray[np.int64],
    item: NDArray[np.int64],
    rating: NDArray[np.float64],
    timestamp: NDArray[np.int64] | None,
    blank: int,
) -> RawRatings:
    def where(row: int) -> str:
        rows = (n for n, cells in _lines(file, layout, encoding) if not _is_blank(cells, layout))
        return f"{file}, line {next(n for k, n in enumerate(rows) if k == row)}"

    names = natural_ids(list(users.codes)), natural_ids(list(items.codes))
    plain = encoding.removesuffix("-sig")
    return RawRatings(*names, user, item, rating, timestamp, where, blank, plain)
