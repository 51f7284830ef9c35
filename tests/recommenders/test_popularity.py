import numpy as np

from igmc.recommenders.popularity import Popularity
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import RecommenderContract

DATA = data_of(ratings([0, 0, 1, 2, 1], [0, 1, 0, 1, 1], [5, 3, 4, 1, 2]), n_users=4, n_items=3)


class TestPopularity(RecommenderContract):
    name = "popularity"
    learns = False


def test_scores_are_numbers_of_ratings_and_the_same_for_everybody():
    model = Popularity().fit(DATA)
    np.testing.assert_array_equal(model.scores([0, 3]), [[2, 3, 0], [2, 3, 0]])
    assert model.ranks_only


def test_new_ratings_count_whatever_their_values():
    model = Popularity().fit(DATA).fold_in(ratings([3, 3], [2, 0], [1, 5]))
    np.testing.assert_array_equal(model.scores([1]), [[3, 3, 1]])
