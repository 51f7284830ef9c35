"""Explanations: which ratings a prediction rests on."""

from igmc.inference.why.explain import explain
from igmc.inference.why.explanation import Explanation, Node

__all__ = ["Explanation", "Node", "explain"]
