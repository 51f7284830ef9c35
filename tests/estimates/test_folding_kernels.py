"""Rows folded in, against dense algebra a draw at a time."""

import numpy as np

from igmc.estimates.factor_side import FactorSide
from igmc.estimates.folding_kernels import CHUNK
from igmc.estimates.lanes import from_lanes
from igmc.estimates.prior import place_in
from igmc.estimates.sampling_kernels import RatingRows
from tests.estimates.planted import fitted


def dense(estimates, near, target, s, place, share):
    """Mean and covariance of one row in draw s."""
    side, other = estimates.users, estimates.items
    tables = [
        [from_lanes(part[p], 10)[s].astype(float) for p in (place, place + 1)]
        for part in (side.prior.precision, side.prior.offset, side.prior.slope)
    ]
    precision, offset, slope = (low + share * (high - low) for low, high in tables)
    links = from_lanes(side.links, 10)[s][near].astype(float)
    expected = offset + slope @ links.sum(axis=0) / np.sqrt(len(near))
    x = from_lanes(other.known.vectors, 10)[s][near].astype(float)
    left, x[:, -1] = target - x[:, -1], 1.0
    alpha = float(from_lanes(estimates.alpha, 10)[s])
    covariance = np.linalg.inv(precision + alpha * x.T @ x)
    return covariance @ (precision @ expected + alpha * x.T @ left), covariance


def test_expected_rows_are_ridge_regressions():
    estimates = fitted()
    rng = np.random.default_rng(1)
    near = [rng.permutation(59)[:n] for n in (1, 4, 2 * CHUNK + 3)]
    target = [rng.normal(size=len(row)).astype(np.float32) for row in near]
    ptr = np.append(0, np.cumsum([len(row) for row in near]))
    ratings = RatingRows(ptr, np.concatenate(near).astype(np.int32), np.concatenate(target))
    complete = np.array([False, False, True])
    side: FactorSide = estimates.users
    found = side.expected(np.arange(3), ratings, complete, estimates.items, estimates.alpha, 1)
    vectors = from_lanes(found.vectors, 10)
    basis = from_lanes(side.axes.basis, 10)
    places, shares = place_in(side.prior, np.diff(ptr), complete)
    for row in range(3):
        variances = []
        for s in range(10):
            mean, covariance = dense(estimates, near[row], target[row], s, places[row], shares[row])
            np.testing.assert_allclose(vectors[s, row], mean, rtol=1e-3, atol=1e-3)
            variances.append(np.diag(basis[s].T @ covariance @ basis[s]))
        np.testing.assert_allclose(found.variances[row, :4], np.mean(variances, axis=0), rtol=1e-3)
        assert not found.variances[row, 4:].any()


def test_loadings_are_squares_on_the_other_sides_axes():
    estimates = fitted()
    vectors = from_lanes(estimates.items.known.vectors, 10)
    vectors[:, :, -1] = 1.0
    transform = from_lanes(estimates.users.axes.transform, 10)
    expected = np.mean(np.einsum("sck,snk->snc", transform, vectors) ** 2, axis=0)
    np.testing.assert_allclose(estimates.items.known.loadings[:, :4], expected, rtol=1e-3, atol=1e-5)
