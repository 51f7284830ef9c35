"""Item-based nearest neighbours: a rating is predicted from the user's ratings of similar items."""

from __future__ import annotations

from typing import ClassVar

from igmc.recommenders.knn.knn_recommender import KNNRecommender

__all__ = ["ItemKNN"]


class ItemKNN(KNNRecommender):
    """``r_ui = b_ui + sum_j s_ij (r_uj - b_uj) / (sum_j s_ij + caution)`` over items j like i, rated by u.

    ``b_ui`` are regularized biases, s shrunk similarities (Koren, KDD 2008, section 2.2); only positive ones
    count. With the objective "ranking", the score is the sum of the similarities alone (Deshpande & Karypis,
    *Item-based top-N recommendation algorithms*, 2004). A pair without neighbours gets its biases, or 0.

    In `fold_in` a new user's ratings count at once, and a new item is compared with all others; it does not
    become a neighbour of those.
    """

    name: ClassVar = "item_knn"
    side: ClassVar = "item"
    ranking_defaults: ClassVar = {"similarity": "cosine", "shrinkage": 10.0, "neighbours": 100, "kept": 100}
