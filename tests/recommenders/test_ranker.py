import numpy as np

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import liked_board, ratings
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract


class TestRanker(NewUserRankingContract, RecommenderContract):
    name = "ranker"
    settings = {"folds": 2, "epochs": 3}
    new_user_settings = settings
    random = True
    changes = {
        "target": "liked",
        "folds": 1,
        "hidden": 0.4,
        "newcomers": 0.8,
        "candidates": 4,
        "epochs": 1,
        "learning_rate": 0.05,
        "weight_decay": 10.0,
        "members": 1,
    }


def test_a_folded_user_is_ranked_by_these_ratings_and_nobody_else_changes():
    data, _ = liked_board()
    model = make_recommender("ranker", {"folds": 2, "epochs": 2}).fit(data)
    stranger = data.n_users - 1
    before = model.scores(np.arange(data.n_users))
    folded = model.fold_in(ratings([stranger] * 3, [0, 2, 4], [5, 5, 5]))
    after = folded.scores(np.arange(data.n_users))
    np.testing.assert_array_equal(after[:stranger], before[:stranger])
    assert not np.array_equal(after[stranger], before[stranger])
