"""Where user, item, rating and timestamp stand in a file of text."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.files import RatingFile

__all__ = ["LONGEST", "USUAL", "TextLayout", "choose", "parse_columns", "read_line", "text_layout"]

LONGEST = 1 << 24  # characters of a line at most

_DELIMITERS = ("::", "\t", ",", ";", "|")
# What a column is usually called, in small letters and without what is neither letter nor digit.
USUAL: dict[str, tuple[str, ...]] = {
    "user": ("user", "userid", "uid", "reviewerid", "customerid"),
    "item": ("item", "itemid", "iid", "movie", "movieid", "book", "bookid", "product", "productid", "asin"),
    "rating": ("rating", "ratings", "score", "stars", "overall"),
    "timestamp": ("timestamp", "time", "ts", "unixreviewtime"),
}
_SYNTAX = "user,item,rating[,timestamp]: names in the header, or positions from 1 if there is none"


@dataclass(frozen=True)
class TextLayout:
    """How to read the lines of a text file.

    Attributes:
        delimiter: what stands between two fields.
        fields: the number of fields of a line; a line may have fewer, never more.
        user, item, rating, timestamp: positions from 0.
        skip: lines before the first rating, the header included.
        blank: how many of those are blank.
    """

    delimiter: str
    fields: int
    user: int
    item: int
    rating: int
    timestamp: int | None
    skip: int = 0
    blank: int = 0


def parse_columns(text: str | None) -> tuple[str, ...] | None:
    """The names or positions in a ``--columns`` text; quoted where a name has a comma.

    Raises:
        ConfigError: unless there are three or four different ones.

    >>> parse_columns('user_id, "book, id", rating')
    ('user_id', 'book, id', 'rating')
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []))
    if len(names) not in (3, 4) or len(set(names)) < len(names) or not all(names):
        raise ConfigError(
            "--columns is malformed",
            got=text,
            allowed=_SYNTAX,
            remedy="for example --columns user_id,item_id,rating",
        )
    return names


def choose(where: str, available: Sequence[str], columns: tuple[str, ...] | None) -> list[int]:
    """The positions from 0 of user, item, rating and, if there is one, timestamp among named columns.

    Raises:
        DataError: naming `where`, if a column is missing or stands twice.
    """
    if columns is not None:
        return [_position(where, available, name) for name in columns]
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in available]
    found = [[k for k, name in enumerate(plain) if name in usual] for usual in USUAL.values()]
    if any(len(hits) != 1 for hits in found[:3]):
        raise DataError(
            f"{where}: the columns of user, item and rating are not clear from their names",
            got=", ".join(available),
            allowed="names such as user_id, item_id, rating",
            remedy="name them so in a first line; or, where there is the option, say which they are with "
            "--columns user,item,rating[,timestamp], or --columns 1,2,3 (positions) if the file has no "
            "header",
        )
    return [hits[0] for hits in found if len(hits) == 1]


def _position(where: str, available: Sequence[str], name: str) -> int:
    hits = [k for k, other in enumerate(available) if other == name]
    if len(hits) == 1:
        return hits[0]
    near = difflib.get_close_matches(name, available, n=1)
    raise DataError(
        f"{where}: " + ("several columns have the same name" if hits else "there is no such column"),
        got=name,
        allowed=", ".join(available),
        remedy=f"did you mean {near[0]}?"
        if near and not hits
        else "mend --columns; if the file has no header, give positions, as in --columns 1,2,3",
    )


def text_layout(
    file: RatingFile, columns: tuple[str, ...] | None, encoding: str, fields: int | None = None
) -> TextLayout:
    """The layout of a file, from its first line and ``columns`` (see `parse_columns`).

    ``fields`` is the number of fields of a line, if it is known.

    Raises:
        DataError: if the file has no text, or lacks a column.
    """
    with file.open_text(encoding) as text:
        blank, line = 0, read_line(file, 1, text)
        while line and not line.strip():
            blank, line = blank + 1, read_line(file, blank + 2, text)
    if not line:
        raise DataError(f"{file} is empty", allowed="at least one rating", remedy="check the file")
    line = line.rstrip("\r\n")
    delimiter = max(_DELIMITERS, key=lambda d: (line.count(d) * len(d), -_DELIMITERS.index(d)))
    cells = split_line(line, delimiter)
    where = f"{file}, line {blank + 1}"
    if columns is not None and all(name.isascii() and name.isdigit() and int(name) > 0 for name in columns):
        places, skip = [int(name) - 1 for name in columns], blank
        if max(places) >= len(cells):
            raise DataError(
                f"{where}: there is no such column",
                got=f"position {max(places) + 1}",
                allowed=f"1..{len(cells)}, fields being separated by {delimiter!r}",
                remedy="mend --columns",
            )
    else:
        places, skip = choose(where, [cell.strip() for cell in cells], columns), blank + 1
    timestamp = places[3] if len(places) == 4 else None
    return TextLayout(
        delimiter, fields or len(cells), places[0], places[1], places[2], timestamp, skip, blank
    )


def read_line(file: RatingFile, number: int, text: TextIO) -> str:
    """The next line of a file, the one of that number from 1; empty at the end.

    Raises:
        DataError: naming the line, if it is so long that it is none of a table.
    """
    line = text.readline(LONGEST + 1)
    if len(line) > LONGEST:
        raise DataError(
            f"{file}, line {number}: the line is too long",
            got=line[:1000],
            allowed=f"at most {LONGEST:,} characters",
            remedy="check that the file is a table with a rating in each line",
        )
    return line


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; quotes count except where the delimiter is ``::``."""
    if len(delimiter) > 1:
        return line.split(delimiter)
    return next(csv.reader([line], delimiter=delimiter), [])
