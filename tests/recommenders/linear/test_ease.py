import numpy as np
import pytest

from igmc.errors import DataError
from igmc.recommenders.linear import ease
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.validation_ndcg import validation_ndcg
from tests.recommenders.boards import data_of, liked_board, ratings
from tests.recommenders.contract import NewUserRankingContract, RecommenderContract


class TestEASE(NewUserRankingContract, RecommenderContract):
    name = "ease"
    new_user_settings = {"regularization": 5.0}
    changes = {"regularization": 5000.0}


def test_each_item_is_the_ridge_regression_on_the_others():
    data, _ = liked_board(users=10, items=6, known=0.8)
    model = make_recommender("ease", {"regularization": 3.0}).fit(data)
    seen = (data.matrix().toarray() != 0).astype(float)
    for item in range(seen.shape[1]):
        others = np.delete(np.arange(seen.shape[1]), item)
        design = np.vstack([seen[:, others], 3.0**0.5 * np.eye(len(others))])
        target = np.append(seen[:, item], np.zeros(len(others)))
        expected = np.linalg.lstsq(design, target, rcond=None)[0]
        np.testing.assert_allclose(model.weights[others, item], expected, atol=1e-5)
        assert model.weights[item, item] == 0
    np.testing.assert_allclose(model.scores(np.arange(11)), seen @ model.weights, rtol=1e-5)


def test_a_folded_user_gets_the_scores_of_these_ratings():
    data, _ = liked_board()
    model = make_recommender("ease").fit(data)
    mine = data.train.user == 3
    stranger = data.n_users - 1
    copied = ratings(np.full(mine.sum(), stranger), data.train.item[mine], data.train.rating[mine])
    assert not model.scores([stranger]).any()
    np.testing.assert_array_equal(model.fold_in(copied).scores([stranger]), model.scores([3]))


def test_the_strength_is_the_best_on_validation_and_200_without_one():
    data, left = liked_board(known=0.4, seed=3)
    user = np.repeat(np.arange(len(left)), [len(items) for items in left])
    noise = np.random.default_rng(0).permutation(len(user))
    wanted = ratings(user, np.concatenate(left)[noise] % 5, np.full(len(user), 5.0))
    data = data_of(data.train, wanted, n_users=data.n_users, n_items=data.n_items)
    models = [make_recommender("ease", {"regularization": s}).fit(data) for s in ease.STRENGTHS]
    quality = [validation_ndcg(model.scores, data) for model in models]
    assert len(set(quality)) > 1
    model = make_recommender("ease").fit(data)
    assert model.uses_validation
    assert model.chosen_config().regularization == ease.STRENGTHS[int(np.argmax(quality))]
    assert make_recommender("ease").fit(data.merged()).chosen_config().regularization == 200


def test_too_many_items_are_refused_before_memory_runs_out(monkeypatch):
    monkeypatch.setattr(ease, "MOST_ITEMS", 10)
    with pytest.raises(DataError, match=r"too many items for EASE.*got 17; allowed: at most 10;"):
        make_recommender("ease").fit(liked_board()[0])
