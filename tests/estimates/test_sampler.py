"""The sampler draws from the distributions that it says: held against dense algebra."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.estimates.sampler import Sampler
from tests.estimates.planted import planted_ratings
from tests.estimates.posterior import problem


def sampler_of(matrix, factors, implicit, **settings):
    user, item = (a.astype(np.int32) for a in matrix.nonzero())
    n_users, n_items = matrix.shape
    sizes = {"n_users": n_users, "n_items": n_items, "seed": 4}
    return Sampler(user, item, matrix.data, factors=factors, implicit=implicit, **sizes, **settings)


@pytest.mark.parametrize("implicit", [False, True])
def test_priors_are_drawn_from_their_posterior(implicit):
    matrix, _, _, _ = problem(3, rows=30, others=9)
    sampler = sampler_of(matrix, 2, implicit)
    side = sampler.user
    theta = np.zeros((30, 8), np.float32)
    theta[:, :3] = np.random.default_rng(5).normal(1.0, 2.0, (30, 3))
    precisions, means = [], []
    for _ in range(4000):
        side.theta, side.implicit = theta.copy(), np.zeros_like(theta)
        if implicit:
            side.links = np.zeros((9, 8), np.float32)
        side.sample_priors(sampler.item)
        precisions.append(side.precision)
        means.append(side.mean)
    n, extra = 30, 9 if implicit else 0
    centre = theta[:, :3].mean(axis=0)
    inverse = np.eye(3) + n * np.cov(theta[:, :3].T, bias=True) + 2 * n / (2 + n) * np.outer(centre, centre)
    expected = (3 + n + extra) * np.linalg.inv(inverse)
    np.testing.assert_allclose(np.mean(precisions, axis=0), expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(np.mean(means, axis=0), n / (2 + n) * centre, atol=0.05)


def test_implicit_terms_are_kept_up_to_date():
    matrix, _, _, _ = problem(3, rows=30, others=9)
    sampler = sampler_of(matrix, 2, True)
    for _ in range(5):
        sampler.sweep()
    for side, rated in ((sampler.user, matrix.toarray() != 0), (sampler.item, matrix.toarray().T != 0)):
        np.testing.assert_allclose(side.implicit, side.weight[:, None] * (rated @ side.links), atol=1e-4)


@pytest.mark.parametrize("implicit", [False, True])
def test_draws_do_not_depend_on_the_number_of_threads(implicit):
    user, item, rating = planted_ratings()
    found = []
    for threads in (1, 3):
        sizes = {"n_users": 90, "n_items": 60, "factors": 3, "seed": 2, "threads": threads}
        sampler = Sampler(user, item, rating, implicit=implicit, **sizes)
        losses = [sampler.sweep() for _ in range(4)]
        found.append((losses, sampler.draw()))
    assert found[0][0] == found[1][0]
    np.testing.assert_array_equal(found[0][1].users.vectors, found[1][1].users.vectors)
    np.testing.assert_array_equal(found[0][1].items.vectors, found[1][1].items.vectors)


def test_expected_ratings_are_those_of_the_conditional_means():
    matrix, _, _, _ = problem(3, rows=30, others=9)
    sampler = sampler_of(matrix, 2, False)
    sampler.sweep()
    draw = sampler.draw()
    x = np.column_stack([draw.items.vectors[:, :-1], np.ones(9)]).astype(float)
    rated = matrix[[4]].indices
    left = (matrix[[4]].data - sampler.mean) / sampler.deviation - draw.items.vectors[rated, -1]
    A = draw.users.precision + draw.alpha * x[rated].T @ x[rated]
    theta = np.linalg.solve(A, draw.users.precision @ draw.users.mean + draw.alpha * x[rated].T @ left)
    expected = sampler.mean + sampler.deviation * (x @ theta + draw.items.vectors[:, -1])
    found = sampler.expected_ratings(draw, np.full(9, 4), np.arange(9))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("rating", "message"), [([], "no ratings"), ([3.0, np.nan], "not a finite number")])
def test_ratings_that_cannot_be_learned_from_are_refused(rating, message):
    ids = np.arange(len(rating), dtype=np.int32)
    with pytest.raises(DataError, match=message):
        Sampler(ids, ids, rating, n_users=2, n_items=2, factors=2, implicit=False, seed=1)
