"""By how much ratings miss damped means: worked out by hand, and never by their own rating."""

import numpy as np
import pytest

from igmc.intervals.mean_residuals import mean_residuals


def test_a_rating_is_missed_by_the_mean_of_other_ratings():
    """Two ratings of one user, 5 and 1: the mean is 3, the other one moves it by 2 / (1 + 5)."""
    user, item = np.array([0, 0], np.int32), np.array([0, 1], np.int32)
    found = mean_residuals(user, item, np.array([5, 1], np.float32), seed=1)
    assert found["user mean"].tolist() == pytest.approx([2 + 1 / 3] * 2)
    assert found["item mean"].tolist() == [], "no item has another rating"
    assert found["global mean"].tolist() == [2, 2]


def test_they_are_sorted_and_a_user_of_like_ratings_is_missed_by_less():
    rng = np.random.default_rng(1)
    user = np.repeat(np.arange(200, dtype=np.int32), 30)
    item = rng.integers(0, 50, len(user)).astype(np.int32)
    rating = (3 + 1.5 * rng.normal(size=200)[user] + 0.1 * rng.normal(size=len(user))).astype(np.float32)
    found = mean_residuals(user, item, rating, seed=1)
    for values in found.values():
        assert (np.diff(values) >= 0).all()
        assert len(values) == 4000
    assert np.median(found["user mean"]) < 0.7 * np.median(found["global mean"])
    again = mean_residuals(user, item, rating, seed=1)
    assert all((again[name] == found[name]).all() for name in found)


def test_without_ratings_there_is_nothing():
    none = np.empty(0, np.int32)
    assert all(not len(v) for v in mean_residuals(none, none, np.empty(0, np.float32), seed=1).values())
