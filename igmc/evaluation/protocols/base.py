"""What all evaluation protocols share: common settings, the rows that count, and places within a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.config import MAX_LEVELS, Config, knob
from igmc.errors import DataError
from igmc.ratings import Dataset

__all__ = ["HeldOut", "ProtocolSettings", "eligible", "known_times", "placed"]

Rows = NDArray[np.int64]

VALIDATION_RATIO = "share of the training ratings set aside for validation"


@dataclass(frozen=True)
class ProtocolSettings(Config):
    """What can be set of every protocol."""

    min_rating: float | None = knob(None, "leave lower ratings out of all parts, as if nobody had given them")
    min_user_ratings: int = knob(
        0, "then leave users with fewer ratings out of all parts", low=0, high=2**31 - 1
    )
    refit: bool = knob(
        True, "fit the final model to training and validation ratings, with what was chosen on validation"
    )
    levels: int | None = knob(
        None, "group the ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
    )
    level_method: str = knob(
        "width", "how levels are grouped: equal-width bins or quantiles", choices=("width", "quantile")
    )


class HeldOut(NamedTuple):
    """The parts that a protocol draws: disjoint row numbers, int64, in any order."""

    train: Rows
    validation: Rows
    test: Rows
    support: Rows = np.empty(0, np.int64)


def eligible(dataset: Dataset, settings: ProtocolSettings) -> Rows:
    """The rows that `min_rating` and then `min_user_ratings` leave, int64, ascending.

    Raises:
        DataError: if none is left.
    """
    table = dataset.table
    least = settings.min_rating
    rows = np.arange(len(table)) if least is None else np.flatnonzero(table.rating >= least)
    count = np.bincount(table.user[rows], minlength=len(table.users))
    rows = rows[count[table.user[rows]] >= settings.min_user_ratings]
    if not rows.size:
        raise DataError(
            f"no rating of {dataset.name} is left to divide",
            got=f"min_rating {least}, min_user_ratings {settings.min_user_ratings}",
            remedy="lower min_rating or min_user_ratings",
        )
    return rows.astype(np.int64)


def placed(group: NDArray[np.int32]) -> tuple[Rows, Rows]:
    """Where each of n rows stands within its group, in the order given.

    Args:
        group: int [n], such as the users of rows.

    Returns:
        The place of each row in its group, int64 [n], from 0, and the size of that group, int64 [n].

    >>> place, size = placed(np.array([7, 3, 7, 7]))
    >>> place.tolist(), size.tolist()
    ([0, 0, 1, 2], [3, 1, 3, 3])
    """
    order = np.argsort(group, kind="stable")
    _, first, inverse, count = np.unique(
        group[order], return_index=True, return_inverse=True, return_counts=True
    )
    place, size = np.empty(len(group), np.int64), np.empty(len(group), np.int64)
    place[order] = np.arange(len(group)) - first[inverse]
    size[order] = count[inverse]
    return place, size


def known_times(dataset: Dataset, rows: Rows, what: str) -> Rows:
    """The times of rows, int64, seconds since 1970.

    Args:
        dataset: of which the rows are.
        rows: int64 [n].
        what: what needs them, for the message.

    Raises:
        DataError: if one of them is not known.
    """
    stamps = dataset.table.timestamp
    times = np.full(len(rows), -1, np.int64) if stamps is None else stamps[rows]
    unknown = int(np.count_nonzero(times <= 0))
    if unknown:
        raise DataError(
            f"{what} needs the time of every rating",
            got=f"{unknown} of {len(rows)} ratings of {dataset.name} without a time",
            remedy="choose a protocol or setting that needs no times; of a file, name their column too",
        )
    return times
