import numpy as np
import pytest

from igmc.errors import TrainingError
from igmc.recommenders.factorization.bpr import train_pass
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.stopping import validation_ndcg
from tests.recommenders.boards import data_of, liked_board, ratings
from tests.recommenders.contract import RecommenderContract


class TestMF(RecommenderContract):
    name = "mf"
    settings = {"factors": 2, "burn_in": 20, "draws": 10, "epochs": 40}
    random = True
    changes = {
        "objective": "ranking",
        "factors": 3,
        "burn_in": 5,
        "draws": 2,
        "thin": 1,
        "patience": 1,
        "epochs": ({"objective": "ranking"}, 1),
        "learning_rate": ({"objective": "ranking"}, 0.01),
        "regularization": ({"objective": "ranking"}, 0.5),
    }


class TestMFThatRanks(RecommenderContract):
    name = "mf"
    settings = {"objective": "ranking", "factors": 4, "epochs": 40, "learning_rate": 0.05}
    random = True
    changes = {
        "objective": "rating",
        "factors": 3,
        "burn_in": ({"objective": "rating"}, 5),
        "draws": ({"objective": "rating"}, 2),
        "thin": ({"objective": "rating"}, 1),
        "patience": 1,
        "epochs": 1,
        "learning_rate": 0.01,
        "regularization": 0.5,
    }


class TestSVDpp(RecommenderContract):
    name = "svdpp"
    settings = {"factors": 2, "burn_in": 20, "draws": 10}
    random = True
    changes = {"factors": 3, "burn_in": 5, "draws": 2, "thin": 1, "patience": 1}


def planted(seed=0, *, users=80, items=60, noise=0.3):
    """Ratings of rank 2 with biases and noise, a third of them left out."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(users, 2)) @ rng.normal(size=(2, items))
    rating = 3 + taste + rng.normal(0, 0.5, users)[:, None] + rng.normal(0, 0.5, items)
    rating += rng.normal(0, noise, rating.shape)
    user, item = (a.ravel() for a in np.indices((users, items)))
    hidden = rng.random(len(user)) < 1 / 3
    return [ratings(user[m], item[m], rating.ravel()[m]) for m in (~hidden, hidden)]


def rmse(model, asked):
    return float(np.sqrt(np.mean((model.predict(asked.user, asked.item) - asked.rating) ** 2)))


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_planted_factors_are_found_down_to_the_noise(name):
    known, asked = planted()
    model = make_recommender(name, {"factors": 4}).fit(data_of(known, n_users=80, n_items=60))
    assert 0.29 < rmse(model, asked) < 0.34  # the noise is 0.3
    assert model.history[-1]["loss"] == pytest.approx(0.09, rel=0.25)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_the_unit_of_ratings_does_not_matter(name):
    known, asked = planted()
    scaled = ratings(known.user, known.item, 20 * known.rating + 7)
    settings = {"factors": 2, "draws": 5}
    models = [
        make_recommender(name, settings).fit(data_of(k, n_users=80, n_items=60)) for k in (known, scaled)
    ]
    first, second = (model.predict(asked.user, asked.item) for model in models)
    np.testing.assert_allclose(20 * first + 7, second, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_a_folded_user_gets_what_training_gives_a_user_with_these_ratings(name):
    known, _ = planted()
    model = make_recommender(name, {"factors": 2, "draws": 4}).fit(data_of(known, n_users=80, n_items=60))
    mine = known.user == 5
    rest, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~mine, mine))
    trained = model.scores([5, 6])
    model.known = rest.columns()
    model.draws = {**model.draws, "user": model.draws["user"].copy()}
    model.draws["user"][:, 5] = 0
    folded = model.fold_in(support)
    np.testing.assert_allclose(folded.scores([5, 6]), trained, rtol=1e-4)
    assert not np.allclose(model.scores([5]), trained[0], rtol=1e-2)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_new_users_and_new_items_can_come_together(name):
    known, asked = planted()
    new = (known.user >= 70) | (known.item >= 50)
    old, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~new, new))
    cold = make_recommender(name, {"factors": 4}).fit(data_of(old, n_users=80, n_items=60))
    warm = cold.fold_in(support)
    for user, item in ((True, False), (False, True), (True, True)):
        m = ((asked.user >= 70) == user) & ((asked.item >= 50) == item)
        part = ratings(asked.user[m], asked.item[m], asked.rating[m])
        assert rmse(warm, part) < 0.4 < 0.7 < rmse(cold, part)


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


def test_draws_stop_when_validation_no_longer_gains_and_are_cut_at_the_best():
    known, asked = planted(noise=1.0)
    data = data_of(known, asked, n_users=80, n_items=60)
    model = make_recommender("mf", {"draws": 200, "thin": 1, "patience": 3}).fit(data)
    measured = [r["validation_rmse"] for r in model.history if "validation_rmse" in r]
    assert len(measured) < 200
    assert model.chosen().draws == model.n_draws == int(np.argmin(measured)) + 1 == len(measured) - 3
    assert rmse(model, asked) == pytest.approx(min(measured), rel=1e-5)


def test_bpr_stops_by_validation_and_keeps_the_best_epoch():
    data, left = liked_board(known=0.5)
    user = np.repeat(np.arange(len(left)), [len(items) for items in left])
    wanted = ratings(user, np.concatenate(left), np.full(len(user), 5.0))
    data = data_of(data.train, wanted, n_users=data.n_users, n_items=data.n_items)
    model = make_recommender("mf", {"objective": "ranking", "factors": 4, "patience": 4}).fit(data)
    measured = [record["validation_ndcg"] for record in model.history]
    assert len(measured) < 200
    assert model.chosen().epochs == int(np.argmax(measured)) + 1 == len(measured) - 4
    assert validation_ndcg(model.scores, data) == pytest.approx(max(measured))


def test_one_step_of_bpr_by_hand():
    users, items = np.array([[0.5, 0.0]], np.float32), np.array([[1.0, 0.2], [-1.0, 0.1]], np.float32)
    everything = np.ones(1, bool), np.ones(2, bool)
    seen = np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32)
    loss = train_pass(*seen, users, items, *everything, np.float32(0.1), np.float32(0.01), np.uint64(3))
    wrong = 1 / (1 + np.exp(1.1))  # s_ui - s_uj = 0.5 * (1 + 1) + 0.2 - 0.1
    assert loss == pytest.approx(np.log1p(np.exp(-1.1)), rel=1e-5)
    np.testing.assert_allclose(users, [[0.5 + 0.1 * (2 * wrong - 0.005), 0]], rtol=1e-6)
    liked = [1 + 0.1 * (0.5 * wrong - 0.01), 0.2 + 0.1 * (wrong - 0.002)]
    other = [-1 - 0.1 * (0.5 * wrong - 0.01), 0.1 - 0.1 * (wrong + 0.001)]
    np.testing.assert_allclose(items, [liked, other], rtol=1e-6)


def test_bpr_that_diverges_says_so():
    data, _ = liked_board()
    with pytest.raises(TrainingError, match=r"diverged in epoch \d+; got 10.0; .* lower learning_rate"):
        make_recommender("mf", {"objective": "ranking", "learning_rate": 10, "regularization": 5}).fit(data)
