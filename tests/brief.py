"""What many trainings do and few tests are about, cut short.

A module that asks for the fixture `brief_training` gets estimates of few draws after few sweeps, and a ranker
of the run that is trained once on little. Processes that a test starts do the usual work.
"""

import contextlib

import pytest

from igmc import run
from igmc.config import RankerConfig
from igmc.inference import relevance
from igmc.loading import ESTIMATORS

USUAL_CURVES = run.save_curves
FEW_DRAWS = {"burn_in": 6, "draws": 4, "thin": 1}  # 10 sweeps instead of 104


class QuickRanker(RankerConfig):
    """The least to learn from."""

    def __init__(self, **given):
        super().__init__(**{"folds": 1, "epochs": 1, "members": 1} | given)


@contextlib.contextmanager
def brief():
    with pytest.MonkeyPatch.context() as patch:
        for name, settings in ESTIMATORS.items():
            patch.setitem(ESTIMATORS, name, settings | FEW_DRAWS)
        patch.setattr(relevance, "RankerConfig", QuickRanker)
        patch.setattr(relevance, "JUDGES", 40)  # of the weight in the blend
        yield
