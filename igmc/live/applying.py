"""Entries of the log applied to a predictor, in the order of the log."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.graph import ServingGraph
from igmc.inference import ExtendedIds, ItemInfo, Predictor
from igmc.live.entries import Entry
from igmc.ratings import RawId

__all__ = ["applied"]

MANY = 0.05  # of the ratings: a replay of more re-sorts all ratings and recomputes all statistics
REMOVED = -1

Ids = NDArray[np.int32]


class _Last(NamedTuple):
    """The net effect of some entries.

    Attributes:
        ratings: user -> item -> rating; None where it was deleted.
        erased: users whose ratings from before these entries no longer count.
        items: item -> title, genres and year as JSON.
    """

    ratings: dict[RawId, dict[RawId, float | None]]
    erased: set[RawId]
    items: dict[RawId, str]


def applied(predictor: Predictor, entries: Sequence[Entry], *, replay: bool = False) -> Predictor:
    """A predictor that knows some entries too; the one given stays as it is.

    It takes time in proportion to the rows of the users and items concerned. Applying entries a second time,
    from any earlier one on, changes nothing.

    Args:
        predictor: the ratings known before.
        entries: in the order of the log.
        replay: if the entries exceed a twentieth of all ratings, re-sort these and refit everything to them,
            which takes longer.

    Raises:
        DataError: on a rating that is not on the scale of the predictor.
    """
    last = _last(entries)
    user_ids = [user for user, rated in last.ratings.items() for _ in rated]
    item_ids = [item for rated in last.ratings.values() for item in rated]
    ratings = [rating for rated in last.ratings.values() for rating in rated.values()]
    users = ExtendedIds.of(predictor.users, user_ids)
    items = ExtendedIds.of(predictor.items, [*item_ids, *last.items])
    pairs = users.encode(user_ids), items.encode(item_ids)
    level = _levels(predictor, ratings)
    erased = predictor.users.encode(last.erased)
    user, item, level = _with_erased(predictor.graph, erased[erased >= 0], *pairs, level)
    graph = predictor.graph.changed(user, item, level, n_users=len(users), n_items=len(items))
    if replay and len(level) > MANY * predictor.graph.n_ratings:
        graph = ServingGraph.of(graph.rebuilt())
    else:
        rows = np.unique(user).astype(np.int32), np.unique(item).astype(np.int32)
        predictor.scorer.follow(predictor.graph, graph, *rows)
    info = predictor.info
    if last.items or (info is not None and items.new):
        info = _with_items(info, len(items), items.encode(last.items), list(last.items.values()))
    return dataclasses.replace(predictor, users=users.merged(), items=items.merged(), graph=graph, info=info)


def _last(entries: Sequence[Entry]) -> _Last:
    found = _Last({}, set(), {})
    for entry in entries:
        if entry.kind in ("rate", "delete"):
            found.ratings.setdefault(entry.user, {})[entry.item] = entry.rating
        elif entry.kind == "erase":
            found.erased.add(entry.user)
            found.ratings.pop(entry.user, None)
        elif entry.kind == "item":
            found.items[entry.item] = entry.about or "{}"
        else:
            raise DataError("the log has an entry of an unknown kind", got=entry.kind, remedy="update igmc")
    return found


def _levels(predictor: Predictor, ratings: list[float | None]) -> NDArray[np.int64]:
    given = np.array([np.nan if rating is None else rating for rating in ratings], np.float64)
    level = np.full(len(given), REMOVED, np.int64)
    rated = np.flatnonzero(~np.isnan(given))
    fits = predictor.scale.holds(given[rated])
    if not fits.all():
        raise DataError(
            "the log holds a rating that is not on the scale of the run",
            got=float(given[rated][np.argmin(fits)]),
            allowed=", ".join(f"{value:g}" for value in predictor.scale.shown()),
            remedy="serve a run on the scale of the log",
        )
    level[rated] = predictor.scale.encode(given[rated])
    return level


def _with_erased(
    graph: ServingGraph, erased: Ids, user: Ids, item: Ids, level: NDArray[np.int64]
) -> tuple[Ids, Ids, NDArray[np.int64]]:
    """The changes, and the removal of ratings that erased users gave before they were erased."""
    parts = [(user, item, level)]
    for one in erased.tolist():
        gone = np.setdiff1d(graph.by_user.row(one)[0], item[user == one])
        parts.append((np.full(len(gone), one, np.int32), gone, np.full(len(gone), REMOVED)))
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return columns[0], columns[1], columns[2]


def _with_items(info: ItemInfo | None, size: int, index: Ids, about: list[str]) -> ItemInfo:
    """The information on items, extended by that of some; new items without any get empty fields."""
    old = info if info is not None else ItemInfo((), (), ())
    more = size - len(old.titles)
    titles, genres = [*old.titles, *[""] * more], [*old.genres, *[""] * more]
    years = [*old.years, *[None] * more]
    for place, text in zip(index.tolist(), about, strict=True):
        told = json.loads(text)
        titles[place], years[place] = told.get("title", ""), told.get("year")
        genres[place] = "|".join(told.get("genres", ()))
    return ItemInfo(tuple(titles), tuple(genres), tuple(years))
