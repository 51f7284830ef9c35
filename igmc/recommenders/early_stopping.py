"""Early stopping: which epoch was best on the validation part, and how long there was none better."""

from __future__ import annotations

import math

__all__ = ["EarlyStopping"]


class EarlyStopping:
    """The best epoch so far, and whether patience is at its end.

    Args:
        patience: so many measurements without a better one make `stop` true.
        higher_is_better: whether the measure is one like NDCG, not an error like RMSE.

    Attributes:
        best_epoch: the first of equals; 0 before the first measurement.
        best_value: measured then.
    """

    def __init__(self, patience: int, *, higher_is_better: bool) -> None:
        self.patience = patience
        self._sign = 1 if higher_is_better else -1
        self.best_epoch, self.best_value, self._since = 0, -math.inf * self._sign, 0

    def update(self, epoch: int, value: float) -> bool:
        """Take a measurement; whether it is the best."""
        better = self._sign * value > self._sign * self.best_value
        if better:
            self.best_epoch, self.best_value = epoch, value
        self._since = 0 if better else self._since + 1
        return bool(better)

    @property
    def stop(self) -> bool:
        """Whether as many measurements as `patience` have come since the best."""
        return self._since >= self.patience
