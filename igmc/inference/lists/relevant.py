"""Lists by relevance, and by a blend of relevance and predicted rating."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.config import ListConfig
from igmc.errors import ConfigError
from igmc.inference.base import BasePredictor
from igmc.inference.predictions import Predictions
from igmc.inference.relevance import blended, floor
from igmc.inference.user_view import UserView

__all__ = ["Relevant", "Worth", "item_relevance", "most_relevant", "relevant_items", "settled_order"]

Floats = NDArray[np.float32]


class Worth(NamedTuple):
    """Relevance of items for a user.

    Attributes:
        all: float32 [n_items], relevance.
        weight: of the predicted rating beside it; 0 for the order by relevance.
    """

    all: Floats
    weight: float


class Relevant(NamedTuple):
    """n items, the first of the list first.

    Attributes:
        item: int32 [n]; found: the predictions for them, not clipped; None of a run that predicts none.
        value: float [n], what they are ordered by.
        scored: how many items the models were asked about.
    """

    item: NDArray[np.int32]
    found: Predictions | None
    value: NDArray[np.floating]
    scored: int


def settled_order(predictor: BasePredictor, config: ListConfig) -> ListConfig:
    """The settings with the order that "auto" stands for.

    It is "blend" for a run that has a ranker, or trains one soon, on at most 1.5 million ratings. Else it is
    "score", and so it is where the worst items are asked for, or the models are to score all of them. Runs
    that predict no ratings list by relevance: what people with such ratings choose next.

    Raises:
        ConfigError: on a setting about predicted ratings, of a run that predicts none.
    """
    if not predictor.rates:
        _refuse_scores(config)
        return config.replace(order="relevance")
    if config.order != "auto":
        return config
    ranker = predictor.relevance
    able = ranker is not None and (ranker.made or ranker.trains_soon)
    return config.replace(order="score" if config.bottom or config.exhaustive or not able else "blend")


def item_relevance(predictor: BasePredictor, view: UserView, config: ListConfig) -> Worth | None:
    """The relevance of all items for a user; None where the list is ordered by something else.

    Raises:
        ConfigError: if the predictor has no ranker, or if the worst items by relevance are asked for.
    """
    if config.order not in ("relevance", "blend") or (config.gems and predictor.rates):
        return None
    if predictor.relevance is None:
        raise ConfigError("a predictor without a run folder has no ranker", got=f"order {config.order}")
    if config.bottom:
        raise ConfigError(
            "bottom lists are ordered by predicted rating or lift",
            got=f"bottom, order {config.order}",
            allowed="order score or lift",
        )
    found = predictor.relevance.get(predictor.scorer)
    worth = found.of_user(view.graph, view.user, view.scale.values)
    return Worth(worth, found.weight if config.order == "blend" else 0.0)


def _refuse_scores(config: ListConfig) -> None:
    asked = {
        f"order {config.order}": config.order not in ("auto", "relevance"),
        "min_score": config.min_score is not None,
        "bottom": config.bottom,
    }
    for got, given in asked.items():
        if given:
            raise ConfigError(
                "this run predicts no ratings, and lists by relevance alone",
                got=got,
                allowed="order auto or relevance",
            )


def most_relevant(mask: NDArray[np.bool_], worth: Worth, most: int) -> Relevant:
    """The most relevant items of a mask, without predictions.

    Args:
        mask: bool [n_items], what may be listed.
        worth: of the items.
        most: items to return.
    """
    left = np.flatnonzero(mask).astype(np.int32)
    item = left[np.argsort(-worth.all[left], kind="stable")][:most]
    return Relevant(item, None, worth.all[item], len(left))


def relevant_items(
    view: UserView, mask: NDArray[np.bool_], config: ListConfig, worth: Worth, most: int, deadline: float
) -> Relevant:
    """The best items of a mask, at most some; fewer if `min_score` leaves fewer.

    The candidates (the most relevant items) are scored and ordered by ``z(relevance) + weight * z(predicted
    rating)``, z over the candidates; those predicted well below the user's mean come last. Relevance cannot
    tell these: who rates an item goes on to rate its like, whatever the rating was.

    Args:
        view: the user.
        mask: bool [n_items], what may be listed.
        config: how long, and how much work.
        worth: of the items.
        most: items to return.
        deadline: on the clock of `time.monotonic`.
    """
    left = np.flatnonzero(mask).astype(np.int32)
    left = left[np.argsort(-worth.all[left], kind="stable")]
    step = len(left) if config.exhaustive else max(config.to_score, most)
    lowest = _lowest(view)
    items, values, pieces = [np.empty(0, np.int32)], [np.empty(0)], list[Predictions]()
    enough = scored = 0
    while not pieces or (enough < most and scored < len(left)):
        piece = left[scored : scored + step]
        found = view.score_indices(piece, clip=False, coverage=config.coverage, deadline=deadline)
        scored += len(piece)
        value = blended(worth.all[piece], found.score, worth.weight, lowest)
        chosen = np.argsort(-value, kind="stable")
        if config.min_score is not None:
            passes = view.scale.clip(found.score) >= np.float32(config.min_score)
            chosen = chosen[passes[chosen]]
        items.append(piece[chosen])
        values.append(value[chosen])
        pieces.append(found.some(chosen))
        enough += len(chosen)
        step *= 2
    best = np.arange(min(most, enough))
    item, value = np.concatenate(items)[best], np.concatenate(values)[best]
    return Relevant(item, Predictions.together(pieces).some(best), value, scored)


def _lowest(view: UserView) -> float:
    """See `igmc.inference.relevance.floor`, of one user."""
    levels = view.graph.by_user.row(view.user)[1]
    mean = float(view.known.level_counts @ view.scale.values) / max(view.known.n_ratings, 1)
    return float(floor(len(levels), view.scale.values[levels].sum(), mean, view.scale))
