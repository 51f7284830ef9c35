"""The titles of the items that are served, and the search for words in them."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from igmc.inference import Predictor
from igmc.ratings import RawId
from igmc.web import schemas

__all__ = ["Titles"]


class Titles:
    """What is known of the items besides their ratings, ready to be searched.

    Args:
        predictor: that knows the items.
    """

    def __init__(self, predictor: Predictor) -> None:
        info, size = predictor.info, predictor.graph.n_items
        self._info, self._size = info, size
        known = 0 if info is None else len(info.titles)
        more = size - known
        self._titles = (*(info.titles if info is not None else ()), *[""] * more)
        self._genres = (*(info.genres if info is not None else ()), *[""] * more)
        self.years = (*(info.years if info is not None else ()), *[None] * more)
        named = zip(self._titles, predictor.items.ids, strict=True)
        self._plain = tuple(_plain(title or str(raw)) for title, raw in named)

    def are_of(self, predictor: Predictor) -> bool:
        """Whether these are the titles of what a predictor knows."""
        return predictor.info is self._info and predictor.graph.n_items == self._size

    def item(self, predictor: Predictor, item: int) -> schemas.Item:
        """What is known of an item, by its dense index."""
        return schemas.Item(
            item_id=sent(predictor.items.ids[item]),
            title=self._titles[item],
            genres=[word for word in self._genres[item].split("|") if word],
            year=self.years[item],
            ratings=int(predictor.graph.by_item.degrees(np.array([item], np.int32))[0]),
        )

    def search(self, predictor: Predictor, words: str) -> list[int]:
        """The items whose titles hold all the words; see `igmc.web.service.Service.search`."""
        asked = _plain(words).split()
        phrase = " ".join(asked)
        found = [k for k, title in enumerate(self._plain) if all(word in title for word in asked)]
        count = predictor.graph.by_item.degrees(np.arange(self._size, dtype=np.int32)).tolist()

        def place(item: int) -> tuple[bool, int, int, int]:
            title = self._plain[item]
            begun = sum(f" {word}" in f" {title}" for word in asked)
            return not title.startswith(phrase), -begun, -count[item], item

        return sorted(found, key=place)


def sent(raw: RawId | None) -> Any:
    """An id for an answer; the service has looked at all of them."""
    return raw


def _plain(text: str) -> str:
    """Without accents and capitals.

    >>> _plain("Amélie (2001)")
    'amelie (2001)'
    """
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()
