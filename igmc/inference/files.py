"""Files that come with a question: the pairs that are asked, and ratings given since training."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TextIO

from igmc.errors import DataError
from igmc.inference.incoming import from_text
from igmc.inference.predictor import Predictor
from igmc.ratings.ids import RawId
from igmc.ratings.readers_columns import USUAL
from igmc.ratings.readers_files import find_file
from igmc.ratings.readers_parquet import read_parquet
from igmc.ratings.readers_text import read_text

__all__ = ["read_pairs", "read_pairs_file", "with_ratings_file"]

_HEADER = "a header that names them once, such as user_id,item_id"


def with_ratings_file(predictor: Predictor, path: Path) -> Predictor:
    """A predictor that knows the ratings of a file too.

    Args:
        predictor: what is there; ids are read as it writes them.
        path: CSV, TSV, other text or Parquet with a header that names user, item and rating; see
            `igmc.ratings.dataset.load_dataset`.

    Raises:
        DataError: if the file is missing or malformed; see also `Predictor.add_ratings`.
    """
    file = find_file(path)
    raw = read_parquet(file, None) if file.suffix == ".parquet" else read_text(file)
    users = from_text(predictor.users, [str(name) for name in raw.users])
    items = from_text(predictor.items, [str(name) for name in raw.items])
    return predictor.add_ratings(
        {
            "user_id": [users[k] for k in raw.user.tolist()],
            "item_id": [items[k] for k in raw.item.tolist()],
            "rating": raw.rating.tolist(),
        }
    )


def read_pairs_file(predictor: Predictor, path: Path) -> tuple[list[RawId], list[RawId]]:
    """The pairs in a file of text, perhaps compressed; see `read_pairs`.

    Raises:
        DataError: if the file is missing or malformed.
    """
    file = find_file(path)
    for encoding in file.encodings():
        try:
            with file.open_text(encoding) as text:
                content = text.read()
        except UnicodeDecodeError:
            continue
        return read_pairs(predictor, io.StringIO(content, newline=""), str(file))
    raise DataError(f"{file} is no text", allowed="UTF-8 or Latin-1")


def read_pairs(predictor: Predictor, text: TextIO, name: str) -> tuple[list[RawId], list[RawId]]:
    """The user ids and the item ids of P pairs, from lines with commas, tabs, semicolons or bars between.

    Args:
        predictor: ids are read as it writes them.
        text: the first line names the columns; those of users and items are read, blank lines are skipped.
        name: of the file, for messages.

    Raises:
        DataError: naming the line that makes no sense.
    """
    head = text.readline().lstrip("\ufeff")
    delimiter = max(",\t;|", key=head.count)
    names = next(csv.reader([head], delimiter=delimiter), [])
    plain = ["".join(c for c in name.lower() if c.isalnum()) for name in names]
    places = [[k for k, word in enumerate(plain) if word in USUAL[side]] for side in ("user", "item")]
    if any(len(found) != 1 for found in places):
        raise DataError(
            f"the first line of {name} does not tell the column of users and that of items",
            got=head.strip(),
            allowed=_HEADER,
        )
    pairs: list[list[str]] = []
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    try:
        for row in reader:
            cells = [row[k].strip() if k < len(row) else "" for (k,) in places]
            if any(cell.strip() for cell in row):
                if not all(cells):
                    raise DataError(
                        f"{name}, line {reader.line_num + 1}: the user or the item is missing",
                        got=delimiter.join(row),
                        remedy="mend or remove this line",
                    )
                pairs.append(cells)
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num + 1}: {error}", remedy="mend this line") from error
    if not pairs:
        raise DataError(f"{name} holds no pairs", allowed="a header, and a line for each pair")
    users, items = zip(*pairs, strict=True)
    return from_text(predictor.users, users), from_text(predictor.items, items)
