"""Stage two of a list: the models score the candidates, and the best k of them are listed."""

from __future__ import annotations

import os
from collections.abc import Iterable
from math import inf
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.argument_types import checked_types
from igmc.config import COVERAGE, ListConfig
from igmc.inference.base import BasePredictor
from igmc.inference.lists.because import with_reasons
from igmc.inference.lists.candidates import candidate_order
from igmc.inference.lists.diversity import diverse, likeness
from igmc.inference.lists.filters import Eligible, eligible_items
from igmc.inference.lists.orders import ranked_by, usual_ratings
from igmc.inference.lists.recommendations import Recommendations
from igmc.inference.lists.relevant import item_relevance, most_relevant, relevant_items, settled_order
from igmc.inference.lists.request import ListRequest
from igmc.inference.predictions import Predictions
from igmc.inference.rating_encoding import OwnRatings
from igmc.inference.requested_user import requested_user
from igmc.inference.user_view import UserView
from igmc.ratings import RawId

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_items", "recommend"]

POOL, POOL_TIMES = 50, 5  # a list with diversity is chosen from the best 50, and at least 5 k

Floats = NDArray[np.float32]


@checked_types
def recommend(
    run: str | os.PathLike[str] | BasePredictor,
    *,
    user_id: RawId | None = None,
    ratings: OwnRatings | None = None,
    k: int = 10,
    genre: str | Iterable[str] = (),
    exclude_genre: str | Iterable[str] = (),
    years: tuple[int | None, int | None] | None = None,
    min_score: float | None = None,
    items: RawId | Iterable[RawId] | None = None,
    exclude: RawId | Iterable[RawId] = (),
    order: str = "auto",
    diversity: float = 0.0,
    gems: bool = False,
    because: bool = False,
    candidates: int | None = None,
    budget: int = 2_000_000,
    exhaustive: bool = False,
    bottom: bool = False,
    coverage: float = COVERAGE,
) -> pd.DataFrame:
    """Recommend the items that a user is most likely to choose and like, of those not rated by the user.

    Works for known and new users; nothing is trained or stored (except the ranker, on first use, for the
    orders "relevance" and "blend"). The list has k items whenever k exist: filters apply before candidates
    are chosen, and candidates are added if `min_score` leaves too few.

    Args:
        run: folder of a run, or a `Predictor`, which avoids loading the run for each call.
        user_id: a user of the run; with `ratings` also a new one.
        ratings: item id -> rating, of a new user, or in addition to the known ratings of the user; of a run
            without ratings, item ids.
        k: length of the list.
        genre, exclude_genre: keep items with at least one of the former and none of the latter.
        years: first and last year of items; None for no bound.
        min_score: omit items with lower predictions.
        items: the items to choose from; unknown ids are ignored.
        exclude: items to leave out, such as seen ones; unknown ids are ignored.
        order: "relevance", by how likely the user is to choose the item; "score", by predicted rating;
            "blend", by both; "lift", by how far the prediction exceeds the item's usual rating; "auto":
            "blend" or "score", see `lists.relevant.settled_order`.
        diversity: 0 for the best k items; larger values, up to 1, favour items unlike those before them; see
            `lists.diversity`.
        gems: only items with few ratings, but at least ten, by lift; see `lists.orders.little_known`.
        because: name the user's rating that supports each item most; see `lists.because`.
        candidates: items that the models score, the most promising first; see `candidate_order`. None for
            100 in a blend, 200 in other orders.
        budget: maximum ratings read in each of the two steps that find candidates.
        exhaustive: score all items.
        bottom: the k items with the lowest predictions, worst first.
        coverage: the probability that a rating lies between low and high.

    Returns:
        a row for each item, best first (worst first with `bottom`): user_id, item_id, score (float32,
        within the scale), lift (float32), rank (from 1); title, genres and year if the run knows them;
        relevance if it orders the list; source (see `Predictions`); low and high if the run gives intervals;
        because, because_title and because_rating if requested. Of a run that predicts no ratings, there is
        no score, lift or source. Predictions rank unclipped, ties in the order
        of `Predictor.items`. ``attrs["reason"]`` says why there are fewer than k rows; else it is empty.

    Raises:
        ConfigError: on a setting out of range, an unknown genre, or a filter by information that the run
            lacks.
        DataError: on an unknown user or rated item, or a rating that is not on the scale.
        CheckpointError: see `Predictor.from_run`.
    """
    request = ListRequest(
        user_id=user_id,
        ratings=ratings,
        genre=genre,  # type: ignore[arg-type] # what is one or several becomes several there
        exclude_genre=exclude_genre,  # type: ignore[arg-type]
        years=years,
        items=items,  # type: ignore[arg-type]
        exclude=exclude,  # type: ignore[arg-type]
        config=ListConfig(
            k=k,
            min_score=min_score,
            bottom=bottom,
            order=order,
            diversity=diversity,
            gems=gems,
            candidates=candidates,
            budget=budget,
            exhaustive=exhaustive,
            coverage=coverage,
        ),
    )
    predictor = run if isinstance(run, BasePredictor) else BasePredictor.from_run(run)
    found = list_items(predictor, request)
    frame = found.frame(predictor, user_id)
    return with_reasons(frame, predictor, found.item, request) if because else frame


def list_items(
    predictor: BasePredictor,
    request: ListRequest,
    *,
    eligible: Eligible | None = None,
    deadline: float = inf,
) -> Recommendations:
    """Make the requested list; a pure function of its arguments, safe to call from many threads.

    Args:
        predictor: what is known.
        request: the user, the items, and the order.
        eligible: the result of `eligible_items` for this request, if already computed.
        deadline: on the clock of `time.monotonic`.

    Raises:
        TimeoutError: after the deadline.
        IgmcError: see `recommend`.
    """
    config = settled_order(predictor, request.config)
    view = requested_user(predictor, request.user_id, request.ratings)
    mask, steps = eligible or eligible_items(predictor, request)
    mask = mask.copy()
    mask[view.rated[view.rated < len(mask)]] = False
    left = int(mask.sum())
    worth = item_relevance(predictor, view, config)
    if worth is None:
        ranked, scored = _ranked(view, mask, config, deadline)
    else:
        most = _pool(config)
        best = (
            relevant_items(view, mask, config, worth, most, deadline)
            if predictor.rates
            else most_relevant(mask, worth, most)
        )
        ranked, scored = _Ranked(best.item, best.found, best.value), best.scored
    ranked = _shortened(predictor, ranked, config)
    k, reason = config.k, ""
    if len(ranked.item) < k:
        n = len(ranked.item)
        steps = (f"of {predictor.graph.n_items} items", *steps, f"{left} not rated by the user")
        if config.min_score is not None:
            steps = (*steps, f"{n} predicted to get {config.min_score:g} or more")
        reason = f"{f'only {n} items are' if n else 'no item is'} left: {', '.join(steps)}"
    told = (reason, scored, len(view.rated))
    relevance = None if worth is None else worth.all[ranked.item]
    if (found := ranked.found) is None:
        return Recommendations(ranked.item, None, None, None, *told, relevance=relevance)
    lift = found.score - usual_ratings(view.known, ranked.item, view.scale.values)
    score = predictor.scale.clip(found.score)
    return Recommendations(ranked.item, score, lift, found.source, *told, found.low, found.high, relevance)


class _Ranked(NamedTuple):
    """Items, the first of the list first; their predictions, not clipped, if any; and what ranks them."""

    item: NDArray[np.int32]
    found: Predictions | None
    value: NDArray[np.floating]

    def at(self, chosen: NDArray[np.int64]) -> _Ranked:
        found = None if self.found is None else self.found.some(chosen)
        return _Ranked(self.item[chosen], found, self.value[chosen])


def _ranked(
    view: UserView, mask: NDArray[np.bool_], config: ListConfig, deadline: float
) -> tuple[_Ranked, int]:
    """All items of a mask that were scored and pass, ranked; and how many were scored.

    Scores do not depend on what is asked beside them, so that widening only ever adds to what is there.
    """
    total = int(mask.sum())
    order = np.flatnonzero(mask).astype(np.int32)
    step = total if config.exhaustive else max(config.to_score, _pool(config))
    by = _order(config)
    if step < total:
        order = candidate_order(
            view.graph,
            view.user,
            mask,
            view.scale.values,
            budget=config.budget,
            bottom=config.bottom,
            lift=by == "lift",
        )
    pieces: list[Predictions] = []
    enough, scored = 0, 0
    while not pieces or (enough < config.k and scored < total):
        piece = order[scored : scored + step]
        found = view.score_indices(piece, clip=False, coverage=config.coverage, deadline=deadline)
        pieces.append(found)
        enough += int(_passes(view, found.score, config).sum())
        scored += len(piece)
        step *= 2
    whole = Predictions.together(pieces)
    score = whole.score
    kept = np.flatnonzero(_passes(view, score, config))
    value = ranked_by(by, view, order[kept], score[kept])
    best = np.lexsort((order[kept], value if config.bottom else -value))
    return _Ranked(order[kept], whole.some(kept), value).at(best), scored


def _shortened(predictor: BasePredictor, ranked: _Ranked, config: ListConfig) -> _Ranked:
    """The k items of the list, of those that are ranked."""
    if not config.diversity:
        return ranked.at(np.arange(min(config.k, len(ranked.item))))
    pool = ranked.at(np.arange(min(_pool(config), len(ranked.item))))
    alike = likeness(predictor.graph, predictor.info, pool.item)
    value = -pool.value if config.bottom else pool.value
    return pool.at(diverse(value, alike, config.k, config.diversity))


def _order(config: ListConfig) -> str:
    return "lift" if config.gems else config.order


def _pool(config: ListConfig) -> int:
    """How many of the best a list is chosen from."""
    return config.k if not config.diversity else max(POOL_TIMES * config.k, POOL)


def _passes(view: UserView, score: Floats, config: ListConfig) -> NDArray[np.bool_]:
    if config.min_score is None:
        return np.ones(len(score), bool)
    passes: NDArray[np.bool_] = view.scale.clip(score) >= np.float32(config.min_score)
    return passes
