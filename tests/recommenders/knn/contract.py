"""What both nearest-neighbour recommenders must do, besides what every recommender must."""

import numpy as np

from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract


class KNNContract(RecommenderContract):
    settings = {"neighbours": 5, "kept": 10, "shrinkage": 1.0}
    changes = {
        "objective": "ranking",
        "similarity": "cosine",
        "shrinkage": 30.0,
        "neighbours": 1,
        "kept": 1,
        "caution": 3.0,
        "damping": 30.0,
    }


class RankingKNNContract(NewUserRankingContract, RecommenderContract):
    settings = {"objective": "ranking", "similarity": "cosine", "neighbours": 5, "kept": 10, "shrinkage": 1.0}
    new_user_settings = {"objective": "ranking", "kept": 10, "shrinkage": 1.0}
    changes = {
        "objective": "rating",
        "similarity": "pearson",
        "shrinkage": 30.0,
        "neighbours": 1,
        "kept": 1,
        "caution": ({"objective": "rating"}, 3.0),
        "damping": ({"objective": "rating"}, 30.0),
    }


def tastes(seed=0, *, users=14, items=11):
    rng = np.random.default_rng(seed)
    rating = np.clip(np.rint(3 + rng.normal(0, 1, users)[:, None] + rng.normal(0, 1, (users, items))), 1, 5)
    user, item = np.nonzero(rng.random(rating.shape) < 0.6)
    return data_of(ratings(user, item, rating[user, item]), n_users=users, n_items=items)
