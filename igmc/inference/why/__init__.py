"""Explanations: the ratings that a prediction depends on."""

from igmc.inference.why.explain import explain
from igmc.inference.why.explanation import ExplainedEdge, ExplainedNode, Explanation

__all__ = ["ExplainedEdge", "ExplainedNode", "Explanation", "explain"]
