"""Lists for all users of a run, streamed to one file."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

from tqdm import tqdm

from igmc.errors import ConfigError
from igmc.files import replacing, sweep_shared
from igmc.inference.base import BasePredictor
from igmc.inference.lists.filters import eligible_items
from igmc.inference.lists.recommend import list_items
from igmc.inference.lists.request import ListRequest
from igmc.progress import step
from igmc.ratings import RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Written", "recommend_all"]

SUFFIXES = (".csv", ".jsonl")


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
            write(user_id, found.frame(predictor, user_id))
            items += len(found.item)
            short += bool(found.reason)
            step(f"lists of {user_id!r} and those before")
        text.flush()
        text.detach()  # the file is closed by who opened it
    return Written(len(chosen), items, short)


Write = Callable[[RawId, "pd.DataFrame"], None]


def _csv_writer(text: TextIO) -> Write:
    lines: Any = csv.writer(text, lineterminator="\n")
    begun = False

    def write(user_id: RawId, frame: pd.DataFrame) -> None:
        nonlocal begun
        if not begun:
            lines.writerow(frame.columns)
            begun = True
        lines.writerows(_rows(frame))

    return write


def _json_writer(text: TextIO) -> Write:
    def write(user_id: RawId, frame: pd.DataFrame) -> None:
        names = list(frame.columns)[1:]
        items = [dict(zip(names, row[1:], strict=True)) for row in _rows(frame)]
        value = {"user_id": user_id, "reason": frame.attrs["reason"], "items": items}
        text.write(json.dumps(value, ensure_ascii=False, default=str) + "\n")

    return write


def _rows(frame: pd.DataFrame) -> list[list[Any]]:
    """Plain values, scores, lifts and bounds to 4 places, None where a year is unknown."""
    plain = frame.astype(object).where(frame.notna(), None)
    for name in (name for name in ("score", "lift", "relevance", "low", "high") if name in frame):
        plain[name] = [round(float(value), 4) for value in frame[name]]
    rows: list[list[Any]] = plain.to_numpy().tolist()
    return rows
