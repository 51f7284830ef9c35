"""What is gathered of a model on the way to its evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.evaluation.metrics import PerUser, bootstrap_interval

__all__ = ["Measures"]


@dataclass
class Measures:
    """The parts of a `igmc.evaluation.model_evaluation.ModelEvaluation` that are measured.

    Attributes:
        arrays: by the name of the attribute; all others are attributes of the same name.
    """

    metrics: dict[str, float] = field(default_factory=dict)
    intervals: dict[str, tuple[float, float]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    arrays: dict[str, Any] = field(default_factory=dict)
    per_user: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    def add(self, measured: PerUser, seed: int) -> None:
        """Take in metrics by user: their means and, of more than one user, the intervals of these."""
        self.metrics |= measured.means()
        self.per_user |= measured.per_user
        for name, values in measured.per_user.items():
            if len(values) > 1:
                interval = bootstrap_interval(values, seed=seed)
                self.intervals[name] = (interval.low, interval.high)
