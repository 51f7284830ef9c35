"""Systems in lanes, against NumPy."""

import numpy as np

from igmc.compiled import kernel
from igmc.estimates.solving import back_substitute, factorize, forward_substitute


@kernel
def _solve(A, b, width):
    factorize(A, width)
    forward_substitute(A, b, width)
    back_substitute(A, b, width)


def test_each_lane_solves_its_own_system():
    rng, width = np.random.default_rng(0), 9
    roots = rng.normal(size=(8, width, width))
    matrices, right = roots @ roots.transpose(0, 2, 1) + np.eye(width), rng.normal(size=(8, width))
    A = np.ascontiguousarray(np.tril(matrices).reshape(8, -1).T.astype(np.float32))
    b = np.ascontiguousarray(right.T.astype(np.float32))
    _solve(A, b, width)
    np.testing.assert_allclose(b.T, np.linalg.solve(matrices, right[..., None])[..., 0], rtol=1e-3, atol=1e-4)


def test_a_matrix_that_rounding_has_made_singular_gives_finite_numbers():
    A, b = np.ones((4, 8), np.float32), np.ones((2, 8), np.float32)
    _solve(A, b, 2)
    assert np.isfinite(b).all()
