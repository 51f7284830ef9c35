"""Input files for a trained run: pairs to predict, ratings, and item ids."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO, TypeVar

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.inference.base import BasePredictor
from igmc.inference.id_encoding import from_text
from igmc.inference.rating_encoding import encode_ratings, nearest_ratings
from igmc.ratings import RawId
from igmc.ratings.readers import USUAL, find_file, read_ratings

__all__ = [
    "named_columns",
    "names_users",
    "read_item_ids",
    "read_items",
    "read_own_ratings",
    "read_pairs",
    "read_pairs_file",
    "with_ratings_file",
]

P = TypeVar("P", bound=BasePredictor)
_FILES = (".csv", ".tsv", ".txt", ".gz", ".bz2", ".xz", ".zip")
_USUALLY = {"user": "user_id", "item": "item_id", "rating": "rating"}


def with_ratings_file(predictor: P, path: Path, *, round_ratings: bool = False) -> P:
    """A predictor with the additional ratings of a file.

    Args:
        predictor: to extend; ids are converted to its types.
        path: CSV, TSV, other text or Parquet with a header that names user, item and rating; see
            `igmc.ratings.load.load_dataset`.
        round_ratings: round ratings to the nearest level; see `nearest_ratings`.

    Raises:
        DataError: if the file is missing, malformed or without ratings, or a pair occurs twice or a rating is
            not on the scale.
    """
    file, single = find_file(path), len(predictor.scale) == 1
    raw = read_ratings(file, DataConfig(implicit=single))
    if not len(raw.rating):
        raise DataError(f"{path} holds no ratings", allowed="a header, and a line for each rating")
    users = from_text(predictor.users, [str(name) for name in raw.users])
    items = from_text(predictor.items, [str(name) for name in raw.items])
    columns = {
        "user_id": [users[k] for k in raw.user.tolist()],
        "item_id": [items[k] for k in raw.item.tolist()],
        "rating": [predictor.scale.low] * len(raw.rating) if single else raw.rating.tolist(),
    }
    if round_ratings:
        near = nearest_ratings(predictor.scale, dict(enumerate(columns["rating"])))
        columns["rating"] = list(near.values())
    try:
        return predictor.add_ratings(columns)
    except DataError as error:
        encode_ratings(predictor.scale, columns["rating"], where=raw.where)  # names the line, if it is that
        raise DataError(f"{path}: {error.what}", got=error.got, allowed=error.allowed) from None


def read_pairs_file(predictor: BasePredictor, path: Path) -> tuple[list[RawId], list[RawId]]:
    """The pairs in a text file, optionally compressed; see `read_pairs`.

    Raises:
        DataError: if the file is missing or malformed.
    """
    return read_pairs(predictor, _text(path), str(path))


def read_pairs(predictor: BasePredictor, text: TextIO, name: str) -> tuple[list[RawId], list[RawId]]:
    """The user ids and the item ids of P pairs, from lines with commas, tabs, semicolons or bars between.

    Args:
        predictor: ids are read as it writes them.
        text: the first line names the columns; those of users and items are read, blank lines are skipped.
        name: of the file, for messages.

    Raises:
        DataError: naming the malformed line.
    """
    pairs = [cells for _, cells in _lines(text, name, ("user", "item"))]
    if not pairs:
        raise DataError(f"{name} holds no pairs", allowed="a header, and a line for each pair")
    users, items = zip(*pairs, strict=True)
    return from_text(predictor.users, users), from_text(predictor.items, items)


def read_own_ratings(
    predictor: BasePredictor, given: str, user: RawId | None = None, *, round_ratings: bool = False
) -> dict[RawId, float]:
    """The ratings of one user, item id -> rating, from a text file or ``"id=5,id=3"``.

    If all ratings of the run are equal, as of clicks, the items alone do: ``"id,id"``, or a file of them.

    Args:
        predictor: ids are read as it writes them.
        given: the path of a file whose header names item and rating; or the ratings themselves. Where the
            header names the user too, only the lines of `user` are read.
        user: the user; None for a new user without an id.
        round_ratings: take ratings between two levels to the nearest; see `nearest_ratings`.

    Raises:
        DataError: if the file is missing or malformed, holds none of this user's ratings, or those of several
            users while `user` is None, a rating is not on the scale, or an item is rated twice.
    """
    single = len(predictor.scale) == 1
    inline = _inline(given) or (single and not os.path.exists(given) and Path(given).suffix not in _FILES)
    if inline:
        words = [word.strip() for word in given.split(",")]
        bare = [single and "=" not in word for word in words]
        cells = [
            [w, ""] if alone else list(w.rpartition("=")[::2]) for w, alone in zip(words, bare, strict=True)
        ]
        pairs = [("--ratings", two) for two in cells]
        for _, (named, rest) in pairs:
            if not named:
                raise DataError(
                    "--ratings: a rating without an item",
                    got=rest,
                    allowed='item=rating, such as "50=5,181=3.5"',
                    remedy="write decimals with a point; commas separate ratings",
                )
    else:
        if Path(given).suffix not in _FILES and not os.path.exists(given):
            raise DataError(
                "--ratings: neither a file nor ratings",
                got=given,
                allowed='a file, or item=rating, such as "50=5,181=3.5"',
            )
        pairs = _lines_of_user(predictor, _text(Path(given)), given, user, () if single else ("rating",))
    ratings: dict[RawId, float] = {}
    for (where, (_, *last)), item in zip(
        pairs, from_text(predictor.items, [cells[0].strip() for _, cells in pairs]), strict=True
    ):
        typed = last[0] if last and last[0] else f"{predictor.scale.low:g}" if single else "".join(last)
        try:
            rating = float(typed if inline else typed.replace(",", "."))  # decimal commas, as in readers
        except ValueError:
            raise DataError(
                f"{where}: a rating is not a number",
                got=typed,
                allowed='ratings such as "50=5,181=4", item id and rating' if inline else "numbers",
            ) from None
        if item in ratings:
            raise DataError(f"{where}: item {item!r} is rated twice", allowed="each item once")
        ratings[item] = rating
    if round_ratings:
        ratings = nearest_ratings(predictor.scale, ratings)
    encode_ratings(predictor.scale, ratings.values(), where=lambda at: pairs[at][0])
    return ratings


def _lines_of_user(
    predictor: BasePredictor, text: io.StringIO, name: str, user: RawId | None, rating: tuple[str, ...]
) -> list[tuple[str, list[str]]]:
    """Where each line stands, its item and its `rating`; only the lines of `user` where lines name users."""
    names_users = "user" in _header(text, name)[1]
    text.seek(0)
    if not names_users:
        if not rating and "item" not in _header(io.StringIO(text.getvalue()), name)[1]:
            return [(name, [str(item)]) for item in read_item_ids(predictor, Path(name))]
        return list(_lines(text, name, ("item", *rating)))
    lines = list(_lines(text, name, ("user", "item", *rating)))
    users = from_text(predictor.users, [cells[0] for _, cells in lines])
    found = ", ".join(map(str, list(dict.fromkeys(users))[:3]))
    if user is None and len(set(users)) > 1:
        raise DataError(
            f"{name} holds the ratings of several users", got=found, remedy="choose one with --user ID"
        )
    if user is not None and users and user not in users:
        raise DataError(
            f"{name} holds no rating of user {user!r}",
            got=f"ratings of {found}",
            remedy="check the id, or omit the user column",
        )
    return [
        (where, cells[1:])
        for (where, cells), whose in zip(lines, users, strict=True)
        if user is None or whose == user
    ]


def names_users(given: str) -> bool:
    """Whether ratings, as accepted by `read_own_ratings`, are in a file that names users."""
    if _inline(given):
        return False
    path = Path(given)
    return path.suffix == ".parquet" or "user" in _header(_text(path), given)[1]


def _inline(given: str) -> bool:
    return "=" in given and not os.path.exists(given)  # Path.exists raises where the name is too long


def read_items(predictor: BasePredictor, given: str) -> list[RawId]:
    """The item ids in a text with commas between, or in the file of that name; see `read_item_ids`.

    Known ids take precedence; otherwise an existing path, or a name with a file suffix, is a file.

    Raises:
        ConfigError: if there is no id.
        DataError: if the file is missing or malformed.
    """
    words = [word.strip() for word in given.split(",") if word.strip()]
    ids = from_text(predictor.items, words)
    if not words:
        raise ConfigError("--items is empty", got=given, allowed="ids such as 50,181, or a file of them")
    if (predictor.items.encode(ids) < 0).all() and (os.path.exists(given) or Path(given).suffix in _FILES):
        return read_item_ids(predictor, Path(given))
    return ids


def read_item_ids(predictor: BasePredictor, path: Path) -> list[RawId]:
    """The item ids in a file of text: one per line, or in the column that a header names, such as item_id.

    Raises:
        DataError: if the file is missing, malformed or empty.
    """
    text = _text(path)
    found = _header(text, str(path))[1]
    text.seek(0)
    if "item" in found:
        words = [cells[0] for _, cells in _lines(text, str(path), ("item",))]
    else:
        words = []
        for number, line in enumerate(map(str.strip, text), start=1):
            cells = next(csv.reader([line], delimiter=max(",\t;|", key=line.count)), [])
            if len(cells) > 1:
                raise DataError(
                    f"{path}, line {number}: several item ids, or a column without a header",
                    got=line,
                    allowed="one id per line, or a header that names their column, such as item_id",
                )
            words += [cell.strip() for cell in cells if cell.strip()]
    if not words:
        raise DataError(f"{path} holds no item ids", allowed="one per line")
    return from_text(predictor.items, words)


def _text(path: Path) -> io.StringIO:
    file = find_file(path)
    for encoding in file.encodings():
        try:
            with file.open_text(encoding) as text:
                return io.StringIO(text.read(), newline="")
        except UnicodeDecodeError:
            continue
    raise DataError(f"{file} is not text", allowed="UTF-8 or Latin-1")


def _header(text: TextIO, name: str) -> tuple[str, dict[str, list[int]]]:
    """The delimiter, and the places of the columns that a first line names in one of the usual ways."""
    head = text.readline().lstrip("\ufeff")
    delimiter = max(",\t;|", key=head.count)
    return delimiter, named_columns(next(csv.reader([head], delimiter=delimiter), []))


def named_columns(names: list[str]) -> dict[str, list[int]]:
    """The places of the columns that are named in one of the usual ways, by "user", "item", "rating", ..."""
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in names]
    places = {side: [k for k, word in enumerate(plain) if word in usual] for side, usual in USUAL.items()}
    return {side: found for side, found in places.items() if found}


def _lines(text: TextIO, name: str, wanted: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    """Where each line stands, and what it says in the columns that are wanted; blank lines are skipped."""
    head = text.readline()
    delimiter, places = _header(io.StringIO(head), name)
    if any(len(places.get(side, ())) != 1 for side in wanted):
        columns = " and that of ".join(f"{side}s" for side in wanted)
        raise DataError(
            f"the first line of {name} does not name the column of {columns}",
            got=head.strip(),
            allowed=f"a header that names them once, such as {','.join(_USUALLY[side] for side in wanted)}",
        )
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            where = f"{name}, line {reader.line_num + 1}"
            cells = [row[k].strip() if k < len(row) else "" for side in wanted for k in places[side]]
            if any(cell.strip() for cell in row):
                if not all(cells):
                    raise DataError(
                        f"{where}: the {' or the '.join(wanted)} is missing",
                        got=delimiter.join(row),
                        remedy="fix or remove this line",
                    )
                yield where, cells
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num + 1}: {error}", remedy="fix this line") from error
