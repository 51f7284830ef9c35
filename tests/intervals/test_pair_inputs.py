"""What the size of a residual is read off: counts come back from normalized inputs, and agreement tells."""

from types import SimpleNamespace

import numpy as np
import pytest

from igmc.intervals.pair_inputs import known_counts, pair_inputs
from igmc.statistics import InputNorms

COUNTS = np.array([[0, 0], [1, 3], [10, 11], [250, 70_000]])


def rows(pair):
    return SimpleNamespace(pair=pair.astype(np.float32), base=np.full(len(pair), 4.0, np.float32))


def test_counts_come_back_from_the_inputs():
    norms = InputNorms.identity(10)
    norms.pair[:, :2] = [[3.1, 4.2], [0.7, 0.6]]
    raw = np.zeros((4, 10), np.float32)
    raw[:, :2] = (np.log1p(COUNTS) - norms.pair[0, :2]) * norms.pair[1, :2]
    user, item = known_counts(rows(raw), norms)
    assert user.tolist() == [0, 1, 10, 250]
    assert item.tolist() == pytest.approx([0, 3, 11, 70_000], rel=1e-4)


def test_members_that_differ_more_give_a_larger_input_and_the_place_on_the_scale_counts():
    steps = np.array([[0.1, 0.1, -0.5], [0.1, 0.3, 0.5]], np.float32)
    found = pair_inputs(rows(np.zeros((3, 4))), steps, steps.mean(axis=0), 3.5, 1.0)
    assert found.shape == (3, 9)
    assert found.dtype == np.float32
    level, square, own, size, apart = found[:, 4:].T
    assert level.tolist() == pytest.approx([0.6, 0.7, 0.5])
    np.testing.assert_allclose(square, level**2, rtol=1e-6)
    assert own.tolist() == pytest.approx([0.1, 0.2, 0.0])
    assert size.tolist() == pytest.approx([0.1, 0.2, 0.0])
    assert apart[0] < apart[1] < apart[2]
