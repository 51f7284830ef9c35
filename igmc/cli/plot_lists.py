"""The figures of `igmc-plot --lists`: what is rated most, users' lists, and what comes first in them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from igmc.errors import DataError
from igmc.files import writing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from igmc.inference import Predictor
    from igmc.plots import ListedTitle

__all__ = ["draw_lists"]

TOP = 20  # titles of a figure of bars
LENGTH = 10  # of a list
SAMPLE = 200  # users whose first places are counted


def draw_lists(predictor: Predictor, typed: str, out: Path) -> dict[str, Figure]:
    """The figures by name; the lists as a table go to ``lists.csv`` in the folder.

    Args:
        predictor: of the run.
        typed: ids of users, with commas between.
        out: folder of the table.

    Raises:
        DataError: on an unknown user.
        IgmcError: if the table cannot be written.
    """
    import pandas as pd

    from igmc.inference import from_text
    from igmc.plots import bar_figure, list_figure, network_figure, pivot_figure

    users = from_text(predictor.users, [word.strip() for word in typed.split(",") if word.strip()])
    if not users:
        raise DataError("--lists names no user", got=typed, allowed="ids such as 1,2,3")
    count = predictor.graph.by_item.degrees(np.arange(predictor.graph.n_items, dtype=np.int32))
    most = np.argsort(-count, kind="stable")[:TOP]
    frames = [predictor.recommend(user, k=LENGTH) for user in users]
    names = [f"user {user}" for user in users]
    listed = _listed(predictor, frames)
    levels = predictor.scale.shown().tolist()
    first = _first_places(predictor)
    table = pd.DataFrame([one.scores for one in listed], [one.title for one in listed], names).round(4)
    with writing(out / "lists.csv"):
        out.mkdir(parents=True, exist_ok=True)
        table.to_csv(out / "lists.csv", index_label="title")
    own = _listed(predictor, frames[:1])
    known = [_title(predictor, k) for k in most.tolist()]
    return {
        "most-rated": bar_figure(known, count[most].tolist(), "known ratings"),
        "list": list_figure(own, levels, f"for {names[0]}"),
        "first-places": bar_figure(
            [title for title, _ in first],
            [float(n) for _, n in first],
            f"first places in the lists of {min(SAMPLE, len(predictor.users))} users",
        ),
        "lists": pivot_figure(names, listed, levels),
        "lists-graph": network_figure(names, listed),
    }


def _listed(predictor: Predictor, frames: list[Any]) -> list[ListedTitle]:
    """The titles of some lists, those of the most lists first, in the order of their scores."""
    from igmc.inference.lists import usual_ratings
    from igmc.plots import ListedTitle

    scores: dict[Any, list[float | None]] = {}
    for at, frame in enumerate(frames):
        for item, score in zip(frame["item_id"], frame["score"].tolist(), strict=True):
            scores.setdefault(item, [None] * len(frames))[at] = score
    order = sorted(scores, key=lambda item: (-_count(scores[item]), -max(s or 0.0 for s in scores[item])))
    places = predictor.items.encode(order)
    usual = usual_ratings(predictor.graph, places, predictor.scale.values).tolist()
    count = predictor.graph.by_item.degrees(places).tolist()
    return [
        ListedTitle(_title(predictor, place), mean, ratings, tuple(scores[item]))
        for item, place, mean, ratings in zip(order, places.tolist(), usual, count, strict=True)
    ]


def _count(scores: list[float | None]) -> int:
    return sum(score is not None for score in scores)


def _first_places(predictor: Predictor) -> list[tuple[str, int]]:
    """The titles that come first most often, and how often, over users at equal distances."""
    ids = predictor.users.ids
    chosen = np.unique(np.linspace(0, len(ids) - 1, min(SAMPLE, len(ids))).astype(int)).tolist()
    firsts: Counter[Any] = Counter()
    for at in chosen:
        firsts.update(predictor.recommend(ids[at], k=1)["item_id"])
    best = firsts.most_common(TOP)
    places = predictor.items.encode([item for item, _ in best]).tolist()
    return [(_title(predictor, place), n) for place, (_, n) in zip(places, best, strict=True)]


def _title(predictor: Predictor, item: int) -> str:
    from igmc.inference import natural_title

    titles = () if predictor.info is None else predictor.info.titles
    return natural_title(titles[item] if item < len(titles) else "") or str(predictor.items.ids[item])
