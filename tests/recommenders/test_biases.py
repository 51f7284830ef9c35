import numpy as np
import pytest

from igmc.recommenders.biases import DAMPINGS
from igmc.recommenders.registry import make_recommender
from tests.evaluation.splits import random_rows
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.contract import RecommenderContract


def tastes(seed, *, users=12, items=9, validation=0):
    rows = random_rows(seed, users=users, items=items)
    cut = len(rows) - validation
    parts = [ratings(*np.array(part or np.empty((0, 3))).T) for part in (rows[:cut], rows[cut:])]
    return data_of(*parts, n_users=users + 1, n_items=items + 1)


def dense_ridge(data, damping):
    """The same regression as one dense least-squares problem."""
    known, users, items = data.train, data.n_users, data.n_items
    design = np.zeros((len(known), users + items))
    design[np.arange(len(known)), known.user] = 1
    design[np.arange(len(known)), users + known.item] = 1
    target = np.append(known.rating - known.rating.mean(dtype=np.float64), np.zeros(users + items))
    stacked = np.vstack([design, damping**0.5 * np.eye(users + items)])
    solution = np.linalg.lstsq(stacked, target, rcond=None)[0]
    return solution[:users], solution[users:]


def rmse(model, asked):
    return float(np.sqrt(np.mean((model.predict(asked.user, asked.item) - asked.rating) ** 2)))


class TestBiases(RecommenderContract):
    name = "biases"
    changes = {"damping": 30.0}
    learns = False


@pytest.mark.parametrize("damping", [1.0, 5.0, 50.0])
def test_biases_solve_the_ridge_regression(damping):
    data = tastes(1)
    model = make_recommender("biases", {"damping": damping}).fit(data)
    user, item = dense_ridge(data, damping)
    np.testing.assert_allclose(model.user_bias, user, atol=2e-3)
    np.testing.assert_allclose(model.item_bias, item, atol=2e-3)
    assert model.user_bias[12] == model.item_bias[9] == 0.0


def test_without_damping_the_biases_fit_the_known_ratings_as_well_as_any():
    data = tastes(2)
    user, item = dense_ridge(data, 0.0)
    known = data.train
    best = known.rating.mean() + user[known.user] + item[known.item]
    model = make_recommender("biases", {"damping": 0.0}).fit(data)
    assert rmse(model, known) == pytest.approx(float(np.sqrt(np.mean((best - known.rating) ** 2))), abs=1e-6)


def test_strong_damping_ends_at_the_global_mean():
    model = make_recommender("biases", {"damping": 1e9}).fit(tastes(3))
    np.testing.assert_allclose([*model.user_bias, *model.item_bias], 0.0, atol=1e-6)


def test_damping_is_the_best_on_validation_and_5_without_one():
    data = tastes(5, users=30, items=20, validation=40)
    errors = [rmse(make_recommender("biases", {"damping": d}).fit(data), data.validation) for d in DAMPINGS]
    chosen = make_recommender("biases").fit(data).chosen_config()
    assert chosen.damping == DAMPINGS[int(np.argmin(errors))]
    assert make_recommender("biases").fit(data.merged()).chosen_config().damping == 5.0


def test_a_folded_user_gets_nearly_the_bias_of_training():
    data = tastes(7, users=40, items=30)
    known, new = data.train, 5
    mine = known.user == new
    rest, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~mine, mine))
    whole = make_recommender("biases", {"damping": 5.0}).fit(data)
    folded = (
        make_recommender("biases", {"damping": 5.0})
        .fit(data_of(rest, n_users=41, n_items=31))
        .fold_in(support)
    )
    assert folded.user_bias[new] == pytest.approx(whole.user_bias[new], abs=0.1)
