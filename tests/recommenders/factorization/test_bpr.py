import numpy as np
import pytest

from igmc.recommenders.factorization.bpr import train_pass


def test_one_step_of_bpr_by_hand():
    users, items = np.array([[0.5, 0.0]], np.float32), np.array([[1.0, 0.2], [-1.0, 0.1]], np.float32)
    everything = np.ones(1, bool), np.ones(2, bool)
    seen = np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32)
    loss = train_pass(*seen, users, items, *everything, np.float32(0.1), np.float32(0.01), np.uint64(3))
    wrong = 1 / (1 + np.exp(1.1))  # s_ui - s_uj = 0.5 * (1 + 1) + 0.2 - 0.1
    assert loss == pytest.approx(np.log1p(np.exp(-1.1)), rel=1e-5)
    np.testing.assert_allclose(users, [[0.5 + 0.1 * (2 * wrong - 0.005), 0]], rtol=1e-6)
    liked = [1 + 0.1 * (0.5 * wrong - 0.01), 0.2 + 0.1 * (wrong - 0.002)]
    other = [-1 - 0.1 * (0.5 * wrong - 0.01), 0.1 - 0.1 * (wrong + 0.001)]
    np.testing.assert_allclose(items, [liked, other], rtol=1e-6)
