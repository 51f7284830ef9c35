"""Calibration of a network's output on held-out ratings."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["calibration"]

PRIOR_PAIRS = 50  # that the prior counts for, which says to shrink nothing


def calibration(step: NDArray[np.float32], left: NDArray[np.float32]) -> tuple[float, float]:
    """Shrinkage, 0..1, and offset by which P steps explain best what the biases leave of their ratings.

    The regression coefficient, with a prior of 1 worth 50 pairs, and then the mean error.

    Args:
        step: float32 [P]. left: float32 [P]; both in deviations.

    >>> calibration(np.zeros(0, np.float32), np.zeros(0, np.float32))
    (1.0, 0.0)
    """
    if not len(step):
        return 1.0, 0.0
    x, y = step.astype(np.float64), left.astype(np.float64)
    spread = x.var()
    slope = (len(x) * np.mean((x - x.mean()) * y) + PRIOR_PAIRS * spread) / max(
        (len(x) + PRIOR_PAIRS) * spread, 1e-12
    )
    shrinkage = float(np.clip(slope, 0.0, 1.0))
    return shrinkage, float(np.mean(y - shrinkage * x))
