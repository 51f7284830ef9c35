import numpy as np

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.knn.contract import KNNContract, RankingKNNContract


class TestUserKNN(KNNContract):
    name = "user_knn"


class TestUserKNNThatRanks(RankingKNNContract):
    name = "user_knn"


def test_ratings_of_a_similar_user_are_passed_on():
    # Users 0 and 1 agree on items 0 and 1; only user 0 has rated items 2 and 3.
    data = data_of(ratings([0, 1, 0, 1, 0, 0], [0, 0, 1, 1, 2, 3], [5, 5, 1, 1, 5, 1]), n_users=3, n_items=4)
    settings = {"shrinkage": 0.0, "caution": 0.0, "damping": 1e9}  # nothing is shrunk but the biases, to 0
    model = make_recommender("user_knn", settings).fit(data)
    np.testing.assert_allclose(model.predict([1, 1], [2, 3]), [5, 1], atol=1e-5)
    np.testing.assert_allclose(model.scores([1])[0, 2:], [5, 1], atol=1e-5)
    np.testing.assert_allclose(model.predict([2], [2]), [3], atol=1e-5, err_msg="user 2 has no neighbours")


def test_scores_of_a_ranking_are_sums_of_similarities():
    data = data_of(ratings([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], np.full(5, 5)), n_users=3, n_items=3)
    settings = {"objective": "ranking", "similarity": "cosine", "shrinkage": 0.0}
    model = make_recommender("user_knn", settings).fit(data)
    # Users 0 and 1 share one of two items; user 2 shares its only item with user 0.
    np.testing.assert_allclose(model.scores([0]), [[0.5, 0.5**0.5, 0.5]], rtol=1e-6)
