"""Rankers of runs are made quickly here; `tests.inference.test_relevance` makes them as users get them."""

import pytest


@pytest.fixture(scope="module", autouse=True)
def brief(brief_training):
    """How good lists are is not the point here."""
