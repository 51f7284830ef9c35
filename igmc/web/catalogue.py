"""The items like one, and the users of a run, as the server tells of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from igmc.inference import Predictions, Predictor, natural_title
from igmc.inference.lists import Reason, Recommendations, usual_ratings
from igmc.inference.why import ExplainedNode
from igmc.ratings import RawId
from igmc.web import schemas
from igmc.web.title_search import plain
from igmc.web.titles import Titles
from igmc.web.wire_ids import sent

__all__ = ["because", "bounds", "node", "scores", "similar", "users"]


def similar(predictor: Predictor, titles: Titles, item_id: RawId, k: int) -> schemas.SimilarList:
    """The items whose raters agreed most with what they gave one; see `igmc.inference.similar`."""
    found = predictor.similar_items(item_id, k)
    places = predictor.items.encode([item_id, *found["item_id"]]).tolist()
    rows = zip(places[1:], found["similarity"], found["raters"], strict=True)
    return schemas.SimilarList(
        item=titles.item(predictor, places[0]),
        items=[
            schemas.SimilarItem(
                **titles.item(predictor, item).model_dump(), similarity=round(similarity, 4), raters=raters
            )
            for item, similarity, raters in rows
        ],
    )


def users(predictor: Predictor, text: str, limit: int) -> schemas.UserList:
    """The users whose ids begin with a text, short ones first; without one, the most active first."""
    ids, typed = predictor.users.ids, plain(text.strip())
    count = predictor.graph.by_user.degrees(np.arange(len(ids), dtype=np.int32))
    found = [at for at, raw in enumerate(ids) if plain(str(raw)).startswith(typed)]
    found.sort(key=lambda at: (len(str(ids[at])), at) if typed else (-int(count[at]), at))
    return schemas.UserList(
        users=[schemas.User(user_id=sent(ids[at]), ratings=int(count[at])) for at in found[:limit]]
    )


def because(predictor: Predictor, titles: Titles, reason: Reason | None) -> schemas.Because | None:
    """What an item is listed for."""
    if reason is None:
        return None
    return schemas.Because(
        item_id=sent(predictor.items.ids[reason.item]),
        name=titles.names[reason.item],
        rating=reason.rating,
        importance=round(reason.importance, 6),
    )


def node(one: ExplainedNode) -> schemas.Node:
    """A user or an item of an explanation."""
    return schemas.Node(id=sent(one.id), title=one.title, name=natural_title(one.title))


def scores(predictor: Predictor, found: Recommendations) -> list[dict[str, Any]]:
    """What is predicted for the items of a list; nothing of a run that predicts no ratings."""
    if found.score is None or found.lift is None or found.source is None:
        return [{} for _ in found.item]
    usual = usual_ratings(predictor.graph, found.item, predictor.scale.values)
    numbers = [[round(value, 4) for value in column.tolist()] for column in (found.score, found.lift, usual)]
    rows = zip(*numbers, found.source.tolist(), bounds(found), strict=True)
    names = ("score", "lift", "usual", "source")
    return [dict(zip(names, told, strict=True)) | bounds for *told, bounds in rows]


def bounds(found: Recommendations | Predictions) -> list[dict[str, Any]]:
    """The ends of the intervals of some scores, as far as there are any."""
    if found.low is None or found.high is None:
        return [{} for _ in range(0 if found.score is None else len(found.score))]
    pairs = zip(found.low.tolist(), found.high.tolist(), strict=True)
    return [{"low": round(low, 4), "high": round(high, 4)} for low, high in pairs]
