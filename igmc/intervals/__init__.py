"""Intervals around predictions: residual models, calibrated by conformal prediction."""

from igmc.intervals.conformal import check_coverage, conformal_quantile
from igmc.intervals.interval_model import IntervalModel, Spread, group_of_mean
from igmc.intervals.mean_residuals import MEANS, mean_residuals
from igmc.intervals.pair_inputs import known_counts, pair_inputs
from igmc.intervals.residual_scale import ResidualScale

__all__ = [
    "MEANS",
    "IntervalModel",
    "ResidualScale",
    "Spread",
    "check_coverage",
    "conformal_quantile",
    "group_of_mean",
    "known_counts",
    "mean_residuals",
    "pair_inputs",
]
