import numpy as np

from igmc.estimates.lanes import to_lanes
from igmc.estimates.pair_kernels import SideRows, pair_moments
from igmc.estimates.rating_rows import padded


def test_moments_of_pairs():
    rng, draws, width = np.random.default_rng(0), 11, 10
    left, right = rng.normal(size=(draws, 4, width)), rng.normal(size=(draws, 5, width))
    sides, variances, loadings = [], [], []
    for vectors in (left, right):
        variances.append(rng.random((vectors.shape[1], width)))
        loadings.append(rng.random((vectors.shape[1], width)))
        sides.append(SideRows(to_lanes(vectors), padded(variances[-1], width), padded(loadings[-1], width)))
    user, item = np.array([3, 0, 2]), np.array([1, 4, 0])
    mean, variance = np.empty((2, 3), np.float32)
    pair_moments(user, item, *sides, draws, mean, variance)
    products = np.einsum("spk,spk->sp", left[:, user, :-1], right[:, item, :-1])
    products += left[:, user, -1] + right[:, item, -1]
    np.testing.assert_allclose(mean, products.mean(axis=0), rtol=1e-4, atol=1e-5)
    expected = products.var(axis=0) + np.einsum("pk,pk->p", variances[0][user], loadings[1][item])
    expected += np.einsum("pk,pk->p", variances[1][item], loadings[0][user])
    np.testing.assert_allclose(variance, expected, rtol=1e-4)
