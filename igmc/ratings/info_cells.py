"""What stands in the cells of tables about items, however it is written: words, genres, years."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from igmc.ratings.ids import missing

__all__ = ["genres", "word", "year", "year_of_title"]

_YEAR = re.compile(r"(?<!\d)(1[0-9]{3}|20[0-9]{2})(?!\d)")
_YEAR_OF_TITLE = re.compile(r"\((\d{4})(?:[-\u2013]\d{0,4})?\)\s*$")
_NO_GENRES = "(no genres listed)"  # of MovieLens


def word(cell: Any) -> str:
    """A cell as text, without blanks around; empty where it is missing.

    >>> word(" Alien "), word(None), word(float("nan"))
    ('Alien', '', '')
    """
    text = "" if missing(cell) else str(cell).strip()
    return "" if text in ("nan", "None") else text


def genres(cell: Any, *, by_blanks: bool = False) -> str:
    """The genres of a list, perhaps nested, or of a text, with ``|`` between them.

    >>> genres("Drama, War"), genres([["Toys", "Games"], ["Toys"]]), genres("Sci Fi War", by_blanks=True)
    ('Drama|War', 'Toys|Games', 'Sci|Fi|War')
    """
    if isinstance(cell, list | tuple | set | frozenset | np.ndarray):
        parts = [part for one in cell for part in genres(one).split("|")]
        return "|".join(dict.fromkeys(part for part in parts if part))
    text = word(cell)
    if text == _NO_GENRES:
        return ""
    mark = " " if by_blanks else next((mark for mark in "|;," if mark in text), "|")
    return "|".join(part.strip() for part in text.split(mark) if part.strip())


def year(cell: Any) -> int | None:
    """The year of a number, a date or a text; None where there is none.

    >>> year(1979.0), year("01-Jan-1995"), year("n/a")
    (1979, 1995, None)
    """
    found = _YEAR.search(word(cell))
    return int(found[1]) if found else None


def year_of_title(title: str) -> int | None:
    """The year in brackets at the end of a title.

    >>> year_of_title("Alien (1979)"), year_of_title("1984")
    (1979, None)
    """
    found = _YEAR_OF_TITLE.search(title)
    return int(found[1]) if found else None
