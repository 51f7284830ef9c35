import numpy as np

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import RecommenderContract
from tests.recommenders.factorization.planted import rmse


class TestSVDpp(RecommenderContract):
    name = "svdpp"
    settings = {"factors": 2, "burn_in": 20, "draws": 10}
    random = True
    changes = {"factors": 3, "burn_in": 5, "draws": 2, "thin": 1, "patience": 1, "side_features": None}


def test_svdpp_learns_from_what_was_rated_at_all():
    # Half of the users rate items 0..9, half 10..19, all with 3; the first love item 20, the others hate it.
    user, item = (a.ravel() for a in np.indices((60, 20)))
    shown = (user % 2 == item // 10) & (np.random.default_rng(1).random(len(user)) < 0.8)
    told = np.arange(40)
    known = ratings(
        np.append(user[shown], told),
        np.append(item[shown], np.full(40, 20)),
        np.append(np.full(shown.sum(), 3.0), np.where(told % 2, 1.0, 5.0)),
    )
    asked = ratings(np.arange(40, 60), np.full(20, 20), np.where(np.arange(40, 60) % 2, 1.0, 5.0))
    data = data_of(known, n_users=60, n_items=21)
    errors = {n: rmse(make_recommender(n, {"factors": 2}).fit(data), asked) for n in ("mf", "svdpp")}
    assert errors["svdpp"] < 0.5 * errors["mf"]
