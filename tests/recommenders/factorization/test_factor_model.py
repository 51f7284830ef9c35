"""What the factorizations share, tried on both."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import DataError
from igmc.recommenders.registry import load_recommender, make_recommender
from tests.estimates.planted import described_ratings
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.factorization.planted import planted, rmse


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
    np.testing.assert_allclose(20 * first + 7, second, rtol=1e-3, atol=0.02)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_a_folded_user_gets_what_training_gives_a_user_with_these_ratings(name):
    known, _ = planted()
    model = make_recommender(name, {"factors": 2, "draws": 4}).fit(data_of(known, n_users=80, n_items=60))
    mine = known.user == 5
    rest, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~mine, mine))
    trained = model.scores([5, 6])
    model.known = rest.columns()
    contrary = model.fold_in(ratings(support.user, support.item, 6 - support.rating))
    assert not np.allclose(contrary.scores([5]), trained[0], rtol=0.1)
    np.testing.assert_array_equal(contrary.scores([6]), trained[1:])
    np.testing.assert_allclose(model.fold_in(support).scores([5, 6]), trained, rtol=2e-3)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_a_model_saved_after_a_newcomer_came_still_knows_him(name, tmp_path):
    known, asked = planted()
    new = known.user >= 70
    old, support = (ratings(known.user[m], known.item[m], known.rating[m]) for m in (~new, new))
    warm = make_recommender(name, {"factors": 2, "draws": 4}).fit(data_of(old, n_users=80, n_items=60))
    warm = warm.fold_in(support)
    warm.save(tmp_path / "model")
    loaded = type(warm).load(tmp_path / "model")
    np.testing.assert_array_equal(
        loaded.predict(asked.user, asked.item), warm.predict(asked.user, asked.item)
    )


def test_one_rating_of_a_newcomer_does_not_count_as_all_that_he_will_ever_rate():
    # Every user rates ten items of one of two kinds, and those who rate the second kind rate item 40 badly.
    user, item = (a.ravel() for a in np.indices((120, 40)))
    rng = np.random.default_rng(2)
    shown = (user % 2 == item // 20) & (rng.random(len(user)) < 0.5)
    told = np.arange(120)
    known = ratings(
        np.append(user[shown], told),
        np.append(item[shown], np.full(120, 40)),
        np.append(np.full(shown.sum(), 3.0), np.where(told % 2, 1.0, 5.0)),
    )
    model = make_recommender("svdpp", {"factors": 2}).fit(data_of(known, n_users=122, n_items=41))
    newcomers = model.fold_in(ratings([120, 121], [3, 23], [3.0, 3.0]))
    good, bad = newcomers.predict([120, 121], [40, 40])
    assert good > 4.5
    assert bad < 1.5


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


def test_draws_stop_when_validation_no_longer_gains_and_are_cut_at_the_best():
    known, asked = planted(noise=1.0)
    data = data_of(known, asked, n_users=80, n_items=60)
    model = make_recommender("mf", {"draws": 200, "thin": 1, "patience": 3}).fit(data)
    measured = [r["validation_rmse"] for r in model.history if "validation_rmse" in r]
    assert len(measured) < 200
    assert model.chosen_config().draws == model.n_draws == int(np.argmin(measured)) + 1 == len(measured) - 3
    assert rmse(model, asked) == pytest.approx(min(measured), rel=1e-5)


@pytest.mark.parametrize("name", ["mf", "svdpp"])
def test_side_features_tell_of_items_without_ratings(name, tmp_path):
    (user, item, rating), side, full = described_ratings()
    kinds = side.items.values.argmax(axis=1)
    info = {"item_info": pd.DataFrame({"genres": [f"kind {kind}" for kind in kinds]})}
    info["user_info"] = pd.DataFrame({"occupation": [str(age) for age in side.users.values.argmax(axis=1)]})
    known = ratings(user, item, rating)
    data = data_of(known, n_users=90, n_items=60, **info)
    new_users, new_items = np.repeat(np.arange(80), 10), np.tile(np.arange(50, 60), 80)
    errors = []
    for side_features in (True, False):
        model = make_recommender(name, {"factors": 2, "side_features": side_features, "draws": 10}).fit(data)
        found = model.predict(new_users, new_items)
        errors.append(np.sqrt(np.mean((found - full[new_users, new_items]) ** 2)))
        if side_features:
            model.save(tmp_path / "model")
            kept = load_recommender(tmp_path / "model").predict(new_users, new_items)
            np.testing.assert_array_equal(kept, found)
    assert errors[0] < 0.7 * errors[1]
    with pytest.raises(DataError, match="no side features"):
        make_recommender(name, {"side_features": True}).fit(data_of(known, n_users=90, n_items=60))
