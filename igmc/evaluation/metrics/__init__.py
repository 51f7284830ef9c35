"""Metrics: errors of ratings, order of lists, and their intervals."""

from igmc.evaluation.metrics.coverage import interval_summary, known_counts
from igmc.evaluation.metrics.errors import PerUser, Scores, mean_error, score
from igmc.evaluation.metrics.errors_by import calibration, errors_by_activity, per_user_errors
from igmc.evaluation.metrics.intervals import (
    Comparison,
    Interval,
    bootstrap_interval,
    paired_test,
    sums_interval,
)
from igmc.evaluation.metrics.opposites import SIDE, draw_opposites, opposite_overlap
from igmc.evaluation.metrics.ranking import MAX_RATING, evaluate_ranking, ranking_metrics, rated_ndcg
from igmc.evaluation.metrics.top_k import checked_lengths, rank_items

__all__ = [
    "MAX_RATING",
    "SIDE",
    "Comparison",
    "Interval",
    "PerUser",
    "Scores",
    "bootstrap_interval",
    "calibration",
    "checked_lengths",
    "draw_opposites",
    "errors_by_activity",
    "evaluate_ranking",
    "interval_summary",
    "known_counts",
    "mean_error",
    "opposite_overlap",
    "paired_test",
    "per_user_errors",
    "rank_items",
    "ranking_metrics",
    "rated_ndcg",
    "score",
    "sums_interval",
]
