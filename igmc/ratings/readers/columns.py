"""Which columns hold user, item, rating and timestamp, by their names."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence

from igmc.errors import ConfigError, DataError
from igmc.ratings.usual_names import USUAL, plain_name

__all__ = ["are_positions", "bare_names", "choose", "parse_columns"]

_RECBOLE = ("token", "float", "token_seq", "float_seq")
_SYNTAX = "user,item,rating[,timestamp]: names in the header, or positions from 1 if there is none"


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


def are_positions(columns: Sequence[str] | None) -> bool:
    """Whether columns are given by positions from 1 rather than by names."""
    return columns is not None and all(n.isascii() and n.isdigit() and int(n) > 0 for n in columns)


def bare_names(cells: Sequence[str]) -> list[str]:
    """The names in a header, without blanks around, and without the types of a RecBole file.

    >>> bare_names(["user_id:token", "item_id:token", "rating:float"])
    ['user_id', 'item_id', 'rating']
    """
    names = [cell.strip() for cell in cells]
    typed = all(name.rpartition(":")[2] in _RECBOLE and ":" in name for name in names)
    return [name.rpartition(":")[0] for name in names] if typed else names


def choose(where: str, available: Sequence[str], columns: tuple[str, ...] | None) -> list[int]:
    """The positions from 0 of user, item, rating and, if there is one, timestamp among named columns.

    Raises:
        DataError: naming `where`, if a column is missing or occurs twice.
    """
    if columns is not None:
        return [_position(where, available, name) for name in columns]
    plain = [plain_name(name) for name in available]
    found = [[k for k, name in enumerate(plain) if name in usual] for usual in USUAL.values()]
    if any(len(hits) != 1 for hits in found[:3]):
        raise DataError(
            f"{where}: cannot find the columns of user, item and rating by name",
            got=", ".join(available),
            allowed="names such as user_id, item_id, rating",
            remedy="name them so in the first line; or, where the option exists, name them with "
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
        else "fix --columns; if the file has no header, give positions, as in --columns 1,2,3",
    )
