"""Evaluation: any models on any data sets, protocols and seeds, to one report."""

from igmc.evaluation.harness import evaluate
from igmc.evaluation.model_spec import ModelSpec
from igmc.evaluation.report import EvaluationReport
from igmc.evaluation.tables import markdown
from igmc.evaluation.validation import check_metrics, metric_names

__all__ = ["EvaluationReport", "ModelSpec", "check_metrics", "evaluate", "markdown", "metric_names"]
