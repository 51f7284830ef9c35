"""What lists are like apart from being right: how varied, how popular, how surprising."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from igmc.errors import DataError
from igmc.evaluation.metrics.top_k import canonical, checked_lengths, checked_lists, rank_items

__all__ = ["catalogue_metrics", "list_metrics"]

Floats = NDArray[np.float64]


def catalogue_metrics(top: ArrayLike, item_counts: ArrayLike, ks: Sequence[int]) -> dict[str, float]:
    """What is recommended, whether it is liked or not, by names such as "coverage@10".

    ================  ====================================================================================
    coverage          share of all items that are in at least one list (Herlocker et al., TOIS 2004)
    novelty           mean of ``-log2 p(i)``, in bits, over all recommendations, p(i) being the share of item
                      i in the training ratings (Castells, Vargas & Wang, DDR 2011), one added to each item's
                      number so that unrated ones count too: ``p(i) = (c_i + 1) / (sum_j c_j + n_items)``
    popularity_share  share of all recommendations that are among the 20 % of items, rounded up, with the most
                      training ratings; of equally many, those of lower index
    mean_popularity   mean number of training ratings of what is recommended, over all recommendations
    gini              how unevenly the recommendations fall on all items, those never recommended included: 0
                      if equally often, 1 - 1 / n_items if all are of one item
    ================  ====================================================================================

    Args:
        top: int [U, L], best first; -1 where a list has ended.
        item_counts: int [n_items], the training ratings of each item.
        ks: lengths of lists, each in 1..L.

    Raises:
        DataError: on a bad item or count, or if nothing is recommended.
        ConfigError: on a length that is out of range.
    """
    counts = np.asarray(item_counts)
    if counts.ndim != 1 or counts.dtype.kind not in "iu" or not counts.size or counts.min() < 0:
        raise DataError("the numbers of ratings by item must be a list of whole numbers, 0 or more")
    items, n = checked_lists(top, len(counts)), len(counts)
    information = -np.log2((counts + 1) / (counts.sum() + n))
    popular = np.zeros(n, dtype=bool)
    popular[np.argsort(-counts.astype(np.int64), kind="stable")[: -(-n // 5)]] = True
    measures: dict[str, float] = {}
    for k in checked_lengths(ks, items.shape[1]):
        shown = items[:, :k]
        times = np.bincount(shown[shown >= 0], minlength=n)
        total = times.sum()
        if not total:
            raise DataError("no user gets any recommendation")
        measures |= {
            f"coverage@{k}": float(np.count_nonzero(times) / n),
            f"novelty@{k}": float(times @ information / total),
            f"popularity_share@{k}": float(times[popular].sum() / total),
            f"mean_popularity@{k}": float(times @ counts / total),
            f"gini@{k}": _gini(times),
        }
    return measures


def list_metrics(
    top: ArrayLike,
    seen: sparse.csr_array,
    users: NDArray[np.int32],
    relevant: sparse.csr_array,
    ks: Sequence[int],
) -> dict[str, Floats]:
    """What each list is like, float64 [U] each, by names such as "serendipity@10".

    =====================  ===============================================================================
    intra_list_similarity  mean over the pairs of items in the list of the cosine of who has rated them, 0 for
                           lists of one item (Ziegler et al., WWW 2005); an item without ratings is like none
    serendipity            hits that are not among the K most rated of the items that the user has not seen,
                           divided by K (after Ge, Delgado-Battenfeld & Jannach, RecSys 2010)
    =====================  ===============================================================================

    Args:
        top: int [U, L], distinct items, best first; -1 where a list has ended.
        seen: [n_users, n_items]; a stored entry is a pair known before.
        users: int32 [U], whose lists they are.
        relevant: [U, n_items]; a stored entry is a relevant item.
        ks: lengths of lists, each in 1..L.
    """
    seen, relevant = canonical("seen", seen), canonical("relevant", relevant)
    items = checked_lists(top, seen.shape[1])
    lengths = checked_lengths(ks, items.shape[1])
    counts = np.bincount(seen.indices, minlength=seen.shape[1])
    usual = rank_items(np.tile(counts.astype(np.float32), (len(items), 1)), seen[users], lengths[-1])
    hit = np.zeros(items.shape, np.bool_)
    for row in range(len(items)):
        wanted = relevant.indices[relevant.indptr[row] : relevant.indptr[row + 1]]
        hit[row] = np.isin(items[row], wanted)
    by_item = sparse.csr_array(seen.T).astype(np.float64)
    by_item.data = np.repeat(1 / np.sqrt(np.maximum(counts, 1)), counts)
    measures: dict[str, Floats] = {}
    for k in lengths:
        shown = items[:, :k]
        plain = (shown[:, :, None] == usual[:, None, :k]).any(axis=2)
        measures |= {
            f"intra_list_similarity@{k}": _similarity(shown, by_item, counts),
            f"serendipity@{k}": (hit[:, :k] & ~plain).sum(axis=1) / k,
        }
    return measures


def _similarity(items: NDArray[np.int32], by_item: sparse.csr_array, counts: NDArray[np.int64]) -> Floats:
    """The mean cosine of the pairs in each list: of unit vectors, by the length of their sum."""
    row, place = np.nonzero(items >= 0)
    chosen = items[row, place]
    row, chosen = row.astype(np.int32), chosen.astype(np.int32)
    shown = sparse.csr_array((np.ones(len(row)), (row, chosen)), shape=(len(items), len(counts)))
    total = sparse.csr_array(shown @ by_item)
    squared = np.asarray(total.multiply(total).sum(axis=1)).ravel()
    own = np.bincount(row, counts[chosen] > 0, len(items))  # the cosine of an item with itself
    n = np.bincount(row, minlength=len(items))
    found: Floats = (squared - own) / np.maximum(n * (n - 1), 1)
    return found


def _gini(times: NDArray[np.int64]) -> float:
    """The Gini coefficient of n numbers, not all of them 0."""
    ordered, n = np.sort(times), len(times)
    return float((2 * np.arange(1, n + 1) - n - 1) @ ordered / (n * ordered.sum()))
