"""A/B tests: which arm somebody sees, what was shown, and how the arms compare."""

from igmc.experiments.allocation import NAMES, Allocation, subject_of
from igmc.experiments.answers import KINDS, SHADOW, Answer, AnswerLog, check_key, read_answers
from igmc.experiments.comparing import FIGURES, ArmComparison, compare_arms

__all__ = [
    "FIGURES",
    "KINDS",
    "NAMES",
    "SHADOW",
    "Allocation",
    "Answer",
    "AnswerLog",
    "ArmComparison",
    "check_key",
    "compare_arms",
    "read_answers",
    "subject_of",
]
