"""The slow reader of text, line by line, which locates errors."""

from __future__ import annotations

import array
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NoReturn, TextIO

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.raw_ratings import RawRatings, Vocabulary, trimmed_note
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.layout import BLANKS, COMMENT_SIGNS, DECIMAL_COMMA, NUMBER, TextLayout, is_comment
from igmc.ratings.times import ALLOWED, MAX_TIME, date_seconds, looks_like_date, to_seconds

__all__ = ["QuoteError", "Skipped", "finished", "quotes_are_text", "read_slow"]

# What the C parser takes for numbers in a column that holds nothing else: a rating may well be one of two.
_TRUTH = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}


class QuoteError(DataError):
    """Quotes that do not enclose fields as CSV asks for, or may not (exit code 3)."""


@dataclass
class Skipped:
    """What was skipped: blank lines, comments, and quoted cells with line breaks."""

    blank: int = 0
    comments: int = 0
    breaks: int = 0


def read_slow(file: RatingFile, layout: TextLayout, encoding: str) -> RawRatings:
    """The ratings of a file, line by line: what `igmc.ratings.readers.text.read_fast` must agree with.

    Raises:
        DataError: on any error, naming file and line.
    """
    users, items, skipped, numbers = Vocabulary(), Vocabulary(), Skipped(layout.blank), _Numbers(file, layout)
    user, item = array.array("q"), array.array("q")
    rating, times = array.array("d"), array.array("d")
    for line, cells in _ratings(file, layout, encoding, skipped):
        for name, codes, vocabulary, k in (
            ("user", user, users, layout.user),
            ("item", item, items, layout.item),
        ):
            text = _cell(cells, k)
            if not text.strip() or "\0" in text:
                what = "the {} holds a NUL character" if "\0" in text else "the {} is missing"
                _bad_line(file, line, what.format(name), cells, "an id")
            codes.append(vocabulary.add(text))
        rating.append(1.0 if layout.rating is None else numbers.rating(line, _cell(cells, layout.rating)))
        if layout.timestamp is not None:
            times.append(numbers.time(line, _cell(cells, layout.timestamp)))
        if len(cells) < layout.fields == len(cells) + sum(cell.count(layout.delimiter) for cell in cells):
            what = f"there are {len(cells)} fields, but {layout.fields} if the quotes are part of the text"
            _bad_quote(file, line, what, layout.delimiter.join(cells))
    if not rating:
        raise DataError(f"{file} holds no ratings", allowed="at least one rating", remedy="check the file")
    stamps = None if layout.timestamp is None else np.array(times)
    columns = (np.array(user, np.int64), np.array(item, np.int64), np.array(rating, np.float64), stamps)
    return finished(file, layout, encoding, users, items, columns, skipped, numbers.decimal == ",")


def finished(
    file: RatingFile,
    layout: TextLayout,
    encoding: str,
    users: Vocabulary,
    items: Vocabulary,
    columns: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64] | None],
    skipped: Skipped,
    decimal_comma: bool,
) -> RawRatings:
    """The ratings of a file that has been read: n codes of users and of items, ratings and times.

    Raises:
        DataError: see `igmc.ratings.times.to_seconds`.
    """

    def where(row: int) -> str:
        rows = _ratings(file, layout, encoding, Skipped())
        return f"{file}, line {next(line for k, (line, _) in enumerate(rows) if k == row)}"

    (user_ids, user), (item_ids, item) = users.ids(columns[0]), items.ids(columns[1])
    stamps, time_notes = (None, ()) if columns[3] is None else to_seconds(columns[3], where)
    notes = [*layout.notes, *(["decimal commas"] if decimal_comma else [])]
    if not layout.quoted and (line := file.first_line_with('"', encoding)):
        notes.append(f"quotes taken as part of the text, the first in line {line}")
    notes += [f"{skipped.comments:,} comment lines skipped"] if skipped.comments else []
    notes += [f"{skipped.breaks:,} quoted cells hold a line break"] if skipped.breaks else []
    return RawRatings(
        user_ids,
        item_ids,
        user,
        item,
        columns[2],
        stamps,
        where,
        skipped.blank,
        encoding.removesuffix("-sig"),
        (*notes, *trimmed_note(users, items), *time_notes),
        layout.rating is not None,
    )


def quotes_are_text(file: RatingFile, layout: TextLayout, encoding: str) -> bool:
    """Whether no field of any line is enclosed in quotes, so that those there are belong to the text."""
    with file.open_text(encoding) as text:
        for line in file.lines(text):
            cells = [cell.strip() for cell in line.split(layout.delimiter)]
            if len(cells) > layout.fields or any(c[:1] == '"' == c[-1:] for c in cells):
                return False
    return True


def _ratings(
    file: RatingFile, layout: TextLayout, encoding: str, skipped: Skipped
) -> Iterator[tuple[int, list[str]]]:
    """The number of the first line, from 1, and the fields of each rating; the rest is counted."""
    places = [k for k in (layout.user, layout.item, layout.rating) if k is not None]
    with file.open_text(encoding) as text:
        for _ in range(layout.skip):
            text.readline()
        rows = (
            _csv_rows(file, layout, text) if len(layout.delimiter) == 1 else _split_rows(file, layout, text)
        )
        for number, cells in rows:
            if not any(_cell(cells, k).strip() for k in places):
                skipped.blank += 1  # and a row of the fast reader too
            elif _is_comment_row(cells, layout):
                _check_comment(file, number, cells, layout)
                skipped.comments += 1
            else:
                _check_fields(file, number, cells, layout)
                skipped.breaks += _broken_cells(file, number, cells, layout)
                yield number, cells


def _is_comment_row(cells: list[str], layout: TextLayout) -> bool:
    """Whether a row begins as comments do and is not a rating."""
    if layout.delimiter == BLANKS and cells[0] in COMMENT_SIGNS:
        return True
    return is_comment(cells[0]) and (layout.rating is None or not _is_number(_cell(cells, layout.rating)))


def _check_comment(file: RatingFile, line: int, cells: list[str], layout: TextLayout) -> None:
    """Refuse what may be a rating of somebody called # or % as well as a comment in numbers."""
    allowed = "comments without a number where ratings have theirs, or before the first rating"
    if layout.rating is None:
        doubtful, allowed = len(cells) >= layout.fields, f"comments of fewer than {layout.fields} fields"
    else:  # in as many fields or, with an empty one, in fewer
        doubtful = _is_number(_cell(cells, layout.rating))
    if doubtful:
        what = f"this is a comment or a {'pair' if layout.rating is None else 'rating'}"
        _bad_line(file, line, what, " ".join(cells), allowed)


def _csv_rows(file: RatingFile, layout: TextLayout, text: TextIO) -> Iterator[tuple[int, list[str]]]:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if layout.quoted else csv.QUOTE_NONE
    reader = csv.reader(
        file.lines(text, layout.skip + 1),
        delimiter=layout.delimiter,
        quoting=quoting,
        skipinitialspace=layout.spaced,
        strict=True,
    )
    first = layout.skip + 1
    try:
        for cells in reader:
            yield first, cells
            first = layout.skip + reader.line_num + 1
    except csv.Error as error:
        last = layout.skip + reader.line_num
        to = "" if last <= first else f", in a quoted field that continues to line {last}"
        raise QuoteError(
            f"{file}, line {first}: the line is malformed: {error}{to}",
            allowed="CSV, in which every opening quote is closed",
            remedy="close or remove the quote of this line",
        ) from error


def _split_rows(file: RatingFile, layout: TextLayout, text: TextIO) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(file.lines(text, layout.skip + 1), start=layout.skip + 1):
        if layout.delimiter != BLANKS:
            yield number, line.rstrip("\r\n").split(layout.delimiter)
            continue
        line = line.strip(" \t\r\n")
        if '"' not in line:
            cells = re.split(r"[ \t]+", line)
        else:
            try:
                if "\t" in line:
                    raise csv.Error("quotes and tabs in one line")
                (cells,) = csv.reader([line], delimiter=" ", skipinitialspace=True, strict=True)
            except csv.Error as error:
                _bad_line(file, number, f"the line is malformed: {error}", line, "fields between blanks")
        if line and not _is_comment_row(cells, layout) and len(cells) < layout.fields:
            what = f"there are {len(cells)} fields, where the first line has {layout.fields}"
            _bad_line(file, number, what, line, f"{layout.fields} fields, since blanks separate them")
        yield number, cells


def _check_fields(file: RatingFile, line: int, cells: list[str], layout: TextLayout) -> None:
    if len(cells) > layout.fields:
        extra = (" " if layout.delimiter == BLANKS else layout.delimiter).join(cells[layout.fields :])
        what = f"there are {len(cells)} fields, where the first line has {layout.fields}"
        _bad_line(file, line, what, extra, f"at most {layout.fields} fields")


def _broken_cells(file: RatingFile, line: int, cells: list[str], layout: TextLayout) -> int:
    """How many cells hold a line break; none of them may hold lines that are ratings themselves."""
    broken = [at for at, cell in enumerate(cells) if "\n" in cell or "\r" in cell]
    for at in broken:
        first, *later = re.split("\r\n|\n|\r", cells[at])
        before = layout.delimiter.join([*cells[:at], '"' + first])
        # From the rating on, what stands before the break is the rating that the cell belongs to.
        last = max(layout.user, layout.item) if layout.rating is None else layout.rating
        _check_swallowed(file, line, [*([before] if at < last else []), *later], layout)
    return len(broken)


def _check_swallowed(file: RatingFile, line: int, texts: list[str], layout: TextLayout) -> None:
    for text in texts:
        row = text.split(layout.delimiter)
        whole = len(row) == layout.fields and all(_cell(row, k).strip() for k in (layout.user, layout.item))
        if whole and (layout.rating is None or _is_number(_cell(row, layout.rating))):
            _bad_quote(file, line, "a quoted field holds a whole line that is a rating itself", text)


def _cell(cells: list[str], position: int) -> str:
    return cells[position] if position < len(cells) else ""


def _is_number(text: str) -> bool:
    return text.strip() in _TRUTH or any(kind.fullmatch(text) for kind in (NUMBER, DECIMAL_COMMA))


class _Numbers:
    """Reads the numbers of a file, which are written one way throughout."""

    def __init__(self, file: RatingFile, layout: TextLayout) -> None:
        self.file, self.layout = file, layout
        self.decimal: str | None = None
        self.dates: bool | None = None

    def rating(self, line: int, text: str) -> float:
        if text.strip() in _TRUTH:
            return _TRUTH[text.strip()]
        mark = "," if DECIMAL_COMMA.fullmatch(text) else "." if "." in text else None
        if mark and NUMBER.fullmatch(text.replace(",", ".")):
            self.decimal = self.decimal or mark
            if mark != self.decimal:
                allowed = f"decimals with {self.decimal!r}, as in the lines before"
                _bad_line(self.file, line, "the rating is written otherwise than others", text, allowed)
        return self._number(line, "rating", text.replace(",", ".") if mark == "," else text)

    def time(self, line: int, text: str) -> float:
        """Not a number where there is none."""
        if not text.strip():
            return np.nan
        if self.dates is None:
            self.dates = looks_like_date(text)
        if not self.dates:
            return self._number(line, "timestamp", text)
        try:
            return date_seconds(text)
        except ValueError:
            _bad_line(self.file, line, "the timestamp is not an ISO date", text, ALLOWED)

    def _number(self, line: int, name: str, text: str) -> float:
        allowed = ALLOWED if name == "timestamp" else "a finite number such as 4 or 3.5"
        if not NUMBER.fullmatch(text):
            what = f"the {name} is missing" if not text.strip() else f"the {name} is not a number"
            _bad_line(self.file, line, what, text, allowed, header=line == 1 and self.layout.skip == 0)
        value = float(text)
        if not np.isfinite(value) or (name == "timestamp" and abs(value) >= MAX_TIME):
            _bad_line(self.file, line, f"the {name} is too large", text, allowed)
        return value


def _bad_quote(file: RatingFile, line: int, what: str, got: str) -> NoReturn:
    remedy = "close or remove the quote of this line"
    raise QuoteError(f"{file}, line {line}: {what}", got=got, allowed="quotes around fields", remedy=remedy)


def _bad_line(
    file: RatingFile, line: int, what: str, got: object, allowed: str, header: bool = False
) -> NoReturn:
    remedy = "fix or remove this line"
    if header:
        remedy = "if line 1 is a header, name its columns, as in --columns user_id,item_id,rating"
    raise DataError(f"{file}, line {line}: {what}", got=got, allowed=allowed, remedy=remedy)
