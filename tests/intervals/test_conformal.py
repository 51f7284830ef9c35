"""The conformal quantile: the finite-sample rank, worked out by hand, and what it promises."""

import math

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.intervals.conformal import check_coverage, conformal_quantile

SCORES = np.arange(1, 20, dtype=np.float32)  # 19: the new one makes 20


@pytest.mark.parametrize(
    ("coverage", "rank"), [(0.5, 10), (0.9, 18), (0.9001, 19), (0.95, 19), (0.951, math.inf), (1e-6, 1)]
)
def test_the_rank_counts_the_new_value_among_those_measured(coverage, rank):
    assert conformal_quantile(SCORES, coverage) == rank


def test_nothing_can_be_promised_by_too_few():
    assert conformal_quantile(SCORES[:8], 0.9) == math.inf
    assert conformal_quantile(SCORES[:9], 0.9) == 9
    assert conformal_quantile(SCORES[:0], 0.5) == math.inf


def test_a_new_value_is_within_just_as_often_as_asked():
    """With 19 scores and 90 %: in 18 of 20 places, exactly; not in 17.1, as the quantile of the 19 would."""
    rng = np.random.default_rng(1)
    drawn = rng.exponential(size=(20_000, 20)).astype(np.float32)
    inside = [row[19] <= conformal_quantile(np.sort(row[:19]), 0.9) for row in drawn]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.007)


@pytest.mark.parametrize("coverage", [0, 1, -0.1, 1.5, math.nan, True, "0.9", None])
def test_a_coverage_that_is_no_probability_is_refused(coverage):
    with pytest.raises(ConfigError, match=r"coverage is out of range.*above 0 and below 1"):
        check_coverage(coverage)
    assert check_coverage(0.9) == 0.9
