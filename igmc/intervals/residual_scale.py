r"""How large the residual of a prediction tends to be: its standard deviation, read off the pair's inputs.

The logarithm of the variance is linear in the inputs, fitted by maximum likelihood of a normal distribution
with a ridge: with :math:`\eta = x^T \beta`, it minimizes

.. math:: \frac12 \sum_p (\eta_p + r_p^2 e^{-\eta_p}) + \frac{\lambda}{2} |\beta|^2,

which is convex, by Fisher scoring. It need not be right for intervals to hold, as these are calibrated; it
says which intervals are wide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

__all__ = ["ResidualScale"]

RIDGE = 20.0  # lambda, in pairs
STEPS = 30
FARTHEST = 4.0  # standard deviations; inputs beyond are moved there

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class ResidualScale:
    """The fitted model; see the module.

    Attributes:
        mean, unit: float64 [F], subtracted from the inputs and divided by.
        weights: float64 [F + 1], the constant first.
        low, high: bounds of the log variance: the lowest and the highest that was seen.
    """

    mean: NDArray[np.float64]
    unit: NDArray[np.float64]
    weights: NDArray[np.float64]
    low: float
    high: float

    @classmethod
    def fit(cls, inputs: Floats, residual: Floats) -> Self:
        """The model of P residuals.

        Args:
            inputs: float32 [P, F]; an input that never changes counts for nothing.
            residual: float32 [P].
        """
        x, square = inputs.astype(np.float64), residual.astype(np.float64) ** 2
        if not len(x):
            return cls(np.zeros(x.shape[1]), np.ones(x.shape[1]), np.zeros(x.shape[1] + 1), 0.0, 0.0)
        mean, unit = x.mean(axis=0), x.std(axis=0)
        unit[unit < 1e-9] = np.inf
        design = _design(x, mean, unit)
        weights = np.zeros(design.shape[1])
        weights[0] = np.log(max(square.mean(), 1e-12))
        ridge = np.full(len(weights), RIDGE)
        ridge[0] = 0.0
        inverse = np.linalg.inv(design.T @ design / 2 + np.diag(ridge))
        for _ in range(STEPS):
            ratio = square * np.exp(-np.clip(design @ weights, -30, 30))
            slope = design.T @ (1 - np.minimum(ratio, 1e6)) / 2 + ridge * weights
            step = inverse @ slope
            weights -= step / max(1.0, float(np.abs(step).max()))
        log_variance = design @ weights
        return cls(mean, unit, weights, float(log_variance.min()), float(log_variance.max()))

    def of(self, inputs: Floats) -> Floats:
        """The standard deviations of P residuals, float32 [P], above 0."""
        log_variance = _design(inputs.astype(np.float64), self.mean, self.unit) @ self.weights
        found: Floats = np.exp(np.clip(log_variance, self.low, self.high) / 2).astype(np.float32)
        return found

    def state(self) -> dict[str, Any]:
        """As plain arrays and numbers; `from_state` is the way back."""
        return dict(vars(self))

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self:
        """What `state` gave."""
        mean, unit, weights = (np.asarray(state[name], np.float64) for name in ("mean", "unit", "weights"))
        return cls(mean, unit, weights, float(state["low"]), float(state["high"]))


def _design(x: NDArray[np.float64], mean: NDArray[np.float64], unit: NDArray[np.float64]) -> Any:
    scaled = np.clip((x - mean) / unit, -FARTHEST, FARTHEST)
    return np.concatenate([np.ones((len(x), 1)), scaled], axis=1)
