"""Scores of all items in closed form: for the users known, and for newcomers by the ratings they show.

With X the 0/1 matrix of who has rated what, x the row of a user, n_v and n_i the numbers of ratings of a user
and an item, and G = X'X:

==========  ================================================================================================
ease        x B with ``B_ij = -P_ij / P_jj``, ``P = (G + strength I)^-1`` (Steck, WWW 2019), strength being 4
            (weak) or 16 (strong) times the mean n_i of the items
cosine      x C, ``C_ij = G_ij / sqrt(n_i n_j) * G_ij / (G_ij + 10)``, the 100 largest of each item
walk        x W, ``W_ji = sum_v 1 / (n_j n_v) / n_i^0.4``: RP3beta (Paudel et al., TiiS 2017)
low_pass    x D^-1/2 V V' D^1/2, V the 48 leading singular vectors of ``n_v^-1/2 X n_i^-1/2``, D = diag(n_i):
            the ideal low-pass filter (Shen et al., CIKM 2021)
users       sum over the 80, or 320, most similar users of their similarity, ``x . x_v / sqrt(n_v)``
popularity  log(1 + n_i)
liking      as ease (strong), x being the ratings less the user's shrunk mean; 0 without ratings
==========  ================================================================================================

Each is standardized over all items, user by user, so that weights learned on one data set mean the same on
another.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse
from scipy.sparse.linalg import eigsh

from igmc.ranking.form_kernels import item_forms, standardize, user_forms

__all__ = ["FORMS", "ClosedForms", "Rows"]

Floats = NDArray[np.float32]

FORMS = (
    "ease_weak",
    "ease_strong",
    "cosine",
    "walk",
    "low_pass",
    "users_few",
    "users_many",
    "popularity",
    "liking",
)
BY_ITEMS = ("ease_weak", "ease_strong", "cosine", "walk", "low_pass", "liking")  # as `item_forms` has them
BY_USERS = ("users_few", "users_many")
STRENGTHS = (4.0, 16.0)
NEIGHBOURS = (80, 320)
COSINES = 100
SHRINKAGE = 10.0
BETA = 0.4
RANK = 48
PRIOR = 5.0  # pseudo-ratings at the mean of all, in a user's mean
MOST_ITEMS = (
    6000  # whose item-item weights are kept: the most rated; others are scored by users and popularity
)


class Rows(NamedTuple):
    """The ratings that B users show.

    Attributes:
        seen: float32 [B, n_items], ones.
        rating: float32 [B, n_items], of the same places; the ratings themselves.
        own: int64 [B], which row of the known ratings is the user's own and to be left out; -1 for none.
    """

    seen: sparse.csr_array
    rating: sparse.csr_array
    own: NDArray[np.int64]


class ClosedForms:
    """What the scores of one graph are made of.

    Attributes:
        seen: X, float32 [n_users, n_items].
        mean: of all ratings.
        popularity: float32 [n_items], log(1 + n_i).
    """

    def __init__(self, seen: sparse.csr_array, mean: float, weights: dict[str, Any]) -> None:
        self.seen, self.mean, self._weights = seen, mean, weights
        counts = np.asarray(seen.sum(axis=0)).ravel()
        self.popularity: Floats = np.log1p(counts).astype(np.float32)
        self._usual = _standardized(self.popularity)
        users = np.maximum(np.asarray(seen.sum(axis=1)).ravel(), 1.0)
        raters = sparse.csr_array((sparse.diags_array(users**-0.5) @ seen).T).astype(np.float32)
        self._rated, self._raters = _places(seen), (*_places(raters), raters.data)
        kept, cosine = weights["kept"], weights["cosine"]
        self._place = np.full(seen.shape[1], -1)
        self._place[kept] = np.arange(len(kept))
        self._of_items = (
            weights["ease_weak"],
            weights["ease_strong"],
            (*_places(cosine), cosine.data),
            weights["walk"],
            (weights["from"], np.ascontiguousarray(weights["to"].T)),
        )

    @classmethod
    def fit(cls, rating: sparse.csr_array) -> Self:
        """Of known ratings, [n_users, n_items]; only liking looks at their values."""
        seen = sparse.csr_array(rating).astype(np.float32)
        mean = float(seen.data.mean(dtype=np.float64)) if seen.nnz else 0.0
        seen.data = np.ones_like(seen.data)
        counts = np.asarray(seen.sum(axis=0)).ravel()
        kept = np.sort(np.argsort(-counts, kind="stable")[:MOST_ITEMS])
        kept = kept[counts[kept] > 0]
        return cls(seen, mean, {"kept": kept, **_item_weights(seen[:, kept].astype(np.float64))})

    def state(self) -> dict[str, Any]:
        """All that `from_state` needs beside the ratings; weights in half precision."""
        kept, cosine = self._weights["kept"], self._weights["cosine"].toarray()
        dense = {**self._weights, "cosine": cosine}
        return {"mean": self.mean, **{k: v.astype(np.float16) for k, v in dense.items()}, "kept": kept}

    @classmethod
    def from_state(cls, seen: sparse.csr_array, state: dict[str, Any]) -> Self:
        """The same, of a matrix of ones and what `state` gave."""
        arrays = {name: np.asarray(value) for name, value in state.items() if name != "mean"}
        weights = {k: v if k == "kept" else v.astype(np.float32) for k, v in arrays.items()}
        return cls(seen, float(state["mean"]), {**weights, "cosine": sparse.csr_array(weights["cosine"])})

    def scores(self, rows: Rows) -> Floats:
        """Standardized scores, float32 [B, n_items, F], in the order of `FORMS`."""
        users, n_items = rows.seen.shape
        kept, shown = self._weights["kept"], _places(rows.seen)
        out = np.empty((users, n_items, len(FORMS)), np.float32)
        of_items = np.empty((users, len(BY_ITEMS), len(kept)), np.float32)
        item_forms(shown, self._above_mean(rows.rating), self._place, *self._of_items, of_items)
        standardize(of_items, kept, _columns(BY_ITEMS), out)
        of_users = np.empty((users, len(BY_USERS), n_items), np.float32)
        user_forms(shown, rows.own, self._raters, self._rated, *NEIGHBOURS, of_users)
        standardize(of_users, np.arange(n_items), _columns(BY_USERS), out)
        out[:, :, FORMS.index("popularity")] = self._usual
        return out

    def _above_mean(self, rating: sparse.csr_array) -> Floats:
        """The ratings less the mean of each user, in their order."""
        row = np.repeat(np.arange(rating.shape[0]), np.diff(rating.indptr))
        size = np.bincount(row, minlength=rating.shape[0])
        total = np.bincount(row, rating.data, rating.shape[0])
        mean = (total + PRIOR * self.mean) / (size + PRIOR)
        return np.asarray(rating.data - mean[row], np.float32)


def _places(matrix: sparse.csr_array) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Where the entries of a CSR matrix stand, in the types that the kernels were compiled for."""
    return matrix.indptr.astype(np.int64, copy=False), matrix.indices.astype(np.int32, copy=False)


def _columns(forms: tuple[str, ...]) -> NDArray[np.int64]:
    return np.array([FORMS.index(form) for form in forms])


def _item_weights(seen: sparse.csr_array) -> dict[str, Any]:
    """The item-item weights, float32 [n, n] each, and the halves of the low-pass filter, [n, r]."""
    users = np.maximum(np.asarray(seen.sum(axis=1)).ravel(), 1.0)
    items = np.maximum(np.asarray(seen.sum(axis=0)).ravel(), 1.0)
    gram = (seen.T @ seen).toarray()
    found: dict[str, Any] = {}
    for form, strength in zip(("ease_weak", "ease_strong"), STRENGTHS, strict=True):
        inverse = _inverse(gram, strength * items.mean())
        weights = -inverse / np.diag(inverse)
        np.fill_diagonal(weights, 0.0)
        found[form] = weights.astype(np.float32)
    cosine = gram / np.sqrt(np.outer(items, items)) * (gram / (gram + SHRINKAGE))
    np.fill_diagonal(cosine, 0.0)
    found["cosine"] = sparse.csr_array(_largest(cosine.T.astype(np.float32), COSINES).T)
    scaled = sparse.csr_array(sparse.diags_array(users**-1.0) @ seen)
    walk = (seen.T @ scaled).toarray() / items[:, None] / items**BETA
    np.fill_diagonal(walk, 0.0)
    found["walk"] = walk.astype(np.float32)
    vectors = _leading(
        sparse.csr_array(sparse.diags_array(users**-0.5) @ seen @ sparse.diags_array(items**-0.5))
    )
    found["from"] = (vectors / np.sqrt(items)[:, None]).astype(np.float32)
    found["to"] = (vectors * np.sqrt(items)[:, None]).astype(np.float32)
    return found


def _inverse(gram: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """The inverse of a symmetric positive matrix plus a ridge, by Cholesky: half the work of LU."""
    shifted = gram + ridge * np.eye(len(gram))
    factor, _ = linalg.lapack.dpotrf(shifted, lower=1, overwrite_a=1)
    inverse, _ = linalg.lapack.dpotri(factor, lower=1, overwrite_c=1)
    lower = np.tril(inverse)
    whole: NDArray[np.float64] = lower + np.tril(inverse, -1).T
    return whole


def _leading(matrix: sparse.csr_array) -> NDArray[np.float64]:
    """The leading right singular vectors, float64 [n, r], r = min(48, n)."""
    n = matrix.shape[1]
    normal = matrix.T @ matrix
    if n <= 2 * RANK:
        return np.asarray(np.linalg.eigh(normal.toarray())[1][:, -RANK:])
    start = np.full(n, n**-0.5)  # drawn at random by default
    return np.asarray(eigsh(normal, k=RANK, v0=start)[1])


def _largest(values: Floats, most: int) -> Floats:
    """The values, all but the largest of each row set to 0; ties with the last one that is kept stay."""
    if values.shape[1] <= most:
        return values
    least = np.partition(values, -most, axis=1)[:, -most]
    return np.where(values >= least[:, None], values, 0.0).astype(np.float32)


def _standardized(values: Floats) -> Floats:
    """Less the mean, by the deviation; equal values become 0."""
    centred = values - values.mean(dtype=np.float64)
    return np.asarray(centred / max(float(np.sqrt(np.mean(centred**2))), 1e-9), np.float32)
