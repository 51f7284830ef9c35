"""The blocks of the Netflix Prize: a line ``item:``, then a line ``user,rating,date`` for each rating."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.raw_ratings import RawRatings, Vocabulary, trimmed_note
from igmc.ratings.readers.files import RatingFile
from igmc.ratings.readers.layout import NUMBER
from igmc.ratings.times import ALLOWED, date_seconds, to_seconds

__all__ = ["looks_like_netflix", "read_netflix"]

_CHUNK = 1 << 20
_LINES = "lines such as 1: (an item) and 1488844,3,2005-09-06 (user, rating, date)"


def looks_like_netflix(file: RatingFile) -> bool:
    """Whether the first two lines of a file are an item with a colon, and a rating of it."""
    with file.open() as stream:
        item, rating = (stream.readline(200).removeprefix(b"\xef\xbb\xbf").strip() for _ in range(2))
    return bool(re.fullmatch(rb"\w+:", item) and re.fullmatch(rb"\w+,[^,]+,[^,]+", rating))


def read_netflix(file: RatingFile) -> RawRatings:
    """The ratings in a file of blocks.

    Raises:
        DataError: naming the line that is neither an item nor a rating.
    """
    users, items = Vocabulary(), Vocabulary()
    pieces: list[list[NDArray[Any]]] = []
    for number, item, rows in _chunks(file):
        _refuse(file, number, (rows["user"] == "") | (item == ""), "there is no user, or no item before it")
        pieces.append(
            [
                number,
                users.add_all(rows["user"].array),
                items.add_all(item.array),
                _converted(file, number, rows["rating"], "rating", _rating),
                _converted(file, number, rows["date"], "date", date_seconds),
            ]
        )
    places, user, item_codes, rating, time = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    if not len(places):
        raise DataError(f"{file} holds no ratings", allowed=_LINES, remedy="check the file")

    def where(row: int) -> str:
        return f"{file}, line {places[row]}"

    (user_ids, user), (item_ids, item_codes) = users.ids(user), items.ids(item_codes)
    stamps, notes = to_seconds(time, where)
    notes = ("in the blocks of the Netflix Prize", *trimmed_note(users, items), *notes)
    return RawRatings(
        user_ids, item_ids, user, item_codes, rating, stamps, where, encoding="utf-8", notes=notes
    )


def _chunks(file: RatingFile) -> Iterator[tuple[NDArray[np.int64], pd.Series, pd.DataFrame]]:
    """The numbers of lines that are ratings, their items, and their user, rating and date as text."""
    before, current = 0, ""
    with file.open_text("utf-8-sig") as text, warnings.catch_warnings():
        warnings.simplefilter("error", pd.errors.ParserWarning)
        try:
            for chunk in pd.read_csv(
                text,
                names=["user", "rating", "date"],
                dtype=str,
                chunksize=_CHUNK,
                skip_blank_lines=False,
                keep_default_na=False,
                quoting=3,
                index_col=False,
            ):
                frame = chunk.fillna("").apply(lambda column: column.str.strip())
                number = np.arange(before + 1, before + len(frame) + 1)
                before += len(frame)
                is_item = frame["user"].str.endswith(":") & (frame["rating"] == "")
                item = frame["user"].where(is_item).ffill().fillna(current)
                current = item.iloc[-1]
                kept = (~(is_item | (frame == "").all(axis=1))).to_numpy()
                yield number[kept], item[kept].str.removesuffix(":"), frame[kept]
        except (ValueError, pd.errors.ParserWarning) as error:  # which pandas' parser errors are
            raise DataError(
                f"{file} is malformed ({error})", allowed=_LINES, remedy="fix the file"
            ) from error


def _rating(text: str) -> float:
    if not NUMBER.fullmatch(text) or not np.isfinite(float(text)):
        raise ValueError("it is not a finite number")
    return float(text)


def _converted(
    file: RatingFile, number: NDArray[np.int64], column: pd.Series, name: str, convert: Callable[[str], float]
) -> NDArray[np.float64]:
    codes, texts = pd.factorize(column.array)
    found = np.zeros(len(texts))
    for k, text in enumerate(texts):
        try:
            found[k] = convert(text)
        except ValueError:
            allowed = ALLOWED if name == "date" else "a finite number"
            raise DataError(
                f"{file}, line {number[np.argmax(codes == k)]}: the {name} is malformed",
                got=text,
                allowed=allowed,
                remedy="fix or remove this line",
            ) from None
    return found[codes]


def _refuse(file: RatingFile, number: NDArray[np.int64], bad: pd.Series, what: str) -> None:
    if bad.any():
        line = number[int(np.argmax(bad.to_numpy()))]
        raise DataError(f"{file}, line {line}: {what}", allowed=_LINES, remedy="fix or remove this line")
