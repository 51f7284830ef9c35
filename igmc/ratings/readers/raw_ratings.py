"""Ratings as they stand in a file, before they become a table."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["RawRatings", "Vocabulary", "natural_ids"]

_WHOLE = re.compile(r"0|-?[1-9][0-9]*", re.ASCII)


@dataclass(frozen=True, eq=False)
class RawRatings:
    """n ratings as they stand in a file, pairs perhaps repeated.

    Attributes:
        users, items: the distinct raw ids.
        user, item: int64 [n], positions in `users` and `items`.
        rating: float64 [n], finite.
        timestamp: int64 [n], -1 where unknown; None if the file has none.
        where: the name, such as "ratings.csv, line 7", of the place of a row number.
        blank_lines: lines that were skipped.
        encoding: "utf-8", "latin-1", ...; None if the file is not text.
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


class Vocabulary:
    """Codes 0, 1, ... for texts, in the order in which they are first met."""

    def __init__(self) -> None:
        self.codes: dict[Any, int] = {}

    def add(self, text: Any) -> int:
        return self.codes.setdefault(text, len(self.codes))

    def add_all(self, texts: Any) -> NDArray[np.int64]:
        """The codes, int64 [n], of an array of n texts."""
        local, unique = pd.factorize(texts)
        return np.array([self.add(text) for text in unique], dtype=np.int64)[local]


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
