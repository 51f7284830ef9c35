"""Ratings from rows whose values have types: JSON lines and the rows of a database."""

from __future__ import annotations

import array
import datetime
import decimal
from collections.abc import Callable
from typing import Any

import numpy as np

from igmc.errors import DataError
from igmc.ratings.raw_ratings import RawRatings, Vocabulary, trimmed_note
from igmc.ratings.readers.layout import NUMBER
from igmc.ratings.times import ALLOWED, MAX_TIME, date_seconds, looks_like_date, to_seconds

__all__ = ["TypedRows"]


class TypedRows:
    """Gathers ratings row by row; ids stay whole numbers or texts, as they come.

    Args:
        where: names the place of the k-th rating, from 0.
        timed: whether there are times.
        rated: whether there are ratings; if not, each is to be given as 1.
    """

    def __init__(self, where: Callable[[int], str], *, timed: bool, rated: bool = True) -> None:
        self.where, self.timed, self.rated = where, timed, rated
        self._users, self._items = Vocabulary(), Vocabulary()
        self._user, self._item = array.array("q"), array.array("q")
        self._rating, self._time = array.array("d"), array.array("d")

    def add(self, user: Any, item: Any, rating: Any, time: Any = None) -> None:
        """Add a rating.

        Args:
            user, item: a whole number, also as a float, or a text that is not empty.
            rating: a number, or a text that is one.
            time: a number, see `to_seconds`; a date or datetime, also as ISO text; None where unknown.

        Raises:
            DataError: naming the row, on anything else.
        """
        for name, raw, vocabulary, codes in (
            ("user", user, self._users, self._user),
            ("item", item, self._items, self._item),
        ):
            codes.append(vocabulary.add(self._id(name, raw, vocabulary)))
        value = self._number("rating", rating, "a finite number such as 4 or 3.5")
        if self.timed:
            self._time.append(self._seconds(time))
        self._rating.append(value)

    def finished(self) -> RawRatings:
        """All of them.

        Raises:
            DataError: if there are none, or their times are in several units.
        """
        if not self._rating:
            raise DataError(
                f"{self.where(0)}: there are no ratings", allowed="at least one", remedy="check the source"
            )
        stamps, notes = to_seconds(np.array(self._time), self.where) if self.timed else (None, ())
        return RawRatings(
            list(self._users.codes),
            list(self._items.codes),
            np.array(self._user, np.int64),
            np.array(self._item, np.int64),
            np.array(self._rating, np.float64),
            stamps,
            self.where,
            notes=(*trimmed_note(self._users, self._items), *notes),
            rated=self.rated,
        )

    def _id(self, name: str, raw: Any, vocabulary: Vocabulary) -> int | str:
        if isinstance(raw, str) and raw.strip():
            return raw
        if isinstance(raw, int) and not isinstance(raw, bool):
            return raw
        if isinstance(raw, float | decimal.Decimal) and raw == raw // 1:
            vocabulary.floats += 1
            return int(raw)
        missing = raw is None or raw == ""
        raise self._wrong(
            f"the {name} is {'missing' if missing else 'not an id'}", raw, "a whole number or a text"
        )

    def _number(self, name: str, raw: Any, allowed: str) -> float:
        if isinstance(raw, str) and NUMBER.fullmatch(raw):
            raw = float(raw)
        if not isinstance(raw, int | float | decimal.Decimal) or not np.isfinite(float(raw)):
            raise self._wrong(f"the {name} is {'missing' if raw is None else 'not a number'}", raw, allowed)
        return float(raw)

    def _seconds(self, raw: Any) -> float:
        if raw is None or raw == "":
            return np.nan
        if isinstance(raw, datetime.date):
            raw = raw.isoformat()
        if isinstance(raw, str) and looks_like_date(raw):
            try:
                return date_seconds(raw)
            except ValueError:
                raise self._wrong("the timestamp is not an ISO date", raw, ALLOWED) from None
        found = self._number("timestamp", raw, ALLOWED)
        if abs(found) >= MAX_TIME:
            raise self._wrong("the timestamp is too large", raw, ALLOWED)
        return found

    def _wrong(self, what: str, got: Any, allowed: str) -> DataError:
        return DataError(
            f"{self.where(len(self._rating))}: {what}",
            got=got,
            allowed=allowed,
            remedy="fix or remove this row",
        )
