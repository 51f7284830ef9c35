"""What a model shows newcomers of opposite tastes, who come after training with eight ratings each."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.evaluation.metrics import SIDE, PerUser, draw_opposites, opposite_overlap, rank_items
from igmc.inference import ItemInfo
from igmc.ratings import Dataset, Split
from igmc.recommenders import Ratings, Recommender

__all__ = ["NewcomerLists", "ask_newcomers"]

LENGTH = 10  # of a list
LEAST_RATINGS = 10  # of an item that is listed

Items = NDArray[np.int32]


class NewcomerLists(NamedTuple):
    """The measure by pair of newcomers, ``opposite_overlap``, and the lists of the first pair.

    Attributes:
        measured: a number from 0 stands for a pair in place of a user.
        example: titles, or raw ids as text, of what the first newcomer ``liked`` and ``disliked``, and of
            what is shown to the ``first`` and to the ``second``, best first.
    """

    measured: PerUser
    example: dict[str, list[str]]


def ask_newcomers(model: Recommender, dataset: Dataset, split: Split) -> NewcomerLists | None:
    """Let newcomers of opposite tastes rate their items, and compare what they are shown.

    See `igmc.evaluation.metrics.opposites`. A newcomer gives the highest and the lowest rating of the scale,
    and stands in the place of a user without ratings for training. Each comes alone: what one rates is not
    known when another one asks. Listed are items with at least ten ratings for training. Nothing of the
    support and test parts is seen.

    Args:
        model: fitted to the training part, or to that and the validation part; nothing folded in.
        dataset: what the split is of, for titles.
        split: what the model was fitted on.

    Returns:
        None if the model is not inductive, if every user has ratings for training, if nobody has rated
        enough to make a newcomer of, or if there are too few items for two lists without one in common.
    """
    if not model.inductive:
        return None
    table = split.table
    known = Ratings.of(table, np.concatenate([split.train, split.validation]))
    strangers = np.setdiff1d(np.arange(len(table.users), dtype=np.int32), known.user)
    pairs = draw_opposites(known.matrix(len(table.users), len(table.items)), split.seed)
    items = np.concatenate(pairs, axis=1)
    listed = np.flatnonzero(np.bincount(known.item, minlength=len(table.items)) >= LEAST_RATINGS)
    if not len(strangers) or not len(items) or len(listed) < 2 * LENGTH + items.shape[1]:
        return None
    high, low = split.scale.high, split.scale.low
    tops = [
        np.array([_list(model, strangers[0], row, marks, listed.astype(np.int32)) for row in items])
        for marks in (np.repeat([high, low], SIDE), np.repeat([low, high], SIDE))
    ]
    shared = opposite_overlap(tops[0], tops[1], len(table.items))
    shown = {"liked": pairs.liked, "disliked": pairs.disliked, "first": tops[0], "second": tops[1]}
    return NewcomerLists(
        PerUser(np.arange(len(shared), dtype=np.int32), {"opposite_overlap": shared}),
        {name: _titles(dataset, some[0]) for name, some in shown.items()},
    )


def _list(model: Recommender, user: np.int32, items: Items, marks: NDArray[Any], listed: Items) -> Items:
    """The list of a newcomer who gave some items these marks, int32 [10]; `listed` are the candidates."""
    users = np.full(len(items), user, np.int32)
    support = Ratings(users, items, marks.astype(np.float32), np.full(len(items), -1, np.int64))
    left = np.setdiff1d(listed, items)
    scores = model.fold_in(support).predict(np.full(len(left), user, np.int32), left)
    best: Items = left[rank_items(scores[None], sparse.csr_array((1, len(left))), LENGTH)[0]]
    return best


def _titles(dataset: Dataset, items: Items) -> list[str]:
    titles = () if dataset.item_info is None else ItemInfo.of(dataset.item_info).titles
    ids = dataset.table.items.ids
    return [titles[k] if titles and titles[k] else f"item {ids[k]}" for k in items.tolist()]
