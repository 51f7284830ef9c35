"""What the reader found in a data set, for the log."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from igmc.ratings.scale import distinct

__all__ = ["ReadReport", "spread"]

_LISTED = 12  # levels that are named one by one


@dataclass(frozen=True)
class ReadReport:
    """What the reader found in a data set.


    Attributes:
        source: the file or folder, or how the data set was made.
        rows: ratings read, before duplicates were merged.
        blank_lines: lines without user, item and rating that were skipped.
        duplicates: ratings merged away because their (user, item) pair occurs more than once.
        duplicate_rule: how they were merged, "last" (in the order of the file) or "mean".
        encoding: the encoding of the text, such as "utf-8" or "latin-1"; None if it was none.
        notes: short descriptions of what was guessed or changed.
        implicit: whether the rows were read as interactions, whatever their ratings.
        rated: whether they had ratings.
    """

    source: str
    rows: int
    blank_lines: int = 0
    duplicates: int = 0
    duplicate_rule: str = "last"
    encoding: str | None = None
    notes: tuple[str, ...] = ()
    implicit: bool = False
    rated: bool = True

    def __str__(self) -> str:
        parts = [f"{self.rows} {'interactions' if self.implicit else 'ratings'} read from {self.source}"]
        if self.encoding not in (None, "utf-8"):
            parts.append(f"text is {self.encoding}")
        if self.blank_lines:
            parts.append(f"{self.blank_lines} blank lines skipped")
        if self.duplicates:
            kept = {"last": ": the last in the file kept", "mean": ": ratings averaged"}[self.duplicate_rule]
            kept = "" if self.implicit else kept
            parts.append(f"{self.duplicates} duplicates of a (user, item) pair merged{kept}")
        return "; ".join([*parts, *self.notes])


def spread(ratings: ArrayLike) -> str:
    """The levels of ratings, or their number and range, for people.

    >>> spread([3, 1, 3])
    '1, 3'
    """
    levels = distinct(ratings)
    if len(levels) <= _LISTED:
        return ", ".join(f"{level:g}" for level in levels)
    return f"{len(levels):,} values in {levels[0]:g}..{levels[-1]:g}"
