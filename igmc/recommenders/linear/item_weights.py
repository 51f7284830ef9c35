"""What rankings by item-item weights share: scores, newcomers, and the choice of a setting on validation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from igmc.recommenders.base import Floats, Indices, Recommender
from igmc.recommenders.training_data import Ratings, TrainingData
from igmc.recommenders.validation_ndcg import validation_ndcg

__all__ = ["ItemWeights", "largest_by_row"]

Weights = NDArray[np.float32] | sparse.csr_array


class ItemWeights(Recommender):
    """``S = X W``, where X tells which items each user has rated, and W weighs items for one another.

    The values of ratings are ignored. New ratings of a user count at once after `fold_in`; items unseen in
    training keep score 0, and so does every item for a user without ratings.

    Attributes:
        known: the ratings known.
        weights: W, float32 [n_items, n_items], dense or sparse.
        seen: X, float32 [n_users, n_items].
    """

    inductive: ClassVar = True
    fitted: ClassVar[tuple[str, ...]] = ("known", "weights")

    known: dict[str, NDArray[Any]]
    weights: Weights
    seen: sparse.csr_array

    @property
    def ranks_only(self) -> bool:
        return True

    def _choose(self, data: TrainingData, candidates: Iterable[tuple[float, Weights]]) -> float:
        """Keep the weights that rank the validation items best; returns the setting that gave them.

        Args:
            data: with validation ratings, unless there is one candidate.
            candidates: settings and their weights; of equally good ones the first is kept.
        """
        best, kept = -1.0, {}
        for setting, self.weights in candidates:
            quality = validation_ndcg(self.scores, data) if len(data.validation) else 0.0
            if quality > best:
                best, kept = quality, {setting: self.weights}
        ((setting, self.weights),) = kept.items()
        return setting

    def _restore(self) -> None:
        self.seen = Ratings(**self.known).matrix(self.n_users, self.n_items)
        self.seen.data = np.ones_like(self.seen.data)

    def _fold_in(self, support: Ratings) -> None:
        self.known = (Ratings(**self.known) + support).columns()
        self._restore()

    def _predict(self, user: Indices, item: Indices) -> Floats:
        out = np.empty(len(user), np.float32)
        for one in np.unique(user):
            mine = user == one
            rated = self.seen.indices[self.seen.indptr[one] : self.seen.indptr[one + 1]]
            columns = self.weights[rated][:, item[mine]]
            out[mine] = np.asarray(columns.sum(axis=0)).ravel()
        return out

    def _scores(self, users: Indices) -> Floats:
        product = self.seen[users] @ self.weights
        return np.asarray(product.toarray() if sparse.issparse(product) else product, dtype=np.float32)


def largest_by_row(matrix: NDArray[np.float32], kept: int) -> sparse.csr_array:
    """The largest entries of each row, those above 0, float32; of equal ones those of lower index.

    Args:
        matrix: [R, C].
        kept: entries per row, at least 1.
    """
    order = np.argsort(-matrix, axis=1, kind="stable")[:, :kept]
    order.sort(axis=1)
    values = np.take_along_axis(matrix, order, axis=1)
    row, place = np.nonzero(values > 0)
    pointer = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=len(matrix)))])
    return sparse.csr_array((values[row, place], order[row, place], pointer), shape=matrix.shape)
