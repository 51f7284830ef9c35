"""Requests for lists: the user, the items to choose from, length and order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from igmc.config import ListConfig
from igmc.errors import ConfigError
from igmc.inference.rating_encoding import OwnRatings, own_ratings
from igmc.ratings import RawId, id_list

__all__ = ["ListRequest"]


@dataclass(frozen=True)
class ListRequest:
    """A user, a choice of items, and how to list them; checked on creation and never changed.

    Attributes:
        user_id: a user of the run; with `ratings` also a new one, or None for someone without an id.
        ratings: item id -> rating, of a new user, or besides those that are known of the user.
        genre: an item has at least one of these; any item if empty.
        exclude_genre: an item has none of these.
        years: the first and the last year of an item, None where there is no bound.
        items: raw ids of the only items to choose from; ids that the run does not know are passed over.
        exclude: raw ids of items to leave out, such as those that the user has seen or does not want; ids
            that the run does not know are passed over.
        config: length and effort.

    Raises:
        ConfigError: if there is neither a user nor ratings, the ratings are not a mapping, or a range of
            years is none.
    """

    user_id: RawId | None = None
    ratings: OwnRatings | None = None
    genre: tuple[str, ...] = ()
    exclude_genre: tuple[str, ...] = ()
    years: tuple[int | None, int | None] | None = None
    items: frozenset[RawId] | None = None
    exclude: frozenset[RawId] = frozenset()
    config: ListConfig = field(default_factory=ListConfig)

    def __post_init__(self) -> None:
        if self.user_id is None and self.ratings is None:
            raise ConfigError(
                "no user to recommend for",
                allowed="a user_id, ratings, or both",
                remedy="give the ratings of a newcomer, which may be empty",
            )
        if self.ratings is not None:
            object.__setattr__(self, "ratings", own_ratings(self.ratings))
        for name in ("genre", "exclude_genre"):
            object.__setattr__(self, name, _genres(name, getattr(self, name)))
        if self.items is not None:
            object.__setattr__(self, "items", frozenset(_several(self.items)))
        object.__setattr__(self, "exclude", frozenset(_several(self.exclude)))
        if self.years is not None:
            object.__setattr__(self, "years", _years(self.years))


def _several(given: Any) -> tuple[Any, ...]:
    """One or several, as several."""
    return tuple(id_list(given))


def _genres(name: str, given: Any) -> tuple[str, ...]:
    found = _several(given)
    if not all(isinstance(word, str) for word in found):
        raise ConfigError(f"{name} is not the name of a genre", got=str(given), allowed="a text, or several")
    return found


def _years(given: Any) -> tuple[int | None, int | None]:
    bounds = tuple(given) if isinstance(given, Iterable) else (given,)
    whole = all(year is None or (isinstance(year, int) and not isinstance(year, bool)) for year in bounds)
    if len(bounds) == 2 and whole:
        first, last = bounds
        if not (isinstance(first, int) and isinstance(last, int) and first > last):
            return first, last
    raise ConfigError(
        "years are not a range",
        got=" to ".join("any" if year is None else str(year) for year in bounds) or "nothing",
        allowed="the first year and the last one, which is not before the first",
    )
