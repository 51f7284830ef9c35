"""What all evaluation protocols share: their common settings, how they are named, and how they are drawn."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.config import MAX_LEVELS, Config, knob
from igmc.errors import DataError
from igmc.ratings import UNKNOWN_TIME, Dataset, Split, build_split

__all__ = ["HeldOut", "Protocol", "known_times", "placed"]

Rows = NDArray[np.int64]

VALIDATION_RATIO = "fraction of training ratings held out for validation"


class HeldOut(NamedTuple):
    """The parts that a protocol draws: disjoint row numbers, int64, in any order."""

    train: Rows
    validation: Rows
    test: Rows
    support: Rows = np.empty(0, np.int64)


@dataclass(frozen=True)
class Protocol(Config, ABC):
    """A way to divide a data set, with its settings; `make_protocol` makes one by name.

    A new one is a subclass, and a line in `igmc.evaluation.protocols.registry`. A subclass says in
    `description` what it holds out, and in `_held_out` how.

    Attributes:
        name: in the registry, in reports and in the names of stored results.
        kind: the metrics that make sense. "rating": errors, and orders of the pairs that are asked;
            "ranking": full rankings over all items that a user has not rated; "both".
    """

    name: ClassVar[str]
    kind: ClassVar[str] = "both"

    min_rating: float | None = knob(None, "drop lower ratings from all parts")
    min_user_ratings: int = knob(
        0, "then drop users with fewer ratings from all parts", low=0, high=2**31 - 1
    )
    refit: bool = knob(
        True,
        "refit the final model on training and validation ratings, with the settings chosen on validation",
    )
    levels: int | None = knob(
        None, "group ratings into this many levels (relation types)", low=1, high=MAX_LEVELS
    )
    level_method: str = knob(
        "width", "how levels are grouped: equal-width bins or quantiles", choices=("width", "quantile")
    )

    @property
    @abstractmethod
    def description(self) -> str:
        """What is held out, in words."""

    @property
    def label(self) -> str:
        """The name and the settings that are not the defaults; `make_protocol` reads it.

        >>> from igmc.evaluation.protocols import make_protocol
        >>> make_protocol("random_80_20", {"min_rating": 3}).label
        'random_80_20:min_rating=3.0'
        """
        given, usual = self.to_dict(), type(self)().to_dict()
        changed = [f"{key}={_text(value)}" for key, value in given.items() if value != usual[key]]
        return f"{self.name}:{','.join(changed)}" if changed else self.name

    def record(self) -> dict[str, Any]:
        """What reports say of it, in plain JSON types.

        ``make_protocol(record["name"], record["settings"])`` makes it again.
        """
        return {
            "name": self.name,
            "description": self.description,
            "kind": self.kind,
            "refit": self.refit,
            "settings": self.to_dict(),
        }

    def draw(self, dataset: Dataset, seed: int) -> Split:
        """Divide a data set. Equal data, settings and seed give equal parts, in any process.

        Args:
            dataset: what is divided.
            seed: at least 0.

        Raises:
            ConfigError: if the settings do not suit the data set.
            DataError: if it lacks what the protocol needs, or nothing is left to train on or to ask.
        """
        parts = self._held_out(dataset, seed)
        if not parts.test.size:
            raise DataError(
                f"{self.label} leaves no test ratings of {dataset.name}",
                remedy="hold out more, or lower min_rating and min_user_ratings",
            )
        return build_split(
            dataset,
            (parts.train, parts.validation, parts.test),
            name=self.label,
            seed=seed,
            support=parts.support,
            levels=self.levels,
            level_method=self.level_method,
        )

    @abstractmethod
    def _held_out(self, dataset: Dataset, seed: int) -> HeldOut:
        """The parts, out of the `_eligible` rows."""

    def _eligible(self, dataset: Dataset) -> Rows:
        """The rows that `min_rating` and then `min_user_ratings` leave, int64, ascending.

        Raises:
            DataError: if none is left.
        """
        table = dataset.table
        least = self.min_rating
        rows = np.arange(len(table)) if least is None else np.flatnonzero(table.rating >= least)
        count = np.bincount(table.user[rows], minlength=len(table.users))
        rows = rows[count[table.user[rows]] >= self.min_user_ratings]
        if not rows.size:
            raise DataError(
                f"no rating of {dataset.name} is left to split",
                got=f"min_rating {least}, min_user_ratings {self.min_user_ratings}",
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
    times = np.full(len(rows), UNKNOWN_TIME) if stamps is None else stamps[rows]
    unknown = int(np.count_nonzero(times == UNKNOWN_TIME))
    if unknown:
        raise DataError(
            f"{what} needs the time of every rating",
            got=f"{unknown} of {len(rows)} ratings of {dataset.name} without a time",
            remedy="choose a protocol or setting that needs no times, or name the time column of the file",
        )
    return times


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
