import numpy as np
import pytest

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import RecommenderContract

DATA = data_of(ratings([0, 0, 1, 2, 1], [0, 1, 0, 1, 1], [5, 3, 4, 1, 2]), n_users=4, n_items=3)
MEAN = 3.0


class _Mean(RecommenderContract):
    learns = False


class TestGlobalMean(_Mean):
    name = "global_mean"


class TestUserMean(_Mean):
    name = "user_mean"
    changes = {"damping": 3.0}


class TestItemMean(_Mean):
    name = "item_mean"
    changes = {"damping": 3.0}


class TestUserItemMean(_Mean):
    name = "user_item_mean"
    changes = {"damping": 3.0}


@pytest.mark.parametrize(
    ("name", "settings", "expected"),
    [
        ("global_mean", {}, [MEAN, MEAN, MEAN]),
        ("user_mean", {}, [4, 3, MEAN]),
        ("user_mean", {"damping": 2}, [3.5, 3, MEAN]),
        ("item_mean", {}, [MEAN, 2, 4.5]),
        ("user_item_mean", {}, [3.5, 2.5, 3.75]),
    ],
)
def test_answers_by_hand(name, settings, expected):
    model = make_recommender(name, settings).fit(DATA)
    np.testing.assert_allclose(model.predict([0, 1, 3], [2, 1, 0]), expected, rtol=1e-6)


def test_new_ratings_move_the_means_of_those_concerned_only():
    model = make_recommender("user_item_mean").fit(DATA).fold_in(ratings([3, 3], [2, 0], [5, 1]))
    # user 3 now means 3; item 2 means 5, item 0 means (5 + 4 + 1) / 3
    np.testing.assert_allclose(model.predict([3, 3, 0], [2, 0, 1]), [4, (3 + 10 / 3) / 2, 3], rtol=1e-6)
