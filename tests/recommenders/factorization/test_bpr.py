import numpy as np
import pytest

from igmc.recommenders.factorization.bpr import Likes, Vectors, train_pass
from igmc.rng import below, fold


def test_one_step_of_bpr_by_hand():
    users, items = np.array([[0.5, 0.0]], np.float32), np.array([[1.0, 0.2], [-1.0, 0.1]], np.float32)
    vectors = Vectors(users, items, np.ones(1, bool), np.ones(2, bool))
    likes = Likes(np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int32))
    loss = train_pass(likes, vectors, np.float32(0.1), np.float32(0.01), np.uint64(3))
    wrong = 1 / (1 + np.exp(1.1))  # s_ui - s_uj = 0.5 * (1 + 1) + 0.2 - 0.1
    assert loss == pytest.approx(np.log1p(np.exp(-1.1)), rel=1e-5)
    np.testing.assert_allclose(users, [[0.5 + 0.1 * (2 * wrong - 0.005), 0]], rtol=1e-6)
    liked = [1 + 0.1 * (0.5 * wrong - 0.01), 0.2 + 0.1 * (wrong - 0.002)]
    other = [-1 - 0.1 * (0.5 * wrong - 0.01), 0.1 - 0.1 * (wrong + 0.001)]
    np.testing.assert_allclose(items, [liked, other], rtol=1e-6)


def test_a_pass_goes_down_the_gradient_on_pairs_drawn_by_the_counter_hash():
    rng = np.random.default_rng(0)
    seen = rng.random((6, 9)) < 0.4
    user, item = np.nonzero(seen)
    ptr = np.append(0, np.cumsum(seen.sum(axis=1)))
    users, items = (rng.normal(size=(n, 4)).astype(np.float32) for n in (6, 9))
    users[:, -1] = 0
    learns_user, learns_item = rng.random(6) < 0.8, rng.random(9) < 0.8
    P, Q, losses, key = users.astype(float), items.astype(float), [], np.uint64(11)
    tries = np.arange(1, 31, dtype=np.uint64)
    for step in range(len(user)):
        step_key = fold(np.array([key]), np.array([step], np.uint64))
        e = int(below(step_key, np.zeros(1, np.uint64), np.uint64(len(user)))[0])
        u, i = user[e], item[e]
        j = next(draw for draw in below(step_key, tries, np.uint64(9)).tolist() if not seen[u, draw])
        x = P[u, :-1] @ (Q[i] - Q[j])[:-1] + Q[i, -1] - Q[j, -1]
        g, side = 1 / (1 + np.exp(x)), np.append(P[u, :-1], 1.0)
        losses.append(np.log1p(np.exp(-x)))
        d_user, d_item = g * (Q[i] - Q[j]) - 0.02 * P[u], [g * side - 0.02 * Q[i], -g * side - 0.02 * Q[j]]
        P[u, :-1] += 0.1 * d_user[:-1] * learns_user[u]
        for k, change in zip((i, j), d_item, strict=True):
            Q[k] += 0.1 * change * learns_item[k]
    likes = Likes(ptr, item.astype(np.int32), user.astype(np.int32))
    vectors = Vectors(users, items, learns_user, learns_item)
    loss = train_pass(likes, vectors, np.float32(0.1), np.float32(0.02), key)
    assert loss == pytest.approx(np.mean(losses), rel=1e-5)
    np.testing.assert_allclose(users, P, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(items, Q, rtol=1e-4, atol=1e-5)
