import sys

import numpy as np
import pytest

from igmc.errors import MissingExtraError
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import liked_board
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract

pytest.importorskip("implicit")


class TestIALS(NewUserRankingContract, RecommenderContract):
    name = "ials"
    settings = {"factors": 2, "regularization": 0.1}
    new_user_settings = settings
    random = True
    changes = {"factors": 3, "regularization": 50.0, "alpha": 20.0, "iterations": 1}


def test_a_user_is_the_weighted_least_squares_solution_on_the_items():
    data, _ = liked_board()
    model = make_recommender("ials", {"factors": 3, "regularization": 2.0, "alpha": 4.0}).fit(data)
    seen = data.matrix().toarray() != 0
    for user in (0, 3):
        weight = np.where(seen[user], 4.0, 1.0)
        left = (model.items * weight[:, None]).T @ model.items + 2.0 * np.eye(3)
        right = (model.items * weight[:, None]).T @ seen[user]
        np.testing.assert_allclose(model.users[user], np.linalg.solve(left, right), rtol=1e-3, atol=1e-5)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "implicit.als", None)
    with pytest.raises(MissingExtraError, match=r"igmc\[baselines\]"):
        make_recommender("ials").fit(liked_board()[0])
