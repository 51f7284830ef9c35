"""Filters of a request: by genre, by year, or by a list of items."""

from __future__ import annotations

import difflib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError
from igmc.inference.base import BasePredictor
from igmc.inference.item_info import ItemInfo
from igmc.inference.lists.orders import LEAST_RATED, little_known
from igmc.inference.lists.request import ListRequest

__all__ = ["Eligible", "eligible_items"]

Mask = NDArray[np.bool_]


class Eligible(NamedTuple):
    """The items that pass the filters of a request.

    Attributes:
        mask: bool [n_items].
        steps: how the filters got there, such as "20 of the genres asked"; none without filters.
    """

    mask: Mask
    steps: tuple[str, ...]


def eligible_items(predictor: BasePredictor, request: ListRequest) -> Eligible:
    """The items that pass the filters, for any user.

    Raises:
        ConfigError: on a genre that no item has, or if the run lacks the information to filter by.
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
    if request.config.gems:
        mask &= little_known(predictor.graph)
        steps.append(f"{mask.sum()} rated by few, but {LEAST_RATED} or more")
    if request.exclude:
        known = predictor.items.encode(request.exclude)
        mask[known[known >= 0]] = False
        steps.append(f"{mask.sum()} that are not excluded")
    return Eligible(mask, tuple(steps))


def _info(predictor: BasePredictor, what: str) -> ItemInfo:
    info = predictor.info
    if info is None or not any(getattr(info, what)):
        raise ConfigError(
            f"this run has no item {what}",
            remedy="drop that filter, or choose the items by their ids; or, if the data set has "
            f"{what}, repeat the igmc-train command of the run, which stores them",
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
