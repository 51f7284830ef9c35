import sys

import numpy as np
import pytest
from scipy.optimize import minimize

from igmc.errors import MissingExtraError
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import liked_board
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract

pytest.importorskip("sklearn")


class TestSLIM(NewUserRankingContract, RecommenderContract):
    name = "slim"
    settings = {"l1": 0.01, "l2": 10.0}
    new_user_settings = settings
    changes = {"l1": 1.0, "l2": 50.0, "kept": 2, "passes": 1}


def test_each_column_minimizes_the_elastic_net_without_the_item_itself():
    data, _ = liked_board(users=10, items=6, known=0.8)
    model = make_recommender("slim", {"l1": 0.3, "l2": 2.0, "passes": 10_000}).fit(data)
    seen, weights = (data.matrix().toarray() != 0).astype(float), model.weights.toarray()
    assert (weights >= 0).all()
    assert not np.diag(weights).any()
    for item in range(6):
        others = np.delete(np.arange(seen.shape[1]), item)

        def loss(w, item=item, others=others):
            error = seen[:, item] - seen[:, others] @ w
            return 0.5 * error @ error + 0.3 * w.sum() + w @ w

        best = minimize(loss, np.full(len(others), 0.1), bounds=[(0, None)] * len(others))
        assert loss(weights[others, item]) <= best.fun + 1e-3


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(MissingExtraError, match=r"igmc\[baselines\]"):
        make_recommender("slim").fit(liked_board()[0])
