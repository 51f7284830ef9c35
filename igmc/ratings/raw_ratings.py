"""Ratings as read from a file, before conversion to a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["RawRatings", "Vocabulary", "natural_ids", "shortest", "trimmed_note"]

_WHOLE = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)
_WHOLE_FLOAT = re.compile(r"(0|-?[1-9][0-9]*)(\.0*)?", re.ASCII)


@dataclass(frozen=True, eq=False)
class RawRatings:
    """n ratings as read from a file; pairs may be repeated.

    Attributes:
        users, items: the distinct raw ids.
        user, item: int64 [n], positions in `users` and `items`.
        rating: float64 [n], finite.
        timestamp: int64 [n], -1 where unknown; None if the file has none.
        where: function from a row number to its location, such as "ratings.csv, line 7".
        blank_lines: lines that were skipped.
        encoding: "utf-8", "latin-1", ...; None if the file is not text.
        notes: short descriptions of what was guessed.
        rated: whether there are ratings; if not, `rating` holds ones.
    """

    users: list[int | str]
    items: list[int | str]
    user: NDArray[np.int64]
    item: NDArray[np.int64]
    rating: NDArray[np.float64]
    timestamp: NDArray[np.int64] | None
    where: Callable[[int], str] = field(repr=False)
    blank_lines: int = 0
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    rated: bool = True


class Vocabulary:
    """Codes 0, 1, ... for ids, in the order in which they are first met; blanks around a text are cut off.

    Attributes:
        codes: id -> code.
        trimmed: how many cells had blanks around.
        floats: how many cells were whole numbers written as floats.
    """

    def __init__(self) -> None:
        self.codes: dict[Any, int] = {}
        self.trimmed = 0
        self.floats = 0

    def add(self, raw: Any, times: int = 1) -> int:
        """The code of an id that stands in so many cells."""
        if isinstance(raw, str) and (text := raw.strip()) != raw:
            self.trimmed += times
            raw = text
        return self.codes.setdefault(raw, len(self.codes))

    def add_all(self, texts: Any) -> NDArray[np.int64]:
        """The codes, int64 [n], of an array of n texts."""
        local, unique = pd.factorize(texts)
        counts = np.bincount(local, minlength=len(unique)).tolist()
        pairs = zip(unique, counts, strict=True)
        return np.array([self.add(text, count) for text, count in pairs], dtype=np.int64)[local]

    def ids(self, codes: NDArray[np.int64]) -> tuple[list[int | str], NDArray[np.int64]]:
        """The ids of texts, see `natural_ids`, and codes int64 [n] as positions among them.

        If all are whole numbers, some of them written as floats (27.0), they are whole numbers.
        """
        names = list(self.codes)
        found = natural_ids(names)
        if not names or isinstance(found[0], int) or not all(map(_WHOLE_FLOAT.fullmatch, names)):
            return found, codes
        whole = natural_ids([name.partition(".")[0] for name in names])
        if not isinstance(whole[0], int):
            return found, codes
        self.floats = int(np.isin(codes, [k for k, name in enumerate(names) if "." in name]).sum())
        distinct = {number: k for k, number in enumerate(dict.fromkeys(whole))}
        return list(distinct), np.array([distinct[number] for number in whole], np.int64)[codes]


def natural_ids(names: list[str]) -> list[int | str]:
    """Texts as numbers if every one is a plain whole number that fits int64; else as they are.

    >>> natural_ids(["7", "-3"]), natural_ids(["7", "03"])
    ([7, -3], ['7', '03'])
    """
    if all(len(n) <= 20 and _WHOLE.fullmatch(n) for n in names):
        numbers = [int(n) for n in names]
        if all(-(2**63) <= n < 2**63 for n in numbers):
            return list(numbers)
    return list(names)


def trimmed_note(users: Vocabulary, items: Vocabulary) -> tuple[str, ...]:
    """What was changed in the cells of ids, for the report."""
    trimmed, floats = users.trimmed + items.trimmed, users.floats + items.floats
    notes = [f"blanks around {trimmed:,} ids cut off"] if trimmed else []
    return (*notes, f"{floats:,} ids such as 27.0 read as whole numbers") if floats else tuple(notes)


def shortest(values: NDArray[np.float64], kind: type[np.floating[Any]]) -> NDArray[np.float64]:
    """The decimals that numbers of fewer digits stand for: 3.1 rather than 3.0999999046.

    >>> shortest(np.array([np.float32(3.1)], np.float64), np.float32).tolist()
    [3.1]
    """
    unique, inverse = np.unique(values, return_inverse=True)
    return np.array([float(str(number)) for number in unique.astype(kind)], np.float64)[inverse]
