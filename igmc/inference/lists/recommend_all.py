"""Lists for all users of a run, streamed to one file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from tqdm import tqdm

from igmc.errors import ConfigError
from igmc.files import replacing, sweep_shared
from igmc.inference.base import BasePredictor
from igmc.inference.lists.filters import eligible_items
from igmc.inference.lists.recommend import list_items
from igmc.inference.lists.request import ListRequest
from igmc.progress import step
from igmc.ratings import RawId

__all__ = ["Written", "recommend_all"]

SUFFIXES = (".csv", ".jsonl")
ROUNDED = ("score", "lift", "relevance", "low", "high")  # to 4 places


class Written(NamedTuple):
    """Numbers of users, of items, and of lists shorter than k."""

    users: int
    items: int
    short: int


def recommend_all(
    predictor: BasePredictor,
    path: str | Path,
    request: ListRequest,
    *,
    users: Iterable[RawId] | None = None,
    progress: bool = True,
) -> Written:
    """Write the lists of many users, in constant memory.

    Args:
        predictor: what is known.
        path: of the file, written atomically. ``.csv``: a line for each item, with the columns of
            `igmc.recommend`. ``.jsonl``: a line for each user, with user, reason and items.
        request: items, length and order; its user and ratings are ignored.
        users: raw ids of known users; all users of the predictor if None.
        progress: show a bar, if stderr is a terminal.

    Raises:
        ConfigError: if the path ends otherwise; see also `recommend`.
        DataError: on an unknown user.
        IgmcError: if the file cannot be written; nothing is left behind.
    """
    target = Path(path)
    if target.suffix not in SUFFIXES:
        raise ConfigError(
            "unknown type of file for the lists of all users",
            got=target.name,
            allowed=f"a name that ends in {' or '.join(SUFFIXES)}",
        )
    chosen = predictor.users.ids if users is None else list(users)
    eligible = eligible_items(predictor, request)
    items = short = 0
    sweep_shared(target.parent, target.name)
    with replacing(target) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        write = _csv_writer(text) if target.suffix == ".csv" else _json_writer(text)
        for user_id in tqdm(chosen, "lists", unit="user", disable=None if progress else True):
            one = replace(request, user_id=user_id, ratings=None)
            found = list_items(predictor, one, eligible=eligible)
            write(user_id, found.columns(predictor, user_id), found.reason)
            items += len(found.item)
            short += bool(found.reason)
            step(f"lists of {user_id!r} and those before")
        text.flush()
        text.detach()  # the file is closed by who opened it
    return Written(len(chosen), items, short)


Columns = dict[str, list[Any]]
Write = Callable[[RawId, Columns, str], None]


def _csv_writer(text: TextIO) -> Write:
    lines: Any = csv.writer(text, lineterminator="\n")
    begun = False

    def write(user_id: RawId, columns: Columns, reason: str) -> None:
        nonlocal begun
        if not begun:
            lines.writerow(columns)
            begun = True
        lines.writerows(_rows(columns))

    return write


def _json_writer(text: TextIO) -> Write:
    def write(user_id: RawId, columns: Columns, reason: str) -> None:
        items = [dict(zip(list(columns)[1:], row[1:], strict=True)) for row in _rows(columns)]
        value = {"user_id": user_id, "reason": reason, "items": items}
        text.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    return write


def _rows(columns: Columns) -> list[tuple[Any, ...]]:
    told = [[round(x, 4) for x in column] if name in ROUNDED else column for name, column in columns.items()]
    return list(zip(*told, strict=True))
