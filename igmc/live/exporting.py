"""The ratings of a run and of its log together, as files that `igmc-train` reads."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from igmc.errors import DataError
from igmc.files import replacing
from igmc.inference import ItemInfo, open_run
from igmc.live.entries import Entry
from igmc.live.log import RatingLog
from igmc.ratings import UNKNOWN_TIME, RawId, Split
from igmc.ratings.readers import natural_ids

__all__ = ["Exported", "export"]

PIECE = 200_000  # entries that are read at once
COLUMNS = "user_id,item_id,rating,timestamp"

_Rated = dict[RawId, dict[RawId, tuple[float, int | None]]]


class Exported(NamedTuple):
    """What was written.

    Attributes:
        ratings: how many.
        position: of the last entry of the log that counts.
    """

    ratings: int
    position: int


def export(run: str | Path, store: str, out: Path, items: Path | None = None) -> Exported:
    """Write the ratings of a run as the log has changed them, and the information on its items.

    Args:
        run: its folder.
        store: see `igmc.live.database.open_database`.
        out: a CSV file with the columns user_id, item_id, rating and timestamp (seconds since 1970).
        items: a CSV file with the columns item_id, title, genres and year; none if None.

    Raises:
        DataError: on ids that a file cannot tell apart.
        IgmcError: if the run, the store or a file cannot be used.
    """
    folder = open_run(run)
    table = Split.load(folder.path / "split.npz").table
    times = [UNKNOWN_TIME] * len(table) if table.timestamp is None else table.timestamp.tolist()
    rated: _Rated = {}
    users, item_ids = table.users.ids, table.items.ids
    rows = zip(table.user.tolist(), table.item.tolist(), table.rating.tolist(), times, strict=True)
    for user, item, rating, time in rows:
        rated.setdefault(users[user], {})[item_ids[item]] = rating, time
    about = _known(ItemInfo.load(folder.path, table.items), item_ids)
    position = 0
    with RatingLog(store) as log:
        while entries := log.read(position, PIECE):
            _apply(entries, rated, about)
            position = entries[-1].position
    found = [(user, item, *one) for user, row in rated.items() for item, one in row.items()]
    for side, given in (("user", rated), ("item", {row[1]: None for row in found})):
        _check(side, list(given))
    lines = ((u, i, f"{rating:.12g}", "" if t in (None, UNKNOWN_TIME) else t) for u, i, rating, t in found)
    _write(out, COLUMNS, lines)
    if items is not None:
        _write(items, "item_id,title,genres,year", ((item, *told) for item, told in about.items()))
    return Exported(len(found), position)


def _known(info: ItemInfo | None, ids: Sequence[RawId]) -> dict[RawId, tuple[str, str, Any]]:
    if info is None:
        return {}
    rows = zip(ids, info.titles, info.genres, info.years, strict=True)
    return {item: (title, genres, "" if year is None else year) for item, title, genres, year in rows}


def _apply(entries: Iterable[Entry], rated: _Rated, about: dict[RawId, tuple[str, str, Any]]) -> None:
    for entry in entries:
        if entry.kind == "rate" and entry.rating is not None:
            rated.setdefault(entry.user, {})[entry.item] = entry.rating, entry.time
        elif entry.kind == "delete":
            rated.get(entry.user, {}).pop(entry.item, None)
        elif entry.kind == "erase":
            rated.pop(entry.user, None)
        elif entry.kind == "item":
            told = json.loads(entry.about or "{}")
            year = told.get("year")
            about[entry.item] = (
                told.get("title", ""),
                "|".join(told.get("genres", ())),
                "" if year is None else year,
            )


def _check(side: str, ids: list[RawId]) -> None:
    """Whether a file of these ids is read as it was written: as numbers if all are, else as texts."""
    texts = [str(raw) for raw in ids]
    back = natural_ids(texts)
    wrong = next((raw for raw, read in zip(ids, back, strict=True) if raw != read), None)
    if wrong is None:
        wrong = next((raw for raw, text in zip(ids, texts, strict=True) if text != text.strip()), None)
    if wrong is not None:
        raise DataError(
            f"these {side} ids change in a file: numbers among texts, or leading or trailing blanks",
            got=wrong,
            allowed="only whole numbers, or only texts",
        )


def _write(path: Path, header: str, rows: Iterable[Sequence[Any]]) -> None:
    with replacing(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow(header.split(","))
        lines.writerows(rows)
        text.flush()
        text.detach()  # the caller closes the file
