"""The most promising items of some users, and what the network reads of each."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from igmc.ranking.closed_forms import FORMS, ClosedForms, Rows

__all__ = ["CONTEXT", "PROMISING", "Candidates", "find_candidates"]

Floats = NDArray[np.float32]

# The forms whose mean chooses the candidates; popularity and liking alone are no reason to look at an item.
PROMISING = [FORMS.index(form) for form in FORMS if form not in ("popularity", "liking")]
HINT = 1e-3  # of popularity in what is promising: it decides among equals, and for users without ratings
CONTEXT = 4  # inputs that are no scores


class Candidates(NamedTuple):
    """C items for each of B users.

    Attributes:
        item: int64 [B, C], the most promising first; items that the user has seen are last, at promise -inf.
        promise: float32 [B, n_items], the mean of the `PROMISING` scores, and a hint of
            popularity.
        scores: float32 [B, C, F], as `ClosedForms.scores`.
        context: float32 [B, C, 4]: the user's number of ratings and their items' mean popularity, the item's
            popularity and its excess over that mean; logarithms, scaled to about 1.
    """

    item: NDArray[np.int64]
    promise: Floats
    scores: Floats
    context: Floats


def find_candidates(forms: ClosedForms, rows: Rows, most: int) -> Candidates:
    """The candidates of the users whose ratings these rows are.

    Args:
        forms: of the ratings that are known.
        rows: of B users.
        most: candidates per user; all items if there are fewer.
    """
    scores = forms.scores(rows)
    promise = scores[:, :, PROMISING].mean(axis=2) + HINT * scores[:, :, FORMS.index("popularity")]
    users = len(promise)
    size = np.diff(rows.seen.indptr)
    row = np.repeat(np.arange(users), size)
    promise[row, rows.seen.indices] = -np.inf
    most = min(most, promise.shape[1])
    item = np.argpartition(-promise, most - 1, axis=1)[:, :most]
    order = np.lexsort((item, -np.take_along_axis(promise, item, axis=1)), axis=1)
    item = np.take_along_axis(item, order, axis=1)
    popularity = forms.popularity
    usual = np.bincount(row, popularity[rows.seen.indices], users) / np.maximum(size, 1)
    context = np.empty((users, most, CONTEXT), np.float32)
    context[:, :, 0] = np.log1p(size)[:, None] / 4
    context[:, :, 1] = usual[:, None] / 5
    context[:, :, 2] = popularity[item] / 5
    context[:, :, 3] = (popularity[item] - usual[:, None]) / 2
    return Candidates(item, promise, np.take_along_axis(scores, item[:, :, None], axis=1), context)
