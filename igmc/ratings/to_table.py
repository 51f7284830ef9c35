"""Conversion of raw ratings to a checked table: ids, scale and duplicates."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.ids import IdTable, ids_of
from igmc.ratings.raw_ratings import RawRatings
from igmc.ratings.read_report import ReadReport, spread
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable, pair_keys

__all__ = ["to_table"]


_MANY_ZEROS = 1 / 3  # from this share on, 0 may well mean that there is no rating


def to_table(
    raw: RawRatings,
    source: str,
    *,
    duplicates: str,
    known: KnownScale | None = None,
    missing: frozenset[float] = frozenset(),
) -> tuple[RatingTable, ReadReport]:
    """The checked table of the ratings of one file.

    Args:
        source: the name of the file, for messages.
        duplicates: what to do with a (user, item) pair that occurs more than once: keep the "last" rating in
            the order of the file, the "mean" of all (with the last timestamp), or make it an "error".
        known: the documented rating scale; if None, the report states the observed scale.
        missing: numbers that mean 'not rated'; such rows are dropped.

    Raises:
        DataError: naming the place, on a rating outside the scale, a duplicate under "error", or ratings of a
            single user or item.
    """
    if not len(raw.rating):
        raise DataError(f"there are no ratings in {source}", allowed="at least one")
    raw, notes = _without(raw, source, missing)
    if known is not None and (outside := known.outside(raw.rating)).size:
        row = int(outside[0])
        raise DataError(
            f"{raw.where(row)}: the rating is outside the scale",
            got=float(raw.rating[row]),
            allowed=str(known),
            remedy="fix or remove this line",
        )
    users, user = ids_of(raw.user, raw.users)
    items, item = ids_of(raw.item, raw.items)
    for name, table in (("user", users), ("item", items)):
        if len(table) < 2:
            raise DataError(
                f"{source} holds ratings of one {name} only",
                got=table.ids[0],
                allowed=f"at least two {name}s",
                remedy=f"check which column holds the {name}s (--columns), and add ratings of others",
            )
    keys = pair_keys(user, item, len(items))
    rating, times, kept = raw.rating, raw.timestamp, _last_of_each(keys)
    if kept is not None:
        if duplicates == "error":
            raise _twice(raw, keys, users, items)
        if duplicates == "mean":
            rating = _means(keys, rating)
        user, item, rating = user[kept], item[kept], rating[kept]
        times = None if times is None else times[kept]
    report = ReadReport(
        source=source,
        rows=len(raw.rating),
        blank_lines=raw.blank_lines,
        duplicates=len(raw.rating) - len(rating),
        duplicate_rule=duplicates,
        rated=raw.rated,
        encoding=raw.encoding,
        notes=(*raw.notes, *notes, *_scale_note(raw, rating, known)),
    )
    return RatingTable(users, items, user, item, rating, times), report


def _without(raw: RawRatings, source: str, missing: frozenset[float]) -> tuple[RawRatings, tuple[str, ...]]:
    """The rows that are ratings, and what to say of the others."""
    zeros = int((raw.rating == 0).sum())
    if not missing:
        suspect = zeros > _MANY_ZEROS * len(raw.rating) and zeros < len(raw.rating)
        told = f"{zeros:,} ratings are 0: if that means not rated, omit them (--zero-is-missing)"
        return raw, (told,) if suspect and raw.rating.min() == 0 else ()
    kept = np.flatnonzero(~np.isin(raw.rating, sorted(missing)))
    if not len(kept):
        raise DataError(
            f"{source} holds only ratings that mean 'not rated'",
            got=", ".join(f"{value:g}" for value in sorted(missing)),
            remedy="check --missing and --zero-is-missing",
        )
    rows = dataclasses.replace(
        raw,
        user=raw.user[kept],
        item=raw.item[kept],
        rating=raw.rating[kept],
        timestamp=None if raw.timestamp is None else raw.timestamp[kept],
        where=lambda row: raw.where(int(kept[row])),
    )
    dropped = len(raw.rating) - len(kept)
    values = " or ".join(f"{value:g}" for value in sorted(missing))
    return rows, (f"{dropped:,} cells of {values} left out as not rated",)


def _scale_note(raw: RawRatings, rating: NDArray[np.float64], known: KnownScale | None) -> tuple[str, ...]:
    return (f"ratings are {spread(rating)}",) if known is None and raw.rated else ()


def _last_of_each(keys: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """The ascending rows of the last occurrence of each key; None if each stands once."""
    ordered = np.sort(keys)
    if not np.any(ordered[1:] == ordered[:-1]):
        return None
    _, first_from_end = np.unique(keys[::-1], return_index=True)
    return np.sort(len(keys) - 1 - first_from_end)


def _means(keys: NDArray[np.int64], rating: NDArray[np.float64]) -> NDArray[np.float64]:
    _, group, count = np.unique(keys, return_inverse=True, return_counts=True)
    means: NDArray[np.float64] = (np.bincount(group, weights=rating) / count)[group]
    return means


def _twice(raw: RawRatings, keys: NDArray[np.int64], users: IdTable, items: IdTable) -> DataError:
    _, first, group = np.unique(keys, return_index=True, return_inverse=True)
    again = int(np.flatnonzero(first[group] != np.arange(len(keys)))[0])
    user, item = divmod(int(keys[again]), len(items))
    return DataError(
        f"{raw.where(again)}: user {users.ids[user]!r} has rated item {items.ids[item]!r} before, "
        f"in {raw.where(int(first[group[again]]))}",
        got=float(raw.rating[again]),
        allowed="each (user, item) pair once, since duplicates are an error",
        remedy="remove one of them, or use --duplicates last or mean (in Python duplicates=)",
    )
