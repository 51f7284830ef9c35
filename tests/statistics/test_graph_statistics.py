"""Biases and residuals, against the equations that define them."""

import numpy as np
import pytest

from igmc.statistics.graph_statistics import DAMPING, GraphStatistics
from tests.statistics.graphs import known_ratings


def test_biases_solve_the_ridge_regression_and_residuals_are_what_they_leave():
    known = known_ratings()
    found = known.statistics()
    n_users, n_items = known.n_users, known.n_items
    # One least-squares problem for all biases: its normal equations.
    normal, right = np.zeros((n_users + n_items,) * 2), np.zeros(n_users + n_items)
    left = known.rating - known.rating.mean(dtype=np.float64)
    for u, i, r in zip(known.user, known.item, left, strict=True):
        for k in (u, n_users + i):
            normal[k, u] += 1
            normal[k, n_users + i] += 1
            right[k] += r
    bias = np.linalg.solve(normal + DAMPING * np.eye(len(right)), right)
    residual = left - bias[known.user] - bias[n_users + known.item]
    assert found.mean == pytest.approx(known.rating.mean(), abs=1e-6)
    assert found.deviation == pytest.approx(np.sqrt(np.mean(residual**2)), abs=1e-4)
    got = np.concatenate([found.users.facts[:, 0], found.items.facts[:, 0]]) * found.deviation
    assert np.abs(got - bias).max() < 1e-3
    assert found.users.residual * found.deviation == pytest.approx(residual, abs=1e-3)


def test_rows_are_in_ascending_order_whatever_the_order_of_the_ratings():
    known = known_ratings()
    mixed = np.random.default_rng(0).permutation(len(known))
    one, other = known.statistics(), known.statistics(mixed)
    for side in ("users", "items"):
        mine, theirs = getattr(one, side), getattr(other, side)
        assert np.array_equal(mine.near, theirs.near)
        assert mine.residual == pytest.approx(theirs.residual, abs=1e-5)
        rows = np.split(mine.near, mine.ptr[1:-1])
        assert all(np.all(np.diff(row) > 0) for row in rows)


@pytest.mark.parametrize("rating", [[], [3.0]])
def test_where_biases_explain_all_the_deviation_is_no_zero(rating):
    none = np.zeros(len(rating), np.int32)
    found = GraphStatistics.of_ratings(none, none, rating, n_users=2, n_items=2, span=4.0)
    assert found.deviation >= 0.004
    assert np.isfinite(found.users.facts).all()
