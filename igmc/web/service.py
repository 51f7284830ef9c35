"""The answers of the server: a `Predictor`, asked and answered in the words of `igmc.web.schemas`."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np

from igmc import __version__
from igmc.config import ListConfig, ServeConfig
from igmc.errors import DataError
from igmc.inference import Predictor, near_ids, nearest_ratings
from igmc.inference.lists import ListRequest, list_items
from igmc.inference.why import ExplainedNode, explain
from igmc.ratings import IdTable, RawId
from igmc.ratings.readers import source_name
from igmc.web import schemas

__all__ = ["Service", "UnknownIdError"]

TOP = 6  # neighbours on each side of the drawing of an explanation
LINKS = 400  # ratings that an explanation leaves out in turn, at most, once for each checkpoint

_FILMS = ("ml_", "demo", "flixster")  # what the items of these data sets are


class UnknownIdError(DataError):
    """Somebody or something is asked about that the run does not know."""


class Service:
    """What can be asked of a run over the wire; all of it any number of threads may ask at once.

    Nothing that is asked leaves a trace here. Each method takes the time, on the clock of `time.monotonic`,
    after which nobody waits for its answer any more.

    Args:
        predictor: what answers.
        limits: of the server.

    Raises:
        DataError: on an id that answers cannot hold.
    """

    def __init__(self, predictor: Predictor, limits: ServeConfig) -> None:
        self.predictor, self.limits = predictor, limits
        for side, table in (("user", predictor.users), ("item", predictor.items)):
            for raw in table.ids:
                if not _sendable(raw):
                    raise DataError(
                        f"the API cannot send this {side} id",
                        got=raw,
                        allowed=f"whole numbers below 2^53, texts of at most {schemas.LONGEST} characters",
                        remedy="give the data set other ids",
                    )
        info, size = predictor.info, len(predictor.items)
        self._titles = info.titles if info is not None else ("",) * size
        self._years = info.years if info is not None else (None,) * size
        self._plain = tuple(
            _plain(title or str(raw)) for title, raw in zip(self._titles, predictor.items.ids, strict=True)
        )
        self._count = predictor.graph.by_item.degrees(np.arange(size, dtype=np.int32))

    def about(self) -> schemas.About:
        """What is served, and what may be asked."""
        predictor, years = self.predictor, [year for year in self._years if year is not None]
        # Of a file its name, not its place on this machine.
        dataset = source_name(predictor.config.data.dataset)
        return schemas.About(
            dataset=dataset,
            noun="film" if dataset.startswith(_FILMS) else "item",
            users=len(predictor.users),
            items=len(predictor.items),
            ratings=predictor.graph.n_ratings,
            epochs=list(predictor.epochs),
            scale=predictor.scale.shown().tolist(),
            genres=list(predictor.info.genre_names) if predictor.info is not None else [],
            years=[min(years), max(years)] if years else [],
            max_ratings=self.limits.max_ratings,
            max_k=schemas.MOST,
            version=__version__,
        )

    def search(self, words: str, limit: int, deadline: float) -> schemas.ItemList:
        """The items whose titles hold all the words, in parts of words too; all items without words.

        Case and accents do not matter. Titles that begin with the phrase come first, then those in which
        words begin as asked, and among these what many people rated.
        """
        asked = _plain(words).split()
        phrase = " ".join(asked)
        found = [k for k, title in enumerate(self._plain) if all(word in title for word in asked)]

        def place(item: int) -> tuple[bool, int, int, int]:
            title = self._plain[item]
            begun = sum(f" {word}" in f" {title}" for word in asked)
            return not title.startswith(phrase), -begun, -int(self._count[item]), item

        return schemas.ItemList(items=[self._item(k) for k in sorted(found, key=place)[:limit]])

    def recommend(self, asked: schemas.ListRequest, deadline: float) -> schemas.ListAnswer:
        """A list for somebody; see `igmc.inference.lists.recommend.recommend`.

        Raises:
            UnknownIdError: on an unknown user.
            IgmcError: on ratings and filters that make no sense.
            TimeoutError: after the deadline.
        """
        years = (
            None if asked.year_from is None and asked.year_to is None else (asked.year_from, asked.year_to)
        )
        request = ListRequest(
            user_id=asked.user_id,
            ratings=self._ratings(asked),
            genre=tuple(asked.genres),
            exclude_genre=tuple(asked.exclude_genres),
            years=years,
            config=ListConfig(k=asked.k, min_score=asked.min_score, bottom=asked.bottom),
        )
        found = list_items(self.predictor, request, deadline=deadline)
        rows = zip(found.item.tolist(), found.score.tolist(), found.source.tolist(), strict=True)
        return schemas.ListAnswer(
            items=[
                schemas.ListedItem(
                    **self._item(item).model_dump(), score=round(score, 4), source=source, rank=rank
                )
                for rank, (item, score, source) in enumerate(rows, start=1)
            ],
            reason=found.reason,
            rated=found.rated,
            scored=found.scored,
        )

    def explain(self, asked: schemas.ExplanationRequest, deadline: float) -> schemas.ExplanationAnswer:
        """Why somebody is predicted to give an item what the models say; see `igmc.inference.why.explain`.

        Raises:
            UnknownIdError: on an unknown user or item.
            IgmcError: on ratings that make no sense.
            TimeoutError: after the deadline.
        """
        self._known("item", self.predictor.items, asked.item_id)
        ratings = self._ratings(asked)
        found = explain(
            self.predictor,
            asked.user_id,
            asked.item_id,
            ratings=ratings,
            top=TOP,
            limit=LINKS,
            deadline=deadline,
        )
        return schemas.ExplanationAnswer(
            score=round(found.score, 4),
            source=found.source,
            item=self._item(int(self.predictor.items.encode([asked.item_id])[0])),
            text=found.sentence(),
            known_rating=found.known,
            users=[_node(node) for node in found.users],
            items=[_node(node) for node in found.items],
            ratings=[
                schemas.Influence(
                    user=edge.user, item=edge.item, rating=edge.rating, importance=round(edge.importance, 6)
                )
                for edge in found.edges
            ],
            subgraph=schemas.Subgraph(users=found.n_users, items=found.n_items, ratings=found.n_ratings),
        )

    def _item(self, item: int) -> schemas.Item:
        info = self.predictor.info
        return schemas.Item(
            item_id=_sent(self.predictor.items.ids[item]),
            title=self._titles[item],
            genres=[word for word in info.genres[item].split("|") if word] if info is not None else [],
            year=self._years[item],
            ratings=int(self._count[item]),
        )

    def _ratings(self, asked: schemas.Asker) -> dict[RawId, float] | None:
        """What came with a request, checked as far as the predictor does not."""
        if asked.user_id is not None:
            self._known("user", self.predictor.users, asked.user_id)
        if asked.ratings is None:
            return None
        if len(asked.ratings) > self.limits.max_ratings:
            raise DataError(
                "too many ratings in a request",
                got=len(asked.ratings),
                allowed=f"at most {self.limits.max_ratings}",
            )
        ratings: dict[RawId, float] = {}
        for one in asked.ratings:
            if one.item_id in ratings:
                raise DataError("an item is rated twice", got=one.item_id, allowed="each item once")
            ratings[one.item_id] = one.rating
        return nearest_ratings(self.predictor.scale, ratings) if asked.round else ratings

    def _known(self, side: str, table: IdTable, raw: RawId) -> None:
        if table.encode([raw])[0] < 0:
            raise UnknownIdError(f"there is no such {side}", got=raw, remedy=near_ids(table, raw))


def _sendable(raw: RawId) -> bool:
    if isinstance(raw, str):
        return len(raw) <= schemas.LONGEST
    return isinstance(raw, int) and not isinstance(raw, bool) and abs(raw) <= schemas.LARGEST


def _node(node: ExplainedNode) -> schemas.Node:
    return schemas.Node(id=_sent(node.id), title=node.title)


def _sent(raw: RawId | None) -> Any:
    """An id for an answer; the service has looked at all of them."""
    return raw


def _plain(text: str) -> str:
    """Without accents and capitals.

    >>> _plain("Amélie (2001)")
    'amelie (2001)'
    """
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()
