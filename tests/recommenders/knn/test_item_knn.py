import numpy as np

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import NewItemRankingContract
from tests.recommenders.knn.contract import KNNContract, RankingKNNContract


class TestItemKNN(KNNContract):
    name = "item_knn"


class TestItemKNNThatRanks(NewItemRankingContract, RankingKNNContract):
    name = "item_knn"
    new_item_settings = RankingKNNContract.new_user_settings


def test_ratings_of_a_similar_item_are_passed_on():
    # Users 0 and 1 agree that items 0 and 1 are alike; users 2 and 3 have rated item 0 only.
    data = data_of(ratings([0, 0, 1, 1, 2, 3], [0, 1, 0, 1, 0, 0], [5, 5, 1, 1, 5, 1]), n_users=4, n_items=3)
    settings = {"shrinkage": 0.0, "caution": 0.0, "damping": 1e9}  # nothing is shrunk but the biases, to 0
    model = make_recommender("item_knn", settings).fit(data)
    np.testing.assert_allclose(model.predict([2, 3], [1, 1]), [5, 1], atol=1e-5)
    np.testing.assert_allclose(model.predict([2], [2]), [3], atol=1e-5, err_msg="item 2 has no neighbours")
    cautious = make_recommender("item_knn", {**settings, "caution": 1.0}).fit(data)
    np.testing.assert_allclose(cautious.predict([2, 3], [1, 1]), [4, 2], atol=1e-5)


def test_scores_of_a_ranking_are_sums_of_similarities():
    data = data_of(ratings([0, 0, 1, 1, 1, 2], [0, 1, 0, 1, 2, 2], np.full(6, 5)), n_users=3, n_items=3)
    model = make_recommender("item_knn", {"objective": "ranking", "shrinkage": 0.0}).fit(data)
    # Cosines: items 0 and 1 share both of their users, each shares one of two with item 2.
    np.testing.assert_allclose(model.scores([0, 2]), [[1, 1, 1], [0.5, 0.5, 0]], rtol=1e-6)
