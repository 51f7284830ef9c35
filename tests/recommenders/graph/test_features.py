import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from igmc.recommenders.graph.features import NodeFeatures, reduced
from tests.recommenders.boards import data_of, ratings

TRAIN = ratings([0, 0, 1, 2], [0, 1, 1, 0], [5, 1, 3, 4])
# Thursday 1970-01-01, 01:00; Friday 1969-12-26, 23:00; unknown; Sunday 1970-01-04, 00:00.
TRAIN.timestamp[:] = [3600, -6 * 86_400 + 23 * 3600, -1, 3 * 86_400]
INFO = {
    "user_info": pd.DataFrame({"age": pd.array([20, 40, None, 30], "Int64"), "gender": ["M", "F", "F", ""]}),
    "item_info": pd.DataFrame({"year": pd.array([1990, 2000, 2010], "Int64"), "genres": ["A|B", "B", ""]}),
}


def tags():
    return {"tags": sparse.csr_array(np.array([[2.0, 0, 1], [1, 3, 0], [0, 0, 0]], np.float32))}


def data(**changes):
    return data_of(TRAIN, n_users=4, n_items=3, **{**INFO, "item_tags": tags, **changes})


def raw(features, side):
    """The statistics before they are standardized."""
    return features._statistics(TRAIN)[side]


def test_statistics_by_hand():
    features = NodeFeatures.fit(data(), 8, seed=1)
    users = raw(features, "user")
    assert users.shape == (4, 3 + 24 + 7)
    mean = 13 / 4
    np.testing.assert_allclose(users[0, :3], [(6 - 2 * mean) / 7, np.log(3), 4])
    np.testing.assert_allclose(users[3, :3], 0)
    hours, weekdays = users[:, 3:27], users[:, 27:]
    assert hours[0, 1] == hours[0, 23] == 0.5
    assert weekdays[0, 3] == weekdays[0, 4] == 0.5
    assert hours[2, 0] == weekdays[2, 6] == 1.0
    np.testing.assert_allclose(hours[1], 1 / 24, err_msg="no time is known of user 1")
    np.testing.assert_allclose(raw(features, "item")[1], [(4 - 2 * mean) / 7, np.log(3), 1])


def test_what_is_known_of_users_and_items_is_in_it():
    features = NodeFeatures.fit(data(), 8, seed=1).of(TRAIN)
    assert features["user"].shape == (4, 1 + 2 + 34)  # age, two genders
    assert features["item"].shape == (3, 1 + 2 + 2 + 3)  # year, two genres, tags of rank 2
    assert features["user"].dtype == features["item"].dtype == np.float32
    np.testing.assert_array_equal(features["item"][:, 1:3], [[1, 1], [0, 1], [0, 0]])
    bare = NodeFeatures.fit(data(user_info=None, item_info=None, item_tags=None), 8, seed=1).of(TRAIN)
    assert [bare[side].shape for side in ("user", "item")] == [(4, 34), (3, 3)]


def test_they_are_standardized_over_who_has_ratings():
    features = NodeFeatures.fit(data(), 8, seed=1).of(TRAIN)
    seen = features["item"][:2, -3:]
    np.testing.assert_allclose(seen.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_array_equal(features["item"][2, -3:], 0, "there is no rating of item 2")
    many = ratings(np.zeros(200), np.arange(200) % 2, np.full(200, 5))
    assert NodeFeatures.fit(data(), 8, seed=1).of(many)["user"][:, -34:].max() == 3


def test_validation_ratings_change_no_feature():
    late = ratings([3, 3], [0, 2], [1, 1])
    one = NodeFeatures.fit(data_of(TRAIN, n_users=4, n_items=3, **INFO), 8, seed=1)
    two = NodeFeatures.fit(data_of(TRAIN, late, n_users=4, n_items=3, **INFO), 8, seed=1)
    for side in ("user", "item"):
        np.testing.assert_array_equal(one.of(TRAIN)[side], two.of(TRAIN)[side])
        np.testing.assert_array_equal(one.center[side], two.center[side])


def test_new_ratings_change_only_whom_they_concern():
    features = NodeFeatures.fit(data(), 8, seed=1)
    before, after = features.of(TRAIN), features.of(TRAIN + ratings([3], [2], [5]))
    for side, fresh in (("user", 3), ("item", 2)):
        changed = np.any(before[side] != after[side], axis=1)
        np.testing.assert_array_equal(np.flatnonzero(changed), [fresh])


def test_state_makes_it_anew():
    features = NodeFeatures.fit(data(), 8, seed=1)
    again = NodeFeatures(**features.state()).of(TRAIN)
    np.testing.assert_array_equal(again["user"], features.of(TRAIN)["user"])


def test_a_truncated_svd_keeps_products():
    rng = np.random.default_rng(0)
    matrix = sparse.csr_array((rng.normal(size=(20, 3)) @ rng.normal(size=(3, 15))).astype(np.float32))
    made = reduced(matrix, 3, seed=1)
    products, expected = made @ made.T, (matrix @ matrix.T).toarray()
    np.testing.assert_allclose(products / np.trace(products), expected / np.trace(expected), atol=1e-6)
    np.testing.assert_allclose(made, reduced(matrix, 3, seed=2), atol=1e-4)
    np.testing.assert_allclose(
        reduced(matrix, 2, seed=1)[:, 0] / made[:, 0],
        reduced(matrix, 2, seed=1)[0, 0] / made[0, 0],
        rtol=1e-3,
    )
    assert np.mean(made**2) == pytest.approx(1.0, rel=1e-5)


def test_there_may_be_nothing_to_reduce():
    assert reduced(sparse.csr_array((5, 4), dtype=np.float32), 3, seed=1).shape == (5, 0)
    assert reduced(sparse.csr_array(np.ones((5, 1), np.float32)), 3, seed=1).shape == (5, 0)
