"""Readers of text: a slow reference, and a fast one that must agree with it.

The fast reader (pandas' C parser) takes clean files and gives up on anything doubtful; the slow one then
reads the file again line by line, and either finds the exact line that is wrong or that nothing is.
"""

from __future__ import annotations

import contextlib
import csv
import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TextIO, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from igmc.errors import ConfigError, DataError
from igmc.ratings.raw_ratings import RawRatings, Vocabulary
from igmc.ratings.readers.files import LONGEST, RatingFile
from igmc.ratings.readers.layout import (
    BLANKS,
    COMMENT_SIGNS,
    NOTHING_SAID,
    TextLayout,
    TextOptions,
    text_layout,
)
from igmc.ratings.readers.lines import QuoteError, Skipped, finished, quotes_are_text, read_slow
from igmc.ratings.readers.tame import is_tame
from igmc.ratings.times import MAX_TIME, date_seconds

__all__ = ["read_fast", "read_slow", "read_text", "text_encodings"]

logger = logging.getLogger(__name__)

# Up to pandas 3.0 the usual conversion of floats may be off by the last digit.
_EXACT = {"float_precision": "round_trip"} if pd.__version__ < "3.1" else {}
_CHUNK = 1 << 20  # lines that the fast reader holds as text at a time


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
    file: RatingFile,
    columns: tuple[str, ...] | None = None,
    fields: int | None = None,
    options: TextOptions = NOTHING_SAID,
) -> RawRatings:
    """The ratings in a file of text.

    Args:
        columns: see `parse_columns`.
        fields: the number of fields of a line, if it is known; else that of the first line.
        options: what is said about the file rather than guessed.

    Raises:
        ConfigError: on an encoding that is not known.
        DataError: on any error, naming file and line.
    """
    *others, last = text_encodings(file, options.encoding)
    for encoding in others:
        with contextlib.suppress(UnicodeDecodeError):
            return _read_encoded(file, columns, fields, encoding, options)
    if last == "latin-1" and options.encoding is None and file.has_windows_text():
        with contextlib.suppress(UnicodeDecodeError):
            return _read_encoded(file, columns, fields, "cp1252", options)
    try:
        return _read_encoded(file, columns, fields, last, options)
    except UnicodeDecodeError as error:
        raise DataError(
            f"{file} is not {last} text ({error})",
            allowed="UTF-8 or Latin-1",
            remedy="name its encoding with --encoding, or fix it",
        ) from error


def text_encodings(file: RatingFile, given: str | None) -> tuple[str, ...]:
    """The encodings to try: the one that is given, or those that its bytes show.

    Raises:
        ConfigError: on an encoding that is not known.
        DataError: if the file is not text.
    """
    if given is None:
        return file.encodings()
    try:
        "".encode(given)
    except LookupError as error:
        raise ConfigError(
            "unknown --encoding", got=given, allowed="utf-8, cp1252, shift_jis, ... as Python names them"
        ) from error
    return (given,)


def _read_encoded(
    file: RatingFile,
    columns: tuple[str, ...] | None,
    fields: int | None,
    encoding: str,
    options: TextOptions,
) -> RawRatings:
    layout = text_layout(file, columns, encoding, fields, options)
    try:
        return _by_either(file, layout, encoding)
    except QuoteError as error:
        if len(layout.delimiter) > 1 or not quotes_are_text(file, layout, encoding):
            raise
        with contextlib.suppress(DataError):
            return _by_either(file, replace(layout, quoted=False), encoding)
        raise error


def _by_either(file: RatingFile, layout: TextLayout, encoding: str) -> RawRatings:
    try:
        return read_fast(file, layout, encoding)
    except UnicodeDecodeError:
        raise
    except (_DoubtfulError, ValueError, OverflowError, pd.errors.ParserWarning):
        logger.debug("%s is not plain throughout: reading it line by line", file)
        return read_slow(file, layout, encoding)


def read_fast(file: RatingFile, layout: TextLayout, encoding: str) -> RawRatings:
    """As `read_slow`, some fifty times faster; raises one of several exceptions when in doubt."""
    doubled = len(layout.delimiter) == 2 and layout.delimiter[0] == layout.delimiter[1]
    if layout.spaced or not (len(layout.delimiter) == 1 or doubled or layout.delimiter == BLANKS):
        raise _DoubtfulError
    if not is_tame(file, layout, encoding):
        raise _DoubtfulError
    users, items, skipped = Vocabulary(), Vocabulary(), Skipped(layout.blank)
    pieces: list[list[NDArray[Any]]] = []
    places, options = _c_parser(layout, doubled)
    user, item, rating, *_ = places
    with file.open_text(encoding) as text, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        for _ in range(layout.skip):
            text.readline()
        for chunk in pd.read_csv(cast(TextIO, _Bounded(text)), engine="c", chunksize=_CHUNK, **options):
            _check_fields(chunk, layout, doubled)
            kept = _without_blank(chunk, places)
            skipped.blank += len(chunk) - len(kept)
            _check_numbers(kept, places, layout)
            codes = [users.add_all(kept[user].array), items.add_all(kept[item].array)]
            numbers = np.ones(len(kept)) if rating is None else kept[rating].to_numpy()
            times = [_times(kept[k], layout) for k in places[3:]]
            pieces.append([*codes, numbers, *times])
    if "" in users.codes or "" in items.codes or not any(len(piece[0]) for piece in pieces):
        raise _DoubtfulError
    columns = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    stamps = columns[3] if len(columns) == 4 else None
    all_columns = (columns[0], columns[1], columns[2], stamps)
    return finished(file, layout, encoding, users, items, all_columns, skipped, layout.decimal == ",")


def _c_parser(layout: TextLayout, doubled: bool) -> tuple[list[Any], dict[str, Any]]:
    """The positions of user, item, rating and timestamp as pandas' C parser sees them, and its options."""
    # It has no delimiters of two characters, but sees empty fields between two colons.
    stride = 2 if doubled else 1
    wanted = (layout.user, layout.item, layout.rating, layout.timestamp)
    places = [None if k is None else stride * k for k in wanted]
    places = places if layout.timestamp is not None else places[:3]
    numbers = [k for k in (places[2:3] if layout.dates else places[2:]) if k is not None]
    names = list(range(stride * (layout.fields - 1) + 1))
    return places, {
        "sep": r"\s+" if layout.delimiter == BLANKS else layout.delimiter[0],
        "header": None,
        # All columns are read, since with usecols= it lets lines with too many fields pass.
        "names": names,
        "index_col": False,
        "dtype": {k: np.float64 if k in numbers else str for k in names},
        "na_values": {k: [""] for k in numbers},
        "keep_default_na": False,
        "skip_blank_lines": False,
        "decimal": layout.decimal,
        **_EXACT,
        "quoting": csv.QUOTE_MINIMAL if stride == 1 and layout.quoted else csv.QUOTE_NONE,
    }


def _check_fields(chunk: pd.DataFrame, layout: TextLayout, doubled: bool) -> None:
    if doubled and (chunk.iloc[:, 1::2] != "").any(axis=None):
        raise _DoubtfulError
    last = chunk.iloc[:, -1]
    short = last.isna() | (last == "")
    if layout.delimiter == BLANKS:  # such a line may be blank, lack a field in the middle, or be a comment
        if short.any() or chunk.iloc[:, 0].isin(COMMENT_SIGNS).any():
            raise _DoubtfulError
    elif layout.quoted and not doubled:  # or quotes, which may be text, hide the separator that it lacks
        texts = chunk[short].select_dtypes(exclude="number")
        if any(texts[k].str.contains(layout.delimiter, regex=False, na=False).any() for k in texts):
            raise _DoubtfulError


def _check_numbers(chunk: pd.DataFrame, places: list[Any], layout: TextLayout) -> None:
    if places[2] is not None and not np.isfinite(chunk[places[2]]).all():
        raise _DoubtfulError
    for times in (chunk[k] for k in places[3:] if not layout.dates):
        # Nothing but 0 and 1 may have been the words false and true, which are ratings, but no timestamps.
        if (times.abs() >= MAX_TIME).any() or times.dropna().isin((0, 1)).all():
            raise _DoubtfulError


def _times(column: pd.Series, layout: TextLayout) -> NDArray[np.float64]:
    if not layout.dates:
        return column.to_numpy()
    codes, texts = pd.factorize(column.fillna("").array)
    found = [date_seconds(text) if text.strip() else np.nan for text in texts]
    return np.array(found, np.float64)[codes]


def _without_blank(chunk: pd.DataFrame, places: list[Any]) -> pd.DataFrame:
    user, item, rating, *_ = places
    told: pd.Series = chunk[item if rating is None else rating]
    missing: pd.Series = told.isna() | (told == "")
    if rating is None and chunk[user].str.startswith(COMMENT_SIGNS, na=False).any():
        raise _DoubtfulError  # a comment, or a pair of somebody called #
    if not missing.any():
        return chunk
    rows = chunk[missing]
    others = (user,) if rating is None else (user, item)
    if any((rows[k].str.strip() != "").any() for k in others):
        raise _DoubtfulError
    kept: pd.DataFrame = chunk[~missing]
    return kept
