"""The sampler draws from the distributions that it says: held against dense algebra."""

import numpy as np
import pytest
from igmc.recommenders.factorization.gibbs import Sampler, conditional_means

from tests.recommenders.factorization.posterior import dense_posterior, problem


def test_conditional_means_are_ridge_regressions():
    matrix, other, expected, precision = problem()
    found = conditional_means(matrix, other, expected, precision, 2.5)
    for row in range(3):
        mean, _ = dense_posterior(matrix, other, expected, precision, 2.5, row)
        np.testing.assert_allclose(found[row], mean, rtol=1e-9)


@pytest.mark.parametrize("implicit", [False, True])
def test_priors_are_drawn_from_their_posterior(implicit):
    matrix, _, _, _ = problem(3, rows=30, others=9)
    sampler = Sampler(matrix, 2, implicit, np.random.default_rng(4))
    side = sampler.user
    theta = np.random.default_rng(5).normal(1.0, 2.0, (30, 3))
    links = None if side.links is None else np.zeros_like(side.links)
    precisions, means = [], []
    for _ in range(4000):
        side.theta, side.links = theta.copy(), None if links is None else links.copy()
        side.sample_priors(sampler.item)
        precisions.append(side.precision)
        means.append(side.mean)
    n, extra = 30, 9 if implicit else 0
    centre = theta.mean(axis=0)
    inverse = np.eye(3) + n * np.cov(theta.T, bias=True) + 2 * n / (2 + n) * np.outer(centre, centre)
    expected = (3 + n + extra) * np.linalg.inv(inverse)
    np.testing.assert_allclose(np.mean(precisions, axis=0), expected, atol=0.02 * np.abs(expected).max())
    np.testing.assert_allclose(np.mean(means, axis=0), n / (2 + n) * centre, atol=0.05)
