"""New users of models that rank: what they like comes first as soon as they have shown some of it."""

import numpy as np
import pytest

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import liked_board, ratings

MODELS = {
    "item_knn": {"objective": "ranking", "kept": 10, "shrinkage": 1.0},
    "user_knn": {"objective": "ranking", "kept": 10, "shrinkage": 1.0},
    "ease": {"regularization": 5.0},
    "mf": {"objective": "ranking", "factors": 4, "learning_rate": 0.05},
}


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("odd", [0, 1])
def test_likes_of_a_new_user_come_first(name, odd):
    data, _ = liked_board()
    stranger, shown = data.n_users - 1, np.arange(odd, 10, 2)
    support = ratings(np.full(len(shown), stranger), shown, np.full(len(shown), 5.0))
    folded = make_recommender(name, MODELS[name]).fit(data).fold_in(support)
    scores = folded.scores([stranger])[0]
    liked, others = scores[10 + odd : 16 : 2], scores[1 - odd : 16 : 2]
    # BPR takes some of what is liked but not yet shown for disliked, so it is not always perfect.
    assert np.mean(liked[:, None] > others) > 0.9


@pytest.mark.parametrize("name", ["item_knn", "mf"])
def test_a_new_item_comes_first_for_those_whose_likes_it_shares(name):
    data, _ = liked_board()
    item, fans = data.n_items - 1, np.arange(0, 16, 2)
    support = ratings(fans, np.full(len(fans), item), np.full(len(fans), 5.0))
    folded = make_recommender(name, MODELS[name]).fit(data).fold_in(support)
    scores = folded.predict(np.arange(16, 24), np.full(8, item))
    assert scores[::2].min() > scores[1::2].max()
