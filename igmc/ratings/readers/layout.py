"""The layout of a text file: the field separator, and the meaning of each field."""

from __future__ import annotations

import contextlib
import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.columns import are_positions, bare_names, choose
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.times import looks_like_date

__all__ = [
    *("BLANKS", "COMMENT_SIGNS", "DECIMAL_COMMA", "NOTHING_SAID", "NUMBER", "TextLayout", "TextOptions"),
    *("is_comment", "pick_separator", "split_line", "text_layout"),
]

BLANKS = "blanks"  # runs of blanks and tabs
NUMBER = re.compile(r"\s*[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?\s*", re.ASCII)
DECIMAL_COMMA = re.compile(r"\s*[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?\s*", re.ASCII)
COMMENT_SIGNS = ("#", "%")
_DELIMITERS = ("::", "\t", ",", ";", "|")
_WORDS = {"tab": "\t", "blanks": BLANKS, "comma": ",", "semicolon": ";"}
_SEP_LINE = re.compile(r"\s*\"?sep=(.|\\t)\"?\s*", re.IGNORECASE)
_SAMPLE = 60  # lines that are looked at


class TextOptions(NamedTuple):
    """Options for reading a text file; None means that a property is guessed.

    Attributes:
        separator: between two fields; see `pick_separator`.
        header: whether the first line names the columns.
        encoding: of the text.
        implicit: whether there may be no ratings.
    """

    separator: str | None = None
    header: bool | None = None
    encoding: str | None = None
    implicit: bool = False


NOTHING_SAID = TextOptions()


@dataclass(frozen=True)
class TextLayout:
    """How to read the lines of a text file.

    Attributes:
        delimiter: what stands between two fields, or `BLANKS`.
        fields: the number of fields of a line; a line may have fewer, but not between blanks, and never more.
        user, item, rating, timestamp: positions from 0; None where there is no such column.
        skip: lines before the first rating, the header included.
        blank: how many of those are blank.
        quoted: whether quotes enclose fields; if not, they are part of the text.
        spaced: whether blanks may stand before a quote that encloses a field.
        decimal: ``.`` or ``,``, as the first lines have it.
        dates: whether times are dates rather than numbers.
        notes: what was guessed, for the report.
    """

    delimiter: str
    fields: int
    user: int
    item: int
    rating: int | None
    timestamp: int | None
    skip: int = 0
    blank: int = 0
    quoted: bool = True
    spaced: bool = False
    decimal: str = "."
    dates: bool = False
    notes: tuple[str, ...] = ()


def pick_separator(text: str) -> str:
    r"""The separator that an option names: itself, a word for it, or an escape such as ``\x01``.

    Raises:
        ConfigError: if it cannot separate fields.

    >>> pick_separator("tab"), pick_separator("||")
    ('\t', '||')
    """
    found = _WORDS.get(text.lower(), text)
    if "\\" in found:
        with contextlib.suppress(UnicodeError):
            found = found.encode("latin-1").decode("unicode_escape")
    if not found or any(c in found for c in '"\r\n\0'):
        raise ConfigError(
            "--separator cannot separate fields",
            got=text,
            allowed="a character, several, 'tab', or 'blanks' for runs of blanks and tabs",
        )
    return found


def is_comment(line: str) -> bool:
    """Whether a line begins as comments do."""
    return line.lstrip(" \t\ufeff").startswith(COMMENT_SIGNS)


def text_layout(
    file: RatingFile,
    columns: tuple[str, ...] | None,
    encoding: str,
    fields: int | None = None,
    options: TextOptions = NOTHING_SAID,
) -> TextLayout:
    """The layout of a file, from its first lines, ``columns`` (see `parse_columns`) and what is said.

    ``fields`` is the number of fields of a line, if it is known.

    Raises:
        DataError: if the file has no text, or lacks a column.
    """
    with file.open_text(encoding) as text:
        head = list(_head(file.lines(text)))
    lines = [(number, line) for number, line in head if line.strip()]
    separator, notes = options.separator and pick_separator(options.separator), []
    if lines and (told := _SEP_LINE.fullmatch(lines[0][1])):
        separator = separator or told[1].replace("\\t", "\t")
        lines = lines[1:]
    body = [(number, line) for number, line in lines if not is_comment(line)] or lines
    if not body:
        raise DataError(f"{file} is empty", allowed="at least one rating", remedy="check the file")
    sample = [line for _, line in body[:_SAMPLE]]
    delimiter = separator or _sniffed(sample, columns, 2 if options.implicit else 3)
    if separator is None and delimiter not in (",", "::", "\t"):
        notes.append("fields are separated by " + (BLANKS if delimiter == BLANKS else repr(delimiter)))
    first = _first(lines, body, delimiter, columns, options.implicit)
    number, line = first
    where = f"{file}, line {number}"
    cells = split_line(line.lstrip("#% \t") if first not in body else line, delimiter)
    later = [split_line(line, delimiter) for at, line in lines if at > number and not is_comment(line)]
    places, has_header = _places(where, cells, later, delimiter, columns, options)
    skip = number if has_header else number - 1
    if not has_header:
        later = [cells, *later]
    user, item, rating, timestamp = [*places, None][:4]
    ratings = [row[rating] for row in later if rating is not None and rating < len(row)]
    times = [row[timestamp] for row in later if timestamp is not None and timestamp < len(row)]
    return TextLayout(
        delimiter,
        fields or len(cells),
        user,
        item,
        rating,
        timestamp,
        skip,
        blank=sum(not text.strip() for at, text in head if at <= skip),
        spaced=len(delimiter) == 1 and any(re.search(re.escape(delimiter) + ' +"', one) for one in sample),
        decimal="," if any(map(DECIMAL_COMMA.fullmatch, ratings)) else ".",
        dates=next((looks_like_date(time) for time in times if time.strip()), False),
        notes=tuple(notes),
    )


def _head(text: Iterable[str]) -> Iterator[tuple[int, str]]:
    """The number and the text of the first lines: up to so many that are not blank."""
    left = 4 * _SAMPLE
    for number, line in enumerate(text, start=1):
        yield number, line.rstrip("\r\n")
        left -= bool(line.strip())
        if not left:
            return


def _first(
    lines: list[tuple[int, str]],
    body: list[tuple[int, str]],
    delimiter: str,
    columns: tuple[str, ...] | None,
    implicit: bool,
) -> tuple[int, str]:
    """The line that names the columns, or holds the first rating: a comment may be either."""
    before = [(number, line) for number, line in lines if number < body[0][0]]
    if are_positions(columns):
        return next((one for one in before if _is_rating(one[1], delimiter, columns or ())), body[0])
    names = bare_names(split_line(before[-1][1].lstrip("#% \t"), delimiter)) if before else []
    cells = bare_names(split_line(body[0][1], delimiter))
    named = [_names_all(one, columns, implicit) for one in (names, cells)]
    return before[-1] if named == [True, False] else body[0]


def _names_all(names: list[str], columns: tuple[str, ...] | None, implicit: bool) -> bool:
    try:
        choose("", names, columns, implicit=implicit)
    except DataError:
        return False
    return True


def _is_rating(line: str, delimiter: str, columns: tuple[str, ...]) -> bool:
    if not columns[2]:  # with no rating to tell by, what begins as a comment is one
        return False
    cells, places = split_line(line, delimiter), [int(name) - 1 for name in columns]
    if delimiter == BLANKS and cells[0] in COMMENT_SIGNS:  # of a comment in words or numbers
        return False
    return max(places[:3]) < len(cells) and NUMBER.fullmatch(cells[places[2]]) is not None


def _places(
    where: str,
    cells: list[str],
    later: list[list[str]],
    delimiter: str,
    columns: tuple[str, ...] | None,
    options: TextOptions,
) -> tuple[list[Any], bool]:
    """The positions from 0 of the columns, and whether the line with these cells names them."""
    names, header, implicit = bare_names(cells), options.header, options.implicit
    if header is False and not are_positions(columns):
        raise DataError(
            f"{where}: a file without a header needs the positions of its columns",
            got="--no-header",
            remedy=f"name them, as in --columns {'1,2' if implicit else '1,2,3'}",
        )
    if not are_positions(columns):
        return choose(where, names, columns, implicit=implicit), True
    wanted = columns or ()
    if header and set(wanted) <= {*names, ""}:
        return choose(where, names, columns), True
    places = [int(name) - 1 if name else None for name in wanted]
    last = max(k for k in places if k is not None)
    if last >= len(cells):
        shown = BLANKS if delimiter == BLANKS else repr(delimiter)
        raise DataError(
            f"{where}: there is no such column",
            got=f"position {last + 1}",
            allowed=f"1..{len(cells)}, fields being separated by {shown}",
            remedy="fix --columns, or set the separator with --separator",
        )
    if header is None and len(names) > 1 and names in (_numbers(0, len(names)), _numbers(1, len(names))):
        header = _is_header(where, names, places, later)
    return places, bool(header)


def _is_header(where: str, names: list[str], places: list[int | None], later: list[list[str]]) -> bool:
    """Whether a line such as 0,1,2 names columns, as the lines after it tell.

    Raises:
        DataError: if they do not tell.
    """
    there = [k for k in places if k is not None]
    rows = [row for row in later if len(row) > max(there)]
    if any(not row[k].strip().isdigit() for row in rows for k in there[:2]):
        return True
    if len(places) == 4 and rows and all(len(row[there[-1]].strip()) > 6 for row in rows):
        return True
    if rows:
        raise DataError(
            f"{where}: this may be a header of numbers, or the first rating",
            got=",".join(names),
            remedy="use --header if these are names of columns, or --no-header if they are a rating",
        )
    return False


def _numbers(start: int, count: int) -> list[str]:
    return [str(k) for k in range(start, start + count)]


def _sniffed(sample: list[str], columns: tuple[str, ...] | None, least: int) -> str:
    """The delimiter that cuts the first line in so many fields or more, and the next ones in as many."""
    wanted = set() if columns is None or are_positions(columns) else set(columns) - {""}

    def fitness(delimiter: str) -> tuple[bool, bool, float, int]:
        cells = [split_line(line, delimiter) for line in sample]
        same = sum(len(row) == len(cells[0]) for row in cells) / len(cells)
        named = wanted <= set(bare_names(cells[0]))
        weight = len(cells[0]) - 1
        return len(cells[0]) >= least, named, round(same, 1), weight * len(delimiter)

    best = max(_DELIMITERS, key=fitness)
    if not fitness(best)[0] and len(split_line(sample[0], BLANKS)) >= least:
        return BLANKS
    return best


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; quotes count except where the delimiter has several characters."""
    if delimiter == BLANKS:
        line = line.strip(" \t\r\n")
        if '"' not in line:
            return re.split(r"[ \t]+", line)
        return next(csv.reader([line.replace("\t", " ")], delimiter=" ", skipinitialspace=True), [])
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter, skipinitialspace=f'{delimiter} "' in line), [])
