"""Effects of side information, against dense algebra and against what was planted."""

import numpy as np

from igmc.estimates.effects import EffectSampler, correction, regressed_on
from igmc.estimates.rating_rows import rows_of
from igmc.ratings import RowFeatures


def test_effects_are_drawn_from_their_posterior():
    rng = np.random.default_rng(0)
    values = rng.normal(size=(12, 3)).astype(np.float32)
    active, left = np.arange(2, 12), rng.normal(size=(10, 2))
    root = rng.normal(size=(2, 2))
    precision = root @ root.T + np.eye(2)
    sampler = EffectSampler(RowFeatures(values, np.array([0, 0, 1])), 12, active, 2, np.random.default_rng(1))
    drawn = []
    for _ in range(20_000):
        sampler.shrink = np.array([2.0, 2.0, 5.0])
        sampler.sample(left, precision)
        drawn.append(sampler.effects)
    x = values[active].astype(float)
    inverse = np.linalg.inv(x.T @ x + np.diag([2.0, 2.0, 5.0]))
    np.testing.assert_allclose(np.mean(drawn, axis=0), inverse @ x.T @ left, atol=0.02)
    covariance = np.cov(np.reshape(drawn, (len(drawn), -1)).T)
    np.testing.assert_allclose(covariance, np.kron(inverse, np.linalg.inv(precision)), atol=0.01)


def test_blocks_that_say_nothing_are_shrunk_more():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(300, 40)).astype(np.float32)
    effects = np.zeros((40, 3))
    effects[:20] = rng.normal(size=(20, 3))
    left = values @ effects + rng.normal(size=(300, 3))
    block = np.repeat([0, 1], 20)
    sampler = EffectSampler(RowFeatures(values, block), 300, np.arange(300), 3, rng)
    shrinks = []
    for _ in range(100):
        sampler.sample(left, np.eye(3))
        shrinks.append(sampler.shrink[[0, 20]])
    one, other = np.median(shrinks[20:], axis=0)
    assert 0.5 < one < 2  # effects of variance 1 were planted
    assert other > 10 * one


def test_regression_by_weights_is_that_of_repeated_rows():
    rng = np.random.default_rng(3)
    values, target = rng.normal(size=(5, 2)).astype(np.float32), rng.normal(size=(5, 3)).astype(np.float32)
    share = np.float32([0.4, 0.3, 0.1, 0.1, 0.1])
    target -= share @ target
    effective = 1 / (share @ share)
    x = (values - share @ values) * np.sqrt(effective * share)[:, None]
    y = target * np.sqrt(effective * share)[:, None]
    expected = np.linalg.solve(x.T @ x + np.diag([1.0, 4.0]), x.T @ y)
    np.testing.assert_allclose(regressed_on(values, share, np.array([1.0, 4.0]), target), expected, rtol=1e-4)


def test_after_the_correction_ratings_have_the_right_mean():
    rng = np.random.default_rng(4)
    rows, others = rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=(9, 3)).astype(np.float32)
    row, column = (
        a.astype(np.int32) for a in np.nonzero(rng.random((6, 9)) < np.linspace(0.1, 0.9, 6)[:, None])
    )
    target = rng.normal(1.0, 1.0, len(row)).astype(np.float32)
    expected = np.zeros_like(rows)
    found = correction(rows, expected, others, rows_of(row, column, target, 6))
    np.testing.assert_allclose(found[:2], np.mean(rows[row][:, :2], axis=0), atol=1e-5)
    told = others[column][:, :2] @ found[:2] + others[column][:, 2] + found[2]
    np.testing.assert_allclose(told.mean(), target.mean(), atol=1e-5)
