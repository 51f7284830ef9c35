"""Shrinkage and offset of steps: known answers."""

import numpy as np
import pytest

from igmc.training.calibration import calibration


def test_steps_that_are_noise_are_shrunk_to_nothing_and_true_ones_are_kept():
    rng = np.random.default_rng(0)
    step, noise = rng.normal(size=(2, 5000)).astype(np.float32)
    assert calibration(step, noise)[0] < 0.05
    assert calibration(step, step + noise)[0] > 0.95
    shrinkage, offset = calibration(step, 0.5 * step + 0.25)
    assert shrinkage == pytest.approx(0.5, abs=0.01)
    assert offset == pytest.approx(0.25, abs=0.01)
    assert calibration(step[:3], -step[:3])[0] > 0.8, "three pairs say little"
