"""What both nearest-neighbour recommenders share: similarities, and means over the most similar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.config import Config, knob
from igmc.recommenders.base import Floats, Indices, Monitor, Recommender
from igmc.recommenders.biases import fit_biases, fold_in_biases, predict_biases
from igmc.recommenders.knn.kernels import (
    COSINE,
    PEARSON,
    PHI,
    Neighbours,
    SparseRows,
    similar_rows,
    weigh_pairs,
)
from igmc.recommenders.search_space import OneOf, Range
from igmc.recommenders.training_data import Ratings, TrainingData

__all__ = ["KNNConfig", "KNNRecommender", "sparse_rows"]

_OTHER = {"user": "item", "item": "user"}


@dataclass(frozen=True)
class KNNConfig(Config):
    """Who is a neighbour, and how many of them count."""

    objective: str = knob(
        "rating",
        "'rating' predicts ratings; 'ranking' sums similarities and treats every rating as a like",
        choices=("rating", "ranking"),
    )
    similarity: str = knob(
        "auto",
        "'pearson': correlation, of deviations from the biases over common ratings (rating), or of having "
        "been rated (ranking); 'cosine': of the ratings (rating), or of having been rated (ranking); "
        "'auto': what suits model and objective, as for the next three if they are not given",
        choices=("auto", "pearson", "cosine"),
    )
    shrinkage: float | None = knob(
        None, "multiply a similarity over n common ratings by n / (n + shrinkage)", low=0.0
    )
    neighbours: int | None = knob(None, "maximum number of neighbours per prediction", low=1)
    kept: int | None = knob(None, "nearest neighbours to keep per user or item", low=1)
    caution: float = knob(
        0.3, "similarity of a pseudo-neighbour at the biases, added to each mean (rating)", low=0.0
    )
    damping: float = knob(
        5.0,
        "number of pseudo-ratings that shrink each bias to 0 (rating; see the recommender biases)",
        low=0.0,
    )


# Chosen on validation ratings of ML-100K: of u1 for ratings, of a random split for rankings.
RATING_DEFAULTS: dict[str, Any] = {"similarity": "pearson", "shrinkage": 100.0, "neighbours": 40, "kept": 500}


class KNNRecommender(Recommender):
    """Rows are the side that is compared, columns the other one.

    Attributes:
        known: the ratings known.
        biases: what `igmc.recommenders.biases.Biases` learned.
        near, weight: int32 and float32 [rows, kept], the nearest rows, best first; -1 where none is left.
    """

    config_class: ClassVar = KNNConfig
    fitted: ClassVar = ("known", "biases", "near", "weight")
    inductive: ClassVar = True
    side: ClassVar[str]  # which of both is compared
    ranking_defaults: ClassVar[dict[str, Any]]

    known: dict[str, NDArray[Any]]
    biases: dict[str, Any]
    near: NDArray[np.int32]
    weight: NDArray[np.float32]

    @property
    def ranks_only(self) -> bool:
        return bool(self.config.objective == "ranking")

    def search_space(self) -> dict[str, Range | OneOf]:
        # Beyond the defaults to both sides: Koren (2008) shrinks by 100, Herlocker et al. (SIGIR 1999) take
        # 20 to 60 neighbours for ratings; sums of similarities, for rankings, gain from more of them.
        space: dict[str, Range | OneOf] = {
            "similarity": OneOf(("pearson", "cosine")),
            "shrinkage": Range(1.0, 1000.0, log=True),
            "neighbours": Range(10, 400, log=True),
        }
        if not self.ranks_only:
            space["caution"] = Range(0.01, 3.0, log=True)
            space["damping"] = Range(1.0, 30.0, log=True)  # as of the recommender biases
        return space

    def chosen_config(self) -> KNNConfig:
        """The settings, with the defaults of model and objective filled in."""
        config: KNNConfig = self.config
        defaults = self.ranking_defaults if self.ranks_only else RATING_DEFAULTS
        full = config.replace(**{k: v for k, v in defaults.items() if getattr(config, k) in (None, "auto")})
        if config.kept is None and full.neighbours is not None:
            full = full.replace(kept=max(full.kept or 1, full.neighbours))
        return full

    def _fit(self, data: TrainingData, monitor: Monitor | None) -> None:
        self.known = data.train.columns()
        self.biases = fit_biases(data, self.config.damping)
        self._restore()
        self.near, self.weight = self._similar(np.arange(self.rows.shape[0]))

    def _restore(self) -> None:
        """The values that are averaged, by rows and by columns: deviations from the biases, or ones."""
        known = Ratings(**self.known)
        value = np.ones(len(known))
        if not self.ranks_only:
            value = known.rating - predict_biases(self.biases, known.user, known.item)
        sides = {"user": (known.user, self.n_users), "item": (known.item, self.n_items)}
        (row, n_rows), (column, n_columns) = sides[self.side], sides[_OTHER[self.side]]
        self.rows = sparse.csr_array((value, (row, column)), shape=(n_rows, n_columns))
        self.columns = sparse.csr_array(self.rows.T)
        for matrix in (self.rows, self.columns):
            matrix.sort_indices()

    def _similar(self, chosen: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        settings = self.chosen_config()
        kind = {"pearson": PHI if self.ranks_only else PEARSON, "cosine": COSINE}[settings.similarity]
        compared = self.rows, self.columns
        if kind == COSINE and not self.ranks_only:  # of the ratings themselves
            known = Ratings(**self.known)
            matrix = known.matrix(self.n_users, self.n_items).astype(np.float64)
            turned = sparse.csr_array(matrix.T)
            turned.sort_indices()
            compared = (matrix, turned) if self.side == "user" else (turned, matrix)
        kept = min(settings.kept or 1, max(self.rows.shape[0] - 1, 1))
        near, weight = similar_rows(
            chosen, sparse_rows(compared[0]), sparse_rows(compared[1]), kind, settings.shrinkage, kept
        )
        return near, weight

    def _fold_in(self, support: Ratings) -> None:
        """New ratings count at once; who has at least twice as many as before gets neighbours anew."""
        self.biases = fold_in_biases(self.biases, self.known, support, self.n_users, self.n_items)
        before = np.diff(self.rows.indptr)
        self.known = (Ratings(**self.known) + support).columns()
        self._restore()
        after = np.diff(self.rows.indptr)
        fresh = np.flatnonzero((after > before) & (after >= 2 * before))
        self.near, self.weight = self.near.copy(), self.weight.copy()
        self.near[fresh], self.weight[fresh] = self._similar(fresh)

    def _answer(
        self, total: NDArray[np.float64], weights: NDArray[np.float64], user: Indices, item: Indices
    ) -> Floats:
        if self.ranks_only:
            return total.astype(np.float32)
        deviation: NDArray[np.float64] = total / np.maximum(weights + self.config.caution, 1e-12)
        return (predict_biases(self.biases, user, item) + deviation).astype(np.float32)

    def _predict(self, user: Indices, item: Indices) -> Floats:
        row, column = (user, item) if self.side == "user" else (item, user)
        order = np.argsort(column, kind="stable")
        sums = weigh_pairs(
            row[order],
            column[order],
            Neighbours(self.near, self.weight),
            sparse_rows(self.columns),
            self.chosen_config().neighbours,
        )
        total, weights = np.empty((2, len(row)))
        total[order], weights[order] = sums
        return self._answer(total, weights, user, item)


def sparse_rows(matrix: sparse.csr_array) -> SparseRows:
    """A matrix in the types that the kernels are compiled for."""
    return SparseRows(matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data)
