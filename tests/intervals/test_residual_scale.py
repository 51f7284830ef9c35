"""The size of residuals, read off inputs: it finds what was put in, and keeps its head beyond it."""

import numpy as np
import pytest

from igmc.intervals.residual_scale import ResidualScale


def drawn(n=6000, seed=1):
    """Residuals whose log variance is 0.4 + 1.2 a - 0.6 b, and a third input that says nothing."""
    rng = np.random.default_rng(seed)
    inputs = rng.normal(size=(n, 3)).astype(np.float32)
    scale = np.exp((0.4 + inputs @ np.array([1.2, -0.6, 0.0])) / 2)
    return inputs, (scale * rng.normal(size=n)).astype(np.float32), scale


def test_it_finds_the_scale_of_residuals():
    inputs, residual, scale = drawn()
    found = ResidualScale.fit(inputs, residual).of(inputs)
    assert np.std(np.log(found / scale)) < 0.05
    assert np.mean(np.log(found / scale)) == pytest.approx(0.0, abs=0.03)


def test_an_input_that_never_changes_counts_for_nothing():
    inputs, residual, _ = drawn()
    inputs[:, 2] = 7.0
    model = ResidualScale.fit(inputs, residual)
    other = inputs.copy()
    other[:, 2] = -1e6
    np.testing.assert_array_equal(model.of(other), model.of(inputs))


def test_it_says_no_more_than_was_seen_of_inputs_far_away():
    inputs, residual, _ = drawn()
    model = ResidualScale.fit(inputs, residual)
    seen = model.of(inputs)
    far = model.of(np.array([[1e6, -1e6, 0], [-1e6, 1e6, 0]], np.float32))
    assert far.tolist() == pytest.approx([seen.max(), seen.min()])


@pytest.mark.parametrize("n", [0, 1, 3])
def test_few_residuals_say_little(n):
    inputs, residual, _ = drawn()
    found = ResidualScale.fit(inputs[:n], residual[:n]).of(inputs)
    assert np.isfinite(found).all()
    assert (found > 0).all()
    assert found.max() / found.min() < 2


def test_residuals_of_zero_and_outliers_leave_it_finite():
    inputs, residual, _ = drawn(300)
    for values in (np.zeros_like(residual), np.where(np.arange(300) == 7, 1e4, residual)):
        found = ResidualScale.fit(inputs, values.astype(np.float32)).of(inputs)
        assert np.isfinite(found).all()
        assert (found >= 0).all()


def test_the_state_brings_it_back_to_the_bit():
    inputs, residual, _ = drawn(500)
    model = ResidualScale.fit(inputs, residual)
    np.testing.assert_array_equal(ResidualScale.from_state(model.state()).of(inputs), model.of(inputs))
