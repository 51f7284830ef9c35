"""The sampler draws from the distributions that it says: held against dense algebra."""

import numpy as np
import pytest
from scipy import sparse

from igmc.recommenders.factorization.gibbs import Sampler, conditional_means, prior_means
from igmc.recommenders.factorization.gibbs_kernels import solve_rows, update_links


def problem(seed=0, *, rows=3, others=7, width=4):
    rng = np.random.default_rng(seed)
    matrix = sparse.random_array((rows, others), density=0.7, rng=rng, format="csr", dtype=np.float64)
    matrix.sort_indices()
    other, expected = rng.normal(size=(others, width)), rng.normal(size=(rows, width))
    root = rng.normal(size=(width, width))
    return matrix, other, expected, root @ root.T + np.eye(width)


def dense_posterior(matrix, other, expected, precision, alpha, row):
    """Mean and covariance of one row by the textbook's formula."""
    near = matrix[[row]].indices
    design = np.column_stack([other[near, :-1], np.ones(len(near))])
    left = matrix[[row]].data - other[near, -1]
    covariance = np.linalg.inv(precision + alpha * design.T @ design)
    return covariance @ (precision @ expected[row] + alpha * design.T @ left), covariance


def test_conditional_means_are_ridge_regressions():
    matrix, other, expected, precision = problem()
    found = conditional_means(matrix, other, expected, precision, 2.5)
    for row in range(3):
        mean, _ = dense_posterior(matrix, other, expected, precision, 2.5, row)
        np.testing.assert_allclose(found[row], mean, rtol=1e-9)


def test_draws_have_the_mean_and_covariance_of_the_posterior():
    matrix, other, expected, precision = problem(1, rows=1)
    many = 40_000
    noise = np.random.default_rng(2).standard_normal((many, 4))
    ptr = np.arange(many + 1) * matrix.nnz
    near, target = np.tile(matrix.indices.astype(np.int32), many), np.tile(matrix.data, many)
    found = solve_rows(ptr, near, target, other, np.tile(expected, (many, 1)), precision, 2.5, noise)
    mean, covariance = dense_posterior(matrix, other, expected, precision, 2.5, 0)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.02)


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


def test_links_are_drawn_one_by_one_given_the_others():
    matrix, _, _, _ = problem(6, rows=5, others=4)
    rng = np.random.default_rng(7)
    ptr, near = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32)
    turned = sparse.csr_array(matrix.T)
    turned.sort_indices()
    weight = 1 / np.sqrt(np.maximum(np.diff(ptr), 1))
    theta, links, noise = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    design = weight[:, None] * (matrix.toarray() != 0)
    expected = links.copy()
    for j in range(4):
        others = theta - design @ expected + np.outer(design[:, j], expected[j])
        scale = 1 / (1.7 + design[:, j] @ design[:, j])
        expected[j] = scale * design[:, j] @ others + np.sqrt(scale) * noise[j]
    left = theta - (prior_means(ptr, near, np.zeros(3), links))
    update_links(
        turned.indptr.astype(np.int64), turned.indices.astype(np.int32), weight, left, links, 1.7, noise
    )
    np.testing.assert_allclose(links, expected, rtol=1e-9)
    np.testing.assert_allclose(left, theta - design @ expected, atol=1e-12)
