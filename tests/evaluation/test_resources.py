import time

import numpy as np

from igmc.evaluation.resources import ResourceUsage


def test_time_and_memory_of_a_block():
    with ResourceUsage() as resources:
        held = np.ones(200_000_000, np.uint8)  # far more than what earlier tests may give back meanwhile
        time.sleep(0.05)
    assert resources.seconds >= 0.05
    if resources.peak_bytes is not None:
        assert 100_000_000 < resources.peak_bytes < 400_000_000
    assert held.size


def test_an_error_passes_and_is_measured_too():
    resources = ResourceUsage()
    try:
        with resources:
            raise KeyError("x")
    except KeyError:
        pass
    assert resources.seconds > 0
