"""How good rankings are: of all items that a user has not seen, or of the rated test items alone.

In the formulas user u is shown the list i_1, ..., i_K; R is the set of u's relevant test items, all of them
unseen; rel(j) is 1 if i_j is in R, else 0. Means over users are those of users with at least one relevant
item: for others nothing here is defined, and they are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from igmc.errors import ConfigError, DataError
from igmc.evaluation.metrics.catalogue import catalogue_metrics, list_metrics
from igmc.evaluation.metrics.errors import PerUser
from igmc.evaluation.metrics.top_k import canonical, checked_lengths, checked_lists, entry_keys, rank_items

__all__ = [
    "RankingResult",
    "evaluate_ranking",
    "rank_items",
    "ranking_metrics",
    "rated_ndcg",
]

Floats = NDArray[np.float64]

MAX_RATING = 1000  # 2^r - 1 must be a float64


@dataclass(frozen=True, eq=False)
class RankingResult(PerUser):
    """The measures of full rankings, for each user and over all of them.

    Attributes:
        users: int32 [U], ascending: the users with relevant items.
        per_user: what `ranking_metrics` and `list_metrics` measure, float64 [U] each.
        catalogue: what `catalogue_metrics` measures on the lists of these users.
    """

    catalogue: Mapping[str, float] = field(default_factory=dict)


def evaluate_ranking(
    scores: Callable[[NDArray[np.int32]], ArrayLike],
    seen: sparse.csr_array,
    relevant: sparse.csr_array,
    ks: Sequence[int],
    *,
    block: int = 256,
) -> RankingResult:
    """Rank all unseen items for each user with relevant items, and measure the rankings.

    Scores are asked for in blocks of users, so that memory does not grow with their number but for the lists.

    Args:
        scores: users int32 [B] -> float [B, n_items], higher is better, compared as float32; such as
            `igmc.recommenders.base.Recommender.scores`.
        seen: [n_users, n_items]; a stored entry, of any value, is a pair that may not be recommended. Its
            counts by item are the popularity for `catalogue_metrics`.
        relevant: [n_users, n_items]; a stored entry is a relevant pair, its value the rating, above 0.
        ks: lengths of lists, each in 1..n_items.
        block: users that are scored at once, at least 1.

    Raises:
        DataError: on shapes that differ, scores that are not finite, a rating that is not in (0, 1000], a
            pair that is both seen and relevant, or if no user has relevant items.
        ConfigError: on lengths or a block that are out of range.
    """
    seen, relevant = canonical("seen", seen), canonical("relevant", relevant)
    if seen.shape != relevant.shape:
        raise DataError(
            "seen and relevant pairs differ in shape", got=relevant.shape, allowed=str(seen.shape)
        )
    lengths = checked_lengths(ks, seen.shape[1])
    if block < 1:
        raise ConfigError("the block of users is too small", got=block, allowed="at least 1")
    if np.isin(entry_keys(relevant), entry_keys(seen), assume_unique=True).any():
        raise DataError("a pair is both seen and relevant", remedy="take the training pairs out of the test")
    users = np.flatnonzero(np.diff(relevant.indptr)).astype(np.int32)
    if not users.size:
        raise DataError("no user has a relevant item to rank", remedy="lower the rating threshold")
    tops, parts = [], []
    for start in range(0, len(users), block):
        chosen = users[start : start + block]
        top = rank_items(scores(chosen), seen[chosen], lengths[-1])
        tops.append(top)
        lists = list_metrics(top, seen, chosen, relevant[chosen], lengths)
        parts.append(ranking_metrics(top, relevant[chosen], lengths) | lists)
    per_user = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    counts = np.bincount(seen.indices, minlength=seen.shape[1])
    return RankingResult(users, per_user, catalogue_metrics(np.concatenate(tops), counts, lengths))


def ranking_metrics(top: ArrayLike, relevant: sparse.csr_array, ks: Sequence[int]) -> dict[str, Floats]:
    """Measures of the first K items of each list, float64 [U] each, by names such as "ndcg@10".

    ==========  ============================================================================================
    precision   hits / K, hits being ``sum_{j<=K} rel(j)``; K also where fewer items are left to recommend
    recall      hits / |R|; so it is below 1 for users with more than K relevant items
    f1          2 precision recall / (precision + recall), 0 without hits
    hit_rate    1 if there is a hit, else 0
    mrr         1 / j for the first hit i_j, 0 without hits
    map         ``sum_{j<=K} rel(j) precision@j / min(K, |R|)``: 1 for a perfect list. TREC's divides by |R|
    ndcg        ``sum_{j<=K} rel(j) / log2(j + 1)``, divided by its largest value, that of min(K, |R|) hits
                at the front (Järvelin & Kekäläinen, TOIS 2002)
    ndcg_exp    the same with ``2^r - 1`` for rel(j), r being the rating, and the largest value that of R by
                falling rating (Burges et al., ICML 2005)
    ==========  ============================================================================================

    All but f1 and ndcg_exp are defined so in RecBole (Zhao et al., CIKM 2021) too.

    Args:
        top: int [U, L], distinct items, best first; -1 where a list has ended.
        relevant: [U, n_items]; a stored entry is a relevant item, its value the rating r, in (0, 1000].
        ks: lengths of lists, each in 1..L.

    Raises:
        DataError: on another number of users or rows, a user without relevant items, a bad item or rating.
        ConfigError: on a length that is out of range.
    """
    relevant = canonical("relevant", relevant)
    items = checked_lists(top, relevant.shape[1])
    if len(items) != relevant.shape[0]:
        raise DataError("the number of lists is wrong", got=len(items), allowed=str(relevant.shape[0]))
    lengths = checked_lengths(ks, items.shape[1])
    size = np.diff(relevant.indptr)
    if not size.all():
        row = int(np.argmin(size))
        raise DataError("a user has no relevant items", got=f"row {row}", remedy="leave that user out")
    longest = lengths[-1]
    gains = _gains(relevant)
    gain = _looked_up(items[:, :longest], relevant, gains)
    rel = gain > 0
    place = np.arange(1, longest + 1)
    discount = 1 / np.log2(place + 1)
    hits = np.cumsum(rel, axis=1)
    first = np.where(rel.any(axis=1), rel.argmax(axis=1) + 1, longest + 1)
    precision_sum = np.cumsum(rel * hits / place, axis=1)
    dcg, dcg_exp = np.cumsum(rel * discount, axis=1), np.cumsum(gain * discount, axis=1)
    ideal, ideal_exp = np.cumsum(discount), _ideal(relevant.indptr, gains, discount)
    measures: dict[str, Floats] = {}
    for k in lengths:
        last, most = k - 1, np.minimum(size, k)
        found = hits[:, last]
        measures |= {
            f"precision@{k}": found / k,
            f"recall@{k}": found / size,
            f"f1@{k}": 2 * found / (k + size),  # what 2 p r / (p + r) comes to, and 0 without hits
            f"hit_rate@{k}": (found > 0).astype(np.float64),
            f"mrr@{k}": np.where(first <= k, 1 / first, 0.0),
            f"map@{k}": precision_sum[:, last] / most,
            f"ndcg@{k}": dcg[:, last] / ideal[most - 1],
            f"ndcg_exp@{k}": dcg_exp[:, last] / ideal_exp[:, last],
        }
    return measures


def rated_ndcg(user: ArrayLike, rating: ArrayLike, predicted: ArrayLike, ks: Sequence[int]) -> PerUser:
    """NDCG of the rated test items of each user, ranked by predicted rating: "rated_ndcg" and "rated_ndcg@5".

    ``sum_{j<=K} (2^{r_j} - 1) / log2(j + 1)``, divided by its value for the items by falling rating; without
    @K over the whole list, as IDCF reports it (Wu et al., ICML 2021). "rated_ndcg_linear" has r_j in place of
    2^{r_j} - 1; with it popularity reaches what HIRE (ICDE 2025) reports for it. Lists shorter than K count
    as they are. Equal predictions share the mean discount of their places, which is the
    expectation over all orders of them (McSherry & Najork, ECIR 2008), so the order of the pairs is of no
    account. Left out, as in IDCF, are users with one test item, whose NDCG is always 1; and users all of
    whose ratings are 0, who have none.

    Args:
        user: int [P], not negative.
        rating: float [P], the true ratings, in 0..1000.
        predicted: float [P], finite.
        ks: lengths of lists, each at least 1.

    Raises:
        DataError: on shapes that differ, a number that is out of range, or if no user is left.
        ConfigError: on a length that is out of range.
    """
    users, true, guess = np.asarray(user), np.asarray(rating, np.float64), np.asarray(predicted, np.float64)
    if users.ndim != 1 or not users.shape == true.shape == guess.shape:
        raise DataError("users, ratings and predictions differ in shape", got=users.shape)
    if users.size and (users.dtype.kind not in "iu" or users.min() < 0):
        raise DataError("the users are not a list of dense indices", got=users.dtype.name)
    if not np.isfinite(guess).all():
        raise DataError("a prediction is not a finite number")
    if not ((true >= 0) & (true <= MAX_RATING)).all():
        raise DataError("a rating has no gain 2^r - 1", allowed=f"0..{MAX_RATING}", remedy="rank by levels")
    names, index, size = np.unique(users, return_inverse=True, return_counts=True)
    gains = {"rated_ndcg": np.exp2(true) - 1, "rated_ndcg_linear": true}
    start = np.cumsum(size) - size
    order, best = np.lexsort((-guess, index)), np.lexsort((-true, index))
    place = np.arange(len(users)) - np.repeat(start, size)
    tied = _tied(index[order], guess[order])
    measures: dict[str, Floats] = {}
    kept = (size > 1) & (np.bincount(index, true, len(names)) > 0)
    if not kept.any():
        raise DataError("no user has two rated test items to rank", remedy="hold out more ratings")
    for k in (None, *checked_lengths(ks, None)):
        discount = np.where(place < (len(users) if k is None else k), 1 / np.log2(place + 2), 0.0)
        shared = np.bincount(tied, discount) / np.bincount(tied)
        for name, gain in gains.items():
            dcg = np.bincount(index[order], gain[order] * shared[tied], len(names))[kept]
            ideal = np.bincount(index[best], gain[best] * discount, len(names))[kept]
            measures[name if k is None else f"{name}@{k}"] = dcg / ideal
    return PerUser(names[kept].astype(np.int32), measures)


def _gains(relevant: sparse.csr_array) -> Floats:
    """``2^r - 1`` of each stored rating, float64, all above 0."""
    rating = relevant.data.astype(np.float64)
    in_range = (rating > 0) & (rating <= MAX_RATING)
    gains = np.exp2(np.where(in_range, rating, 0)) - 1
    if not (gains > 0).all():
        worst = float(rating[np.argmin(gains)])
        remedy = "give levels from 1 instead of ratings, or 1 for every relevant item"
        raise DataError(
            "a relevant item has no gain 2^r - 1",
            got=worst,
            allowed=f"above 0, at most {MAX_RATING}",
            remedy=remedy,
        )
    return gains


def _looked_up(items: NDArray[np.int32], relevant: sparse.csr_array, values: Floats) -> Floats:
    """The value that is stored for each listed item, float64 [U, K]; 0 where none is."""
    known = entry_keys(relevant)
    asked = np.arange(len(items))[:, None] * relevant.shape[1] + items
    at = np.minimum(np.searchsorted(known, asked), len(known) - 1)
    return np.where((known[at] == asked) & (items >= 0), values[at], 0.0)


def _ideal(indptr: NDArray[np.int32], gains: Floats, discount: Floats) -> Floats:
    """The largest DCG that each user's gains allow in the first 1..K places, float64 [U, K]."""
    size = np.diff(indptr)
    row = np.repeat(np.arange(len(size)), size)
    order = np.lexsort((-gains, row))
    place = np.arange(len(gains)) - np.repeat(indptr[:-1], size)
    front = place < len(discount)
    table = np.zeros((len(size), len(discount)))
    table[row[front], place[front]] = gains[order][front] * discount[place[front]]
    return np.cumsum(table, axis=1)


def _tied(group: NDArray[np.int64], values: Floats) -> NDArray[np.int64]:
    """Numbers from 0 of the runs of equal (group, value), int64 [P]."""
    new = (np.diff(group) != 0) | (np.diff(values) != 0)
    return np.concatenate([[0], np.cumsum(new)])
