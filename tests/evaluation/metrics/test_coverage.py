"""Coverage and width of intervals, counted by hand."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.evaluation.metrics.coverage import coverage_by_activity, interval_coverage, interval_summary
from tests.evaluation.splits import make_split

LOW, HIGH, TRUE = [1.0, 2.0, 3.0, 1.0], [2.0, 4.0, 3.5, 5.0], [2.0, 4.5, 3.0, 1.0]


def test_bounds_belong_to_the_interval():
    found = interval_coverage(LOW, HIGH, TRUE)
    assert (found.pairs, found.coverage, found.width) == (4, 0.75, (1 + 2 + 0.5 + 4) / 4)


def test_by_activity_each_pair_is_in_one_bucket():
    found = coverage_by_activity([0, 1, 1, 2], LOW, HIGH, TRUE, [0, 4, 200])
    assert {label: (one.pairs, one.coverage) for label, one in found.items()} == {
        "0": (1, 1.0),
        "1-4": (2, 0.5),
        "100+": (1, 1.0),
    }


@pytest.mark.parametrize(
    ("low", "high", "true"), [([], [], []), ([1], [2], [1, 2]), ([3], [2], [3]), ([1], [2], [np.nan])]
)
def test_what_is_no_interval_is_refused(low, high, true):
    with pytest.raises(DataError):
        interval_coverage(low, high, true)


def test_a_summary_counts_known_ratings_and_stays_within_the_scale():
    """Of user 0 two ratings are known, of user 1 none; items 0 and 1 have one each."""
    split = make_split([(0, 0, 1), (0, 1, 5)], [], [(0, 2, 3), (1, 0, 5)], users=2, items=3)
    found = interval_summary(split, np.array([[2.0, -9.0], [4.0, 9.0]], np.float32), coverage=0.8)
    assert (found["asked"], found["pairs"], found["coverage"], found["width"]) == (0.8, 2, 1.0, 3.0)
    assert [(one["label"], one["width"]) for one in found["by_user_activity"]] == [("0", 4.0), ("1-4", 2.0)]
    assert [one["label"] for one in found["by_item_activity"]] == ["0", "1-4"]
