"""The search for settings, on validation ratings."""

from igmc.evaluation.tuning.study import tune
from igmc.evaluation.tuning.trials import TuningResult, shown

__all__ = ["TuningResult", "shown", "tune"]
