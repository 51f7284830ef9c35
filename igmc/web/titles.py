"""The titles of the items that are served, and the search for words in them."""

from __future__ import annotations

from functools import cached_property

import numpy as np

from igmc.inference import Predictor, natural_title
from igmc.web import schemas
from igmc.web.title_search import TitleSearch, informative
from igmc.web.wire_ids import sent

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
        self.names = tuple(map(natural_title, self._titles))
        named = zip(self._titles, self.names, predictor.items.ids, strict=True)
        # Found by either way of writing it.
        self._search = TitleSearch(
            [
                str(raw) if not title else title if title == name else f"{name} {title}"
                for title, name, raw in named
            ]
        )
        self._first = predictor

    def are_of(self, predictor: Predictor) -> bool:
        """Whether these are the titles of what a predictor knows."""
        return predictor.info is self._info and predictor.graph.n_items == self._size

    def item(self, predictor: Predictor, item: int) -> schemas.Item:
        """What is known of an item, by its dense index."""
        return schemas.Item(
            item_id=sent(predictor.items.ids[item]),
            title=self._titles[item],
            name=self.names[item],
            genres=[word for word in self._genres[item].split("|") if word],
            year=self.years[item],
            ratings=int(predictor.graph.by_item.degrees(np.array([item], np.int32))[0]),
        )

    def search(self, predictor: Predictor, words: str, limit: int, *, telling: bool) -> schemas.ItemList:
        """The items whose titles hold all the words, in parts of words too; see `igmc.web.title_search`.

        Args:
            predictor: what answers now.
            words: none for all items, those of most ratings first.
            limit: how many at most.
            telling: without words, the items first that people know and do not agree on.
        """
        if telling and not words.strip():
            found, corrected = self._telling, False
        else:
            count = predictor.graph.by_item.degrees(np.arange(self._size, dtype=np.int32))
            found, corrected = self._search.find(words, count)
        items = [self.item(predictor, item) for item in found[:limit]]
        return schemas.ItemList(items=items, corrected=corrected)

    @cached_property
    def _telling(self) -> list[int]:
        # As of the first ratings: a few more change little.
        found: list[int] = informative(self._first.graph, self._first.scale.values).tolist()
        return found
