"""Which columns hold user, item, rating and timestamp, by their names."""

from __future__ import annotations

import csv
import difflib
from collections.abc import Sequence
from typing import Any

from igmc.errors import ConfigError, DataError
from igmc.ratings.usual_names import USUAL, plain_name

__all__ = ["are_positions", "bare_names", "choose", "parse_columns"]

_RECBOLE = ("token", "float", "token_seq", "float_seq")
_SYNTAX = "user,item,rating[,timestamp]: names in the header, or positions from 1 if there is none"
_IMPLICIT = "user,item, user,item,,timestamp, or user,item,rating[,timestamp]: names or positions"

_WANTED = ("columns of user, item and rating", "columns of user and item")
_UNRATED = (
    "name it, as in --columns user,item,rating; if there is none, as with clicks or purchases, use --implicit"
)
_UNNAMED = tuple(
    "name them so in the first line; or, where the option exists, name them with "
    f"--columns {names}, or --columns {places} (positions) if the file has no header"
    for names, places in (("user,item,rating[,timestamp]", "1,2,3"), ("user,item[,,timestamp]", "1,2"))
)


def parse_columns(text: str | None, *, implicit: bool = False) -> tuple[str, ...] | None:
    """The names or positions in a ``--columns`` text; quoted where a name has a comma.

    Args:
        text: what was typed.
        implicit: whether there may be no rating, whose place in the result is then empty.

    Raises:
        ConfigError: unless there are three or four different ones, or two without a rating.

    >>> parse_columns('user_id, "book, id", rating')
    ('user_id', 'book, id', 'rating')
    >>> parse_columns("user_id,item_id,,time", implicit=True)
    ('user_id', 'item_id', '', 'time')
    """
    if text is None:
        return None
    names = tuple(name.strip() for name in next(csv.reader([text], skipinitialspace=True), []))
    unrated = len(names) == 2 or (len(names) in (3, 4) and not names[2])
    named = [name for k, name in enumerate(names) if k != 2 or not unrated]
    if len(names) not in (2, 3, 4) or len(set(named)) < len(named) or not all(named):
        raise ConfigError(
            "--columns is malformed",
            got=text,
            allowed=_IMPLICIT if implicit else _SYNTAX,
            remedy="for example --columns user_id,item_id" + ("" if implicit else ",rating"),
        )
    if unrated and not implicit:
        raise ConfigError(
            "--columns names no rating",
            got=text,
            allowed=_SYNTAX,
            remedy="if there is none, as with clicks or purchases, add --implicit",
        )
    if implicit and len(names) == 3 and plain_name(names[2]) in USUAL["timestamp"]:
        raise ConfigError(
            "the third of --columns is the rating",
            got=text,
            allowed=_IMPLICIT,
            remedy=f"leave its place empty: --columns {names[0]},{names[1]},,{names[2]}",
        )
    return (*names[:2], "", *names[3:]) if unrated else names


def are_positions(columns: Sequence[str] | None) -> bool:
    """Whether columns are given by positions from 1 rather than by names."""
    given = [name for name in columns or () if name]
    return bool(given) and all(n.isascii() and n.isdigit() and int(n) > 0 for n in given)


def bare_names(cells: Sequence[str]) -> list[str]:
    """The names in a header, without blanks around, and without the types of a RecBole file.

    >>> bare_names(["user_id:token", "item_id:token", "rating:float"])
    ['user_id', 'item_id', 'rating']
    """
    names = [cell.strip() for cell in cells]
    typed = all(name.rpartition(":")[2] in _RECBOLE and ":" in name for name in names)
    return [name.rpartition(":")[0] for name in names] if typed else names


def choose(
    where: str, available: Sequence[str], columns: tuple[str, ...] | None, *, implicit: bool = False
) -> list[Any]:
    """The positions, int, from 0, of user, item, rating and, if there is one, timestamp among named columns.

    Args:
        where: for messages.
        available: the names.
        columns: those to take, see `parse_columns`; by their usual names if None.
        implicit: whether there may be no rating, whose position is then None.

    Raises:
        DataError: naming `where`, if a column is missing or occurs twice.
    """
    if columns is not None:
        return [_position(where, available, name) if name else None for name in columns]
    plain = [plain_name(name) for name in available]
    found = [[k for k, name in enumerate(plain) if name in usual] for usual in USUAL.values()]
    needed = found[:2] if implicit and not found[2] else found[:3]
    if any(len(hits) != 1 for hits in needed):
        unrated = not implicit and not found[2] and all(len(hits) == 1 for hits in found[:2])
        raise DataError(
            f"{where}: cannot find the {'column of the rating' if unrated else _WANTED[implicit]} by name",
            got=", ".join(available),
            allowed="names such as user_id, item_id, rating",
            remedy=_UNRATED if unrated else _UNNAMED[implicit],
        )
    places = [hits[0] if len(hits) == 1 else None for hits in found]
    return places if places[3] is not None else places[:3]


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
