from dataclasses import replace

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.recommenders.popularity import DAY, Popularity, PopularityConfig
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import RecommenderContract

DATA = data_of(ratings([0, 0, 1, 2, 1], [0, 1, 0, 1, 1], [5, 3, 4, 1, 2]), n_users=4, n_items=3)


class TestPopularity(RecommenderContract):
    name = "popularity"
    learns = False
    changes = {"half_life": 1e-4}


def test_scores_are_numbers_of_ratings_and_the_same_for_everybody():
    model = Popularity().fit(DATA)
    np.testing.assert_array_equal(model.scores([0, 3]), [[2, 3, 0], [2, 3, 0]])
    assert model.ranks_only


def test_new_ratings_count_whatever_their_values():
    model = Popularity().fit(DATA).fold_in(ratings([3, 3], [2, 0], [1, 5]))
    np.testing.assert_array_equal(model.scores([1]), [[3, 3, 1]])


def test_with_a_half_life_what_is_popular_now_comes_first():
    newest = 10**9
    train = replace(DATA.train, timestamp=newest - DAY * np.array([0, 10, 20, 30, 10]))
    model = Popularity(PopularityConfig(half_life=10)).fit(replace(DATA, train=train))
    np.testing.assert_allclose(model.scores([0]), [[1 + 1 / 4, 1 / 2 + 1 / 8 + 1 / 2, 0]])
    later = replace(ratings([3], [2], [1]), timestamp=np.array([newest + DAY]))
    np.testing.assert_allclose(model.fold_in(later).scores([0])[0, 2], 1)
    now = replace(later, timestamp=np.array([-1]))
    np.testing.assert_allclose(model.fold_in(now).scores([0])[0, 2], 1)
    unknown = replace(train, timestamp=np.array([newest, -1, newest, newest, newest]))
    with pytest.raises(DataError, match="half_life needs the time of every rating; got '1 of 5 ratings"):
        Popularity(PopularityConfig(half_life=10)).fit(replace(DATA, train=unknown))


def test_stored_evaluations_of_popularity_are_still_found():
    assert PopularityConfig().identity() == {}
