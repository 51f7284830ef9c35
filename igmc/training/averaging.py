"""Averages of weights over training steps, which predict better than the last weights."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["WeightAverage"]


class WeightAverage:
    """The exponential moving average of some tensors, young at first: the mean of k steps until k is large.

    Args:
        source, average: parameters in training, and where their average goes; equal at first.
        memory: share of the average that a step leaves in place, in the long run.
    """

    def __init__(self, source: Sequence[Tensor], average: Sequence[Tensor], memory: float) -> None:
        self.source, self.average, self.memory, self.steps = list(source), list(average), memory, 0

    def update(self) -> None:
        """Take in the weights after a step."""
        self.steps += 1
        kept = min(self.memory, self.steps / (self.steps + 9))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, self.source, 1.0 - kept)
