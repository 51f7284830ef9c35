"""The learning rate of a training, by how much of it is done."""

from __future__ import annotations

import math

__all__ = ["WARM_UP", "learning_rate"]

WARM_UP = 0.1  # share of the training in which the learning rate rises
FIRST_RATE, LAST_RATE = 0.04, 1e-3  # shares of the learning rate, at the start and at the end


def learning_rate(highest: float, progress: float) -> float:
    """One cycle: up on a cosine in the first tenth of the training, then down on one.

    Args:
        highest: reached at a tenth.
        progress: share of the training that is done, 0..1.
    """
    if progress < WARM_UP:
        return highest * (FIRST_RATE + (1 - FIRST_RATE) * (1 - math.cos(math.pi * progress / WARM_UP)) / 2)
    fall = (1 + math.cos(math.pi * (progress - WARM_UP) / (1 - WARM_UP))) / 2
    return highest * max(fall, LAST_RATE)
