"""Relevance: how likely a user is to choose an item, learned from which items users rated.

The ranker (`igmc.ranking`) is trained once and stored in the run folder. It accepts newcomers without
retraining. If the run held out validation ratings, the ranker's networks are not trained on them either, so
that the weight of the predicted rating can be chosen on them.
"""

from __future__ import annotations

import logging
import threading
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from igmc.config import BLENDED, RankerConfig
from igmc.errors import CheckpointError, WriteError
from igmc.graph import ServingGraph, make_parts
from igmc.networks import AnyScorer, RankerScorer
from igmc.ranking import Ranker, Rows, fit_ranker, rating_matrix
from igmc.ratings import RatingScale, Split
from igmc.training import as_tensors, load_checkpoint, save_checkpoint

__all__ = ["RANKER_FILE", "Relevance", "RunRelevance", "blended", "floor", "standardized"]

logger = logging.getLogger(__name__)

Floats = NDArray[np.float32]

RANKER_FILE = "ranker.ckpt"
WEIGHTS = (0.0, 0.1, 0.2, 0.4, 0.8)  # of the predicted rating, both standardized over the candidates
USUAL_WEIGHT = 0.4  # where no ratings are left to choose it on; of ML-100K, by its validation part
JUDGES = 500  # users of the validation part whose lists decide on the weight
LENGTH = 10
PSEUDO_RATINGS = 5.0  # at the mean of all, in a user's mean
BELOW_MEAN = 0.125  # of the range of ratings: half a star of 1..5
LAST = 1e3  # deviations that an item falls behind all others
LIKED = 0.75  # of the way from the lowest to the highest rating: 4 of 5 stars
MOST_RATINGS = 1_500_000  # on which the ranker is trained without having been asked for


@dataclass(frozen=True, eq=False)
class Relevance:
    """A ranker and the weight of the predicted rating beside it."""

    ranker: Ranker
    weight: float

    def of_user(self, graph: ServingGraph, user: int, values: NDArray[np.float64]) -> Floats:
        """The relevance of all items of a graph, float32 [n_items], for a user of it; higher is better.

        Items added after the ranker was trained come last.

        Args:
            graph: the ratings known; user: dense index in it.
            values: float64 [L], the rating of each level.
        """
        item, level = graph.by_user.row(user)
        order = np.argsort(item)
        item, rating = item[order], values[level[order]].astype(np.float32)
        known = item < self.ranker.n_items
        item, rating = item[known], rating[known]
        shape, pointer = (1, self.ranker.n_items), np.array([0, len(item)])
        shown = sparse.csr_array((rating, item, pointer), shape=shape)
        seen = sparse.csr_array((np.ones_like(rating), item, pointer), shape=shape)
        own = user if user < self.ranker.forms.seen.shape[0] else -1
        scores = self.ranker.scores(Rows(seen, shown, np.array([own])))[0]
        out = np.full(graph.n_items, scores.min() - 1.0, np.float32)
        out[: len(scores)] = scores[: graph.n_items]
        return out


class RunRelevance:
    """The relevance of a run, trained on first use and then loaded.

    Args:
        folder: of the run.
        split: of the run.
        selection: of the run; under "fixed" its network has learned from the validation part.
        seed: of the training.
    """

    def __init__(self, folder: Path, split: Split, selection: str, seed: int) -> None:
        self._path, self._split, self._seed = folder / RANKER_FILE, split, seed
        self._judged = selection == "validation" and len(split.validation) > 0
        self._found: Relevance | None = None
        self._lock = threading.Lock()

    @property
    def made(self) -> bool:
        """Whether it has been trained."""
        return self._found is not None or self._path.exists()

    @cached_property
    def trains_soon(self) -> bool:
        """Whether there are ratings to train it on, and few enough for a minute or two."""
        user = self._split.table.user[_known(self._split)]
        return len(user) <= MOST_RATINGS and bool((np.bincount(user) > 1).any())

    def get(self, scorer: AnyScorer) -> Relevance:
        """Load it, or train it and store it in the run folder if that is writable.

        Args:
            scorer: of the run, which says what ratings are predicted.

        Raises:
            CheckpointError: if what is kept is damaged, or of another split.
            DataError: if there are too few ratings to learn from.
        """
        with self._lock:
            if self._found is None and isinstance(scorer, RankerScorer):
                self._found = Relevance(scorer.ranker(rating_matrix(self._split, _known(self._split))), 0.0)
            if self._found is None:
                made = None if self._path.exists() else self._make(scorer)
                # Read back even so: what is kept is rounded, and every answer is to be the same.
                self._found = self._read() if made is None or self._path.exists() else made
            return self._found

    def _read(self) -> Relevance:
        state = load_checkpoint(self._path)
        if state.get("split_digest") != self._split.digest():
            raise CheckpointError(
                f"{self._path} was trained on other ratings", remedy="delete it; it is trained again"
            )
        seen = rating_matrix(self._split, _known(self._split))
        seen.data = np.ones_like(seen.data)
        config = RankerConfig.from_dict(state["config"])
        return Relevance(Ranker.from_state(config, seen, state["ranker"]), float(state["weight"]))

    def _make(self, scorer: AnyScorer) -> Relevance:
        logger.info("training the ranker of this run, once, in %s", self._path)
        config, split = RankerConfig(), self._split
        known = rating_matrix(split, _known(split))
        learned = rating_matrix(split, split.train) if self._judged else known
        ranker, weight = fit_ranker(learned, config, seed=self._seed), USUAL_WEIGHT
        if self._judged:
            weight = chosen_weight(ranker, split, scorer)
            ranker = ranker.on(known)
        found = Relevance(ranker, weight)
        state: dict[str, Any] = {
            "config": config.to_dict(),
            "split_digest": split.digest(),
            "ranker": as_tensors(ranker.state()),
            "weight": found.weight,
        }
        with suppress(WriteError):  # what cannot be kept can be used
            save_checkpoint(self._path, state)
        return found


def chosen_weight(ranker: Ranker, split: Split, scorer: AnyScorer) -> float:
    """The weight of the predicted rating that gives the best lists of validation items.

    Each user's unseen items are ranked from the training ratings alone, and the first `BLENDED` of them also
    by predicted rating. The mean of two NDCG@10 decides: of all items that users chose, and of those they
    liked.

    Args:
        ranker: of the training ratings, and trained on no others.
        split: with a validation part.
        scorer: not trained on the validation part.
    """
    train, wanted = rating_matrix(split, split.train), rating_matrix(split, split.validation)
    users = np.flatnonzero(np.diff(wanted.indptr))
    users = users[np.linspace(0, len(users) - 1, min(JUDGES, len(users))).astype(np.int64)]
    shown = train[users]
    seen = shown.copy()
    seen.data = np.ones_like(seen.data)
    relevance = ranker.scores(Rows(seen, shown, users))
    places = np.repeat(np.arange(len(users)), np.diff(seen.indptr)), seen.indices
    relevance[places] = -np.inf
    items = np.argsort(-relevance, axis=1, kind="stable")[:, :BLENDED]
    best = np.take_along_axis(relevance, items, axis=1)
    best = np.where(np.isfinite(best), best, np.min(best, where=np.isfinite(best), initial=0.0))
    pairs = np.repeat(users, items.shape[1]).astype(np.int32), items.ravel().astype(np.int32)
    graph = make_parts(split, "validation")["validation"].graph
    predicted = scorer.score(graph, *pairs).mean(axis=0).reshape(items.shape)
    lowest = floor(np.diff(seen.indptr), shown.sum(axis=1), float(train.data.mean()), split.scale)[:, None]
    asked = wanted[users].toarray()
    least = split.scale.low + LIKED * (split.scale.high - split.scale.low)
    chosen = [good for good in (asked != 0, (asked != 0) & (asked >= least)) if good.any()]
    discount = 1 / np.log2(np.arange(2, min(LENGTH, items.shape[1]) + 2))
    ideal = np.concatenate([[1.0], np.cumsum(discount)])

    def quality(weight: float) -> float:
        order = np.argsort(-blended(best, predicted, weight, lowest), axis=1, kind="stable")[
            :, : len(discount)
        ]
        listed = np.take_along_axis(items, order, axis=1)
        found = [np.take_along_axis(good, listed, axis=1) @ discount for good in chosen]
        counts = [np.minimum(good.sum(axis=1), len(discount)) for good in chosen]
        return float(np.mean([(one / ideal[n])[n > 0].mean() for one, n in zip(found, counts, strict=True)]))

    return max(WEIGHTS, key=quality)


def floor(count: ArrayLike, total: ArrayLike, mean: float, scale: RatingScale) -> NDArray[np.float64]:
    """The prediction below which an item is taken for one that a user would not like, float64 [U].

    It lies half a star of 1..5 below the user's mean, damped by pseudo-ratings at the mean of all.

    Args:
        count, total: [U], how many ratings of each user are known, and their sum.
        mean: of all ratings.
        scale: of the ratings.
    """
    own = (np.asarray(total) + PSEUDO_RATINGS * mean) / (np.asarray(count) + PSEUDO_RATINGS)
    found: NDArray[np.float64] = own - BELOW_MEAN * (scale.high - scale.low)
    return found


def blended(
    relevance: NDArray[Any], predicted: NDArray[Any], weight: float, lowest: ArrayLike
) -> NDArray[np.float64]:
    """What candidates are ordered by, float64 [..., C]; what the user would not like comes last.

    Args:
        relevance, predicted: [..., C], standardized along the last axis before they are added.
        weight: of the predicted rating.
        lowest: of `floor`.
    """
    value = standardized(relevance) + weight * standardized(predicted)
    found: NDArray[np.float64] = value - LAST * (predicted < lowest)
    return found


def standardized(values: NDArray[Any]) -> NDArray[np.float64]:
    """Less the mean, by the deviation, along the last axis; equal values become 0."""
    if not values.size:
        return np.asarray(values, np.float64)
    centred = np.asarray(values, np.float64) - values.mean(axis=-1, keepdims=True)
    spread = np.sqrt(np.mean(centred**2, axis=-1, keepdims=True))
    found: NDArray[np.float64] = centred / np.maximum(spread, 1e-9)
    return found


def _known(split: Split) -> NDArray[np.int64]:
    """The rows of what a run knows: all but the test part."""
    return np.concatenate([split.train, split.validation, split.support])
