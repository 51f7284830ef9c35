"""A/B tests: which arm somebody sees, what was shown, and how the arms compare."""

from igmc.experiments.allocation import NAMES, Allocation, subject_of
from igmc.experiments.answers import KINDS, SHADOW, Answer, AnswerLog, check_key, read_answers

__all__ = [
    "KINDS",
    "NAMES",
    "SHADOW",
    "Allocation",
    "Answer",
    "AnswerLog",
    "check_key",
    "read_answers",
    "subject_of",
]
