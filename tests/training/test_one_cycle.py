import numpy as np
import pytest

from igmc.training.one_cycle import learning_rate


def test_the_learning_rate_rises_for_a_tenth_and_falls_to_nearly_nothing():
    rates = [learning_rate(1.0, x) for x in np.linspace(0, 1, 101)]
    assert rates[0] == pytest.approx(0.04)
    assert int(np.argmax(rates)) == 10
    assert max(rates) == pytest.approx(1.0)
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[-1] == pytest.approx(1e-3)
