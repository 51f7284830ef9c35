"""The kernels draw from the distributions that they say: held against dense algebra."""

import numpy as np
import pytest
from scipy import sparse

from igmc.estimates.rating_rows import others_of, padded, weights_of
from igmc.estimates.sampling_kernels import CHUNK, RatingRows, solve_rows, squared_error, update_links
from tests.estimates.posterior import dense_posterior, problem

ALPHA = np.float32(2.5)


def rows_of_csr(matrix):
    return RatingRows(
        matrix.indptr.astype(np.int64), matrix.indices.astype(np.int32), matrix.data.astype(np.float32)
    )


def solved(ratings, other, expected, precision, noise=None):
    n, width = expected.shape
    out = padded(np.zeros((n, width)), width)
    prior = padded(expected @ precision, width)
    noise = padded(np.zeros((n, width)) if noise is None else noise, width)
    others = others_of(padded(other, width), width - 1)
    solve_rows(ratings, others, prior, precision.astype(np.float32), ALPHA, noise, 0, n, out)
    assert not out[:, width:].any()
    return out[:, :width]


def test_draws_have_the_mean_and_covariance_of_the_posterior():
    matrix, other, expected, precision = problem(1, rows=1)
    many = 40_000
    noise = np.random.default_rng(2).standard_normal((many, 4))
    ptr = np.arange(many + 1) * matrix.nnz
    near, target = np.tile(matrix.indices.astype(np.int32), many), np.tile(matrix.data, many)
    ratings = RatingRows(ptr, near, target.astype(np.float32))
    found = solved(ratings, other, np.tile(expected, (many, 1)), precision, noise)
    mean, covariance = dense_posterior(matrix, other, expected, precision, ALPHA, 0)
    np.testing.assert_allclose(found.mean(axis=0), mean, atol=0.02)
    np.testing.assert_allclose(np.cov(found.T), covariance, atol=0.02)


@pytest.mark.parametrize("width", [2, 9, 12, 18])
def test_without_noise_draws_are_ridge_regressions(width):
    # More ratings than are gathered at a time, numbers of factors around a register's, rows that fill none.
    matrix, other, expected, precision = problem(2, rows=11, others=2 * CHUNK, width=width)
    found = solved(rows_of_csr(matrix), other, expected, precision)
    for row in range(11):
        mean, _ = dense_posterior(matrix, other, expected, precision, float(ALPHA), row)
        np.testing.assert_allclose(found[row], mean, rtol=2e-3, atol=2e-3)


def test_a_row_without_ratings_has_its_prior_mean():
    _, other, expected, precision = problem()
    none = RatingRows(np.zeros(4, np.int64), np.empty(0, np.int32), np.empty(0, np.float32))
    np.testing.assert_allclose(solved(none, other, expected, precision), expected, rtol=1e-4, atol=1e-5)


def test_links_are_drawn_one_by_one_given_the_others():
    matrix, _, _, _ = problem(6, rows=5, others=4)
    rng = np.random.default_rng(7)
    turned = sparse.csr_array(matrix.T)
    turned.sort_indices()
    weight = weights_of(matrix.indptr)
    theta, links, noise = rng.normal(size=(5, 3)), rng.normal(size=(4, 3)), rng.normal(size=(4, 3))
    design = weight[:, None] * (matrix.toarray() != 0)
    expected = links.copy()
    for j in range(4):
        others = theta - design @ expected + np.outer(design[:, j], expected[j])
        scale = 1 / (1.7 + design[:, j] @ design[:, j])
        expected[j] = scale * design[:, j] @ others + np.sqrt(scale) * noise[j]
    left, found = padded(theta - design @ links, 3), padded(links, 3)
    by_column, squares = rows_of_csr(turned), (design**2).sum(axis=0).astype(np.float32)
    update_links(
        by_column.ptr, by_column.near, weight, squares, left, found, np.float32(1.7), padded(noise, 3)
    )
    np.testing.assert_allclose(found[:, :3], expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(left[:, :3], theta - design @ expected, atol=1e-5)


def test_squared_error():
    matrix, other, own, _ = problem(9, rows=5, others=30, width=11)
    sides = others_of(padded(own, 11), 10), others_of(padded(other, 11), 10)
    dense = own[:, :-1] @ other[:, :-1].T + own[:, -1:] + other[:, -1]
    expected = np.sum((matrix.toarray() - dense)[1:4][matrix.toarray()[1:4] != 0] ** 2)
    assert squared_error(rows_of_csr(matrix), *sides, 1, 4) == pytest.approx(expected, rel=1e-5)
