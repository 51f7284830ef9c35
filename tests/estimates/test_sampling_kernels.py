"""The kernels draw from the distributions that they say: held against dense algebra."""

import numpy as np
from igmc.recommenders.factorization.gibbs import prior_means
from igmc.recommenders.factorization.gibbs_kernels import RatingRows, implicit_sums, solve_rows, update_links
from scipy import sparse

from tests.recommenders.factorization.posterior import dense_posterior, problem


def test_draws_have_the_mean_and_covariance_of_the_posterior():
    matrix, other, expected, precision = problem(1, rows=1)
    many = 40_000
    noise = np.random.default_rng(2).standard_normal((many, 4))
    ptr = np.arange(many + 1) * matrix.nnz
    near, target = np.tile(matrix.indices.astype(np.int32), many), np.tile(matrix.data, many)
    ratings = RatingRows(ptr, near, target)
    found = solve_rows(ratings, other, np.tile(expected, (many, 1)), precision, 2.5, noise)
    mean, covariance = dense_posterior(matrix, other, expected, precision, 2.5, 0)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.02)


def test_implicit_sums():
    matrix, links, _, _ = problem(8)
    ptr, near, weight = matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), np.array([0.5, 1, 2])
    expected = weight[:, None] * ((matrix.toarray() != 0) @ links)
    np.testing.assert_allclose(implicit_sums(ptr, near, weight, links), expected, rtol=1e-12)


def test_a_row_without_ratings_has_its_prior_mean():
    _, other, expected, precision = problem()
    none = RatingRows(np.zeros(4, np.int64), np.empty(0, np.int32), np.empty(0))
    found = solve_rows(none, other, expected, precision, 2.5, np.zeros((0, 0)))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


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
