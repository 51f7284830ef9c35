"""The answers of the server: a `Predictor`, asked and answered in the words of `igmc.web.schemas`."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import numpy as np

from igmc import __version__
from igmc.config import ListConfig, ServeConfig
from igmc.errors import DataError
from igmc.inference import Predictor, near_ids, nearest_ratings, requested_user
from igmc.inference.lists import (
    ORDERS,
    ListRequest,
    Reason,
    list_items,
    reasons,
)
from igmc.inference.why import explain
from igmc.ratings import IdTable, RawId
from igmc.ratings.readers import source_name
from igmc.web import catalogue, schemas, score_schemas
from igmc.web.titles import Titles
from igmc.web.wire_ids import LONGEST, received, received_all, sendable

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
        predictor: what answers; or, while ratings come in, what gives the one that answers now.
        limits: of the server.

    Raises:
        DataError: on an id that answers cannot hold.
    """

    def __init__(self, predictor: Predictor | Callable[[], Predictor], limits: ServeConfig) -> None:
        self._now: Callable[[], Predictor] = predictor if callable(predictor) else lambda: predictor
        self.limits = limits
        for side in ("user", "item"):
            for raw in getattr(self.predictor, f"{side}s").ids:
                if not sendable(raw):
                    raise DataError(
                        f"the API cannot send this {side} id",
                        got=raw,
                        allowed=f"whole numbers below 2^63, texts of at most {LONGEST} characters",
                        remedy="give the data set other ids",
                    )
        self._titles = Titles(self.predictor)

    @property
    def predictor(self) -> Predictor:
        """What answers now; a request takes it once."""
        return self._now()

    def warm(self) -> None:
        """Do once what requests need, so that the first of them need not wait for it."""
        predictor = self.predictor
        predictor.scorer.warm(predictor.graph)
        if predictor.graph.n_ratings:
            user = int(
                np.argmax(predictor.graph.by_user.degrees(np.arange(len(predictor.users), dtype=np.int32)))
            )
            items, levels = predictor.graph.by_user.row(user)
            rating = float(predictor.scale.values[levels[0]])
            rated = schemas.Rating.model_construct(item_id=predictor.items.ids[items[0]], rating=rating)
            known = predictor.users.ids[user]
            for asked in ({"user_id": known}, {"ratings": [rated]}):
                self.recommend(schemas.ListRequest.model_construct(**asked), inf)

    def about(self) -> schemas.About:
        """What is served, and the limits of requests."""
        predictor = self.predictor
        years = [year for year in self._titles_of(predictor).years if year is not None]
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
            rates=predictor.rates,
            genres=list(predictor.info.genre_names) if predictor.info is not None else [],
            years=[min(years), max(years)] if years else [],
            max_ratings=self.limits.max_ratings,
            max_k=schemas.MOST,
            orders=list(ORDERS) if predictor.rates else ["auto", "relevance"],
            poster_url=self.limits.poster_url or "",
            arms=[],
            stores=False,
            version=__version__,
        )

    def search(self, words: str, limit: int, telling: bool, deadline: float) -> schemas.ItemList:
        """The items with these words in their titles; see `igmc.web.titles.Titles.search`."""
        predictor = self.predictor
        return self._titles_of(predictor).search(predictor, words, limit, telling=telling)

    def named(self, asked: schemas.NamedItems, deadline: float) -> schemas.ItemList:
        """The items of these ids, in their order; unknown ones are passed over."""
        predictor = self.predictor
        ids = received_all(predictor.items, asked.item_ids)
        titles, places = self._titles_of(predictor), predictor.items.encode(ids)
        items = [titles.item(predictor, place) for place in places[places >= 0].tolist()]
        return schemas.ItemList(items=items, corrected=False)

    def users(self, text: str, limit: int, deadline: float) -> schemas.UserList:
        """The users whose ids begin with a text."""
        return catalogue.users(self.predictor, text, limit)

    def similar(self, asked: schemas.SimilarRequest, deadline: float) -> schemas.SimilarList:
        """The items like one; see `igmc.inference.similar`.

        Raises:
            UnknownIdError: on an unknown item.
        """
        predictor = self.predictor
        item = _known("item", predictor.items, asked.item_id)
        return catalogue.similar(predictor, self._titles_of(predictor), item, asked.k)

    def recommend(self, asked: schemas.ListRequest, deadline: float) -> score_schemas.ListAnswer:
        """A list for somebody; see `igmc.inference.lists.recommend.recommend`.

        Raises:
            UnknownIdError: on an unknown user.
            IgmcError: on ratings and filters that make no sense.
            TimeoutError: after the deadline.
        """
        years = (
            None if asked.year_from is None and asked.year_to is None else (asked.year_from, asked.year_to)
        )
        predictor = self.predictor
        titles = self._titles_of(predictor)
        request = ListRequest(
            user_id=_user(predictor, asked),
            ratings=self._ratings(predictor, asked),
            genre=tuple(asked.genres),
            exclude_genre=tuple(asked.exclude_genres),
            years=years,
            exclude=frozenset(received_all(predictor.items, asked.exclude)),
            config=ListConfig(
                k=asked.k,
                min_score=asked.min_score,
                bottom=asked.bottom,
                order=asked.order,
                diversity=asked.diversity,
                gems=asked.gems,
                coverage=asked.coverage,
            ),
        )
        found = list_items(predictor, request, deadline=deadline)
        why: list[Reason | None] = [None] * len(found.item)
        if asked.because:
            who = request.user_id, request.ratings
            why = reasons(predictor, found.item, user_id=who[0], ratings=who[1], deadline=deadline)
        rows = zip(found.item.tolist(), catalogue.scores(predictor, found), why, strict=True)
        return score_schemas.ListAnswer(
            items=[
                score_schemas.ListedItem(
                    **titles.item(predictor, item).model_dump(),
                    rank=rank,
                    because=catalogue.because(predictor, titles, reason),
                    **scores,
                )
                for rank, (item, scores, reason) in enumerate(rows, start=1)
            ],
            reason=found.reason,
            rated=found.rated,
            scored=found.scored,
        )

    def score(self, asked: score_schemas.ScoreRequest, deadline: float) -> score_schemas.ScoreAnswer:
        """What somebody is predicted to give to some items; raises as `recommend`."""
        predictor = self.predictor
        if asked.user_id is None and asked.ratings is None:
            raise DataError("no user to predict for", allowed="a user_id, ratings, or both")
        view = requested_user(predictor, _user(predictor, asked), self._ratings(predictor, asked))
        ids = received_all(predictor.items, asked.item_ids)
        found = view.score_indices(view.items.encode(ids), deadline=deadline)
        columns = found.score.tolist(), found.source.tolist(), catalogue.bounds(found)
        return score_schemas.ScoreAnswer(
            scores=[
                score_schemas.ItemScore.model_validate(
                    {"item_id": item, "score": round(score, 4), "source": source, **bounds}
                )
                for item, score, source, bounds in zip(asked.item_ids, *columns, strict=True)
            ]
        )

    def explain(self, asked: schemas.ExplanationRequest, deadline: float) -> schemas.ExplanationAnswer:
        """Why somebody is predicted to give an item what the models say; see `igmc.inference.why.explain`.

        Raises:
            UnknownIdError: on an unknown user or item.
            IgmcError: on ratings that make no sense.
            TimeoutError: after the deadline.
        """
        predictor = self.predictor
        item = _known("item", predictor.items, asked.item_id)
        ratings = self._ratings(predictor, asked)
        found = explain(
            predictor,
            _user(predictor, asked),
            item,
            ratings=ratings,
            top=TOP,
            limit=LINKS,
            coverage=asked.coverage,
            deadline=deadline,
        )
        interval = found.interval
        return schemas.ExplanationAnswer(
            score=round(found.score, 4),
            source=found.source,
            low=None if interval is None else round(interval.low, 4),
            high=None if interval is None else round(interval.high, 4),
            item=self._titles_of(predictor).item(predictor, int(predictor.items.encode([item])[0])),
            text=found.sentence(),
            known_rating=found.known,
            users=[catalogue.node(node) for node in found.users],
            items=[catalogue.node(node) for node in found.items],
            ratings=[
                schemas.Influence(
                    user=edge.user, item=edge.item, rating=edge.rating, importance=round(edge.importance, 6)
                )
                for edge in found.edges
            ],
            subgraph=schemas.Subgraph(users=found.n_users, items=found.n_items, ratings=found.n_ratings),
        )

    def _titles_of(self, predictor: Predictor) -> Titles:
        titles = self._titles
        if not titles.are_of(predictor):
            self._titles = titles = Titles(predictor)
        return titles

    def _ratings(self, predictor: Predictor, asked: schemas.Asker) -> dict[RawId, float] | None:
        """What came with a request, checked as far as the predictor does not."""
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
            item = received(predictor.items, one.item_id)
            if item in ratings:
                raise DataError("an item is rated twice", got=item, allowed="each item once")
            ratings[item] = one.rating
        return nearest_ratings(predictor.scale, ratings) if asked.round else ratings


def _user(predictor: Predictor, asked: schemas.Asker) -> RawId | None:
    return None if asked.user_id is None else _known("user", predictor.users, asked.user_id)


def _known(side: str, table: IdTable, asked: RawId) -> RawId:
    raw = received(table, asked)
    if table.encode([raw])[0] < 0:
        raise UnknownIdError(f"there is no such {side}", got=raw, remedy=near_ids(table, raw))
    return raw
