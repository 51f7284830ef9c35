"""What a list of recommendations is asked for: for whom, of which items, how long and by which effort."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.config import ListConfig
from igmc.errors import ConfigError
from igmc.inference.item_info import ItemInfo
from igmc.inference.predictor import Predictor
from igmc.ratings import RawId

__all__ = ["Eligible", "ListRequest", "eligible_items"]

Mask = NDArray[np.bool_]


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
        config: length and effort.

    Raises:
        ConfigError: if it says for nobody, or a range of years is none.
    """

    user_id: RawId | None = None
    ratings: Mapping[RawId, float] | None = None
    genre: tuple[str, ...] = ()
    exclude_genre: tuple[str, ...] = ()
    years: tuple[int | None, int | None] | None = None
    items: frozenset[RawId] | None = None
    config: ListConfig = field(default_factory=ListConfig)

    def __post_init__(self) -> None:
        if self.user_id is None and self.ratings is None:
            raise ConfigError(
                "nobody is named to recommend for",
                allowed="a user_id, ratings, or both",
                remedy="give the ratings of a newcomer, empty for one of whom nothing is known",
            )
        if self.ratings is not None:
            object.__setattr__(self, "ratings", dict(self.ratings))
        for name in ("genre", "exclude_genre"):
            object.__setattr__(self, name, _several(getattr(self, name)))
        if self.items is not None:
            object.__setattr__(self, "items", frozenset(_several(self.items)))
        if self.years is not None:
            object.__setattr__(self, "years", _years(self.years))


class Eligible(NamedTuple):
    """The items that a request leaves to choose from.

    Attributes:
        mask: bool [n_items].
        steps: how the filters got there, such as "20 of the genres asked"; none without filters.
    """

    mask: Mask
    steps: tuple[str, ...]


def eligible_items(predictor: Predictor, request: ListRequest) -> Eligible:
    """The items that pass the request's filters, whoever asks.

    Raises:
        ConfigError: on a genre that no item has, or if the run does not know what is filtered by.
    """
    size = predictor.graph.n_items
    mask, steps = np.ones(size, bool), []
    if request.items is not None:
        known = predictor.items.encode(request.items)
        allowed = np.zeros(size, bool)
        allowed[known[known >= 0]] = True
        mask &= allowed
        steps.append(f"{mask.sum()} of the {len(request.items)} allowed")
    if request.genre or request.exclude_genre:
        info = _info(predictor, "genres")
        genre, unwanted = _known(info, request.genre), _known(info, request.exclude_genre)
        if genre:
            mask &= _sized(info.of_genres(genre), size)
            steps.append(f"{mask.sum()} of {' or '.join(genre)}")
        if unwanted:
            mask &= ~_sized(info.of_genres(unwanted), size)
            steps.append(f"{mask.sum()} without {' and '.join(unwanted)}")
    if request.years is not None:
        mask &= _sized(_info(predictor, "years").of_years(*request.years), size)
        steps.append(f"{mask.sum()} of {_text(request.years)}")
    return Eligible(mask, tuple(steps))


def _several(given: Any) -> tuple[Any, ...]:
    """One or several, as several."""
    return (given,) if isinstance(given, int | str) else tuple(given)


def _years(given: Iterable[object]) -> tuple[int | None, int | None]:
    bounds = tuple(given)
    whole = all(year is None or (isinstance(year, int) and not isinstance(year, bool)) for year in bounds)
    if len(bounds) == 2 and whole:
        first, last = bounds
        if not (isinstance(first, int) and isinstance(last, int) and first > last):
            return first, last  # type: ignore[return-value]
    raise ConfigError(
        "years are no range", got=bounds, allowed="the first and the last year, None where there is no bound"
    )


def _info(predictor: Predictor, what: str) -> ItemInfo:
    info = predictor.info
    if info is None or not any(getattr(info, what)):
        raise ConfigError(
            f"this run does not know the {what} of its items",
            remedy="leave that filter out, or choose the items by their ids; or, if the data set tells the "
            f"{what}, repeat the igmc-train command of the run, which notes them",
        )
    return info


def _known(info: ItemInfo, names: tuple[str, ...]) -> tuple[str, ...]:
    """The genres as the run writes them."""
    spelled = {name.casefold(): name for name in info.genre_names}
    for name in names:
        if name.casefold() not in spelled:
            near = difflib.get_close_matches(name.casefold(), spelled, n=2)
            raise ConfigError(
                "no item has this genre",
                got=name,
                allowed=", ".join(info.genre_names),
                remedy=f"did you mean {' or '.join(spelled[word] for word in near)}?" if near else None,
            )
    return tuple(spelled[name.casefold()] for name in names)


def _sized(mask: Mask, size: int) -> Mask:
    """Of items that came after training nothing is known."""
    return np.concatenate([mask, np.zeros(size - len(mask), bool)])


def _text(years: tuple[int | None, int | None]) -> str:
    first, last = years
    if first is None or last is None:
        return f"{first} and later" if last is None else f"{last} and before"
    return f"{first}-{last}"
