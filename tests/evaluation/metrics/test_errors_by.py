import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.evaluation.metrics.errors import mae, rmse
from igmc.evaluation.metrics.errors_by import (
    ActivityErrors,
    CalibrationBin,
    calibration,
    calibration_error,
    errors_by_activity,
    per_user_errors,
)

ROWS = st.lists(st.tuples(st.integers(0, 4), st.floats(-3, 8), st.integers(1, 5)), min_size=1, max_size=30)


def test_errors_of_users_known_answers():
    found = per_user_errors([7, 2, 7, 7], [3.0, 5.0, 1.0, 2.0], [3.0, 1.0, 3.0, 4.0])
    assert found.users.dtype == np.int32
    assert found.users.tolist() == [2, 7]
    assert found.per_user["user_mae"].tolist() == pytest.approx([4, 4 / 3])
    assert found.per_user["user_rmse"].tolist() == pytest.approx([4, (8 / 3) ** 0.5])
    assert found.means()["user_mae"] == pytest.approx(8 / 3)


@given(ROWS)
def test_errors_of_users_equal_those_of_each_alone_and_weighted_give_those_of_all(rows):
    user, predicted, true = (np.array(column) for column in zip(*rows, strict=True))
    found = per_user_errors(user, predicted, true)
    for number, one in enumerate(found.users):
        own = user == one
        assert found.per_user["user_rmse"][number] == pytest.approx(rmse(predicted[own], true[own]))
        assert found.per_user["user_mae"][number] == pytest.approx(mae(predicted[own], true[own]))
    pairs = np.bincount(user)[found.users]
    whole = np.sqrt(np.average(found.per_user["user_rmse"] ** 2, weights=pairs))
    assert whole == pytest.approx(rmse(predicted, true))


def test_buckets_of_activity_begin_and_end_where_they_say():
    counts = np.array([0, 1, 4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 10**6])
    found = errors_by_activity(np.arange(13), np.full(13, 3.0), np.full(13, 1.0), counts)
    assert [one.label for one in found] == ["0", "1-4", "5-9", "10-19", "20-49", "50-99", "100+"]
    assert [one.pairs for one in found] == [1, 2, 2, 2, 2, 2, 2]
    assert {(one.rmse, one.mae) for one in found} == {(2.0, 2.0)}


def test_errors_by_activity_known_answers_without_empty_buckets():
    found = errors_by_activity([1, 0, 1, 3], [1, 2, 5, 4], [1, 4, 2, 3], [60, 3, 0, 4])
    assert found == (
        ActivityErrors(1, 4, 3, pytest.approx((10 / 3) ** 0.5), pytest.approx(4 / 3)),
        ActivityErrors(50, 99, 1, 2.0, 2.0),
    )


@given(ROWS, st.lists(st.integers(0, 300), min_size=5, max_size=5))
def test_the_buckets_hold_all_errors_once(rows, counts):
    index, predicted, true = (np.array(column) for column in zip(*rows, strict=True))
    found = errors_by_activity(index, predicted, true, counts)
    assert sum(one.pairs for one in found) == len(rows)
    squares = sum(one.pairs * one.rmse**2 for one in found)
    assert np.sqrt(squares / len(rows)) == pytest.approx(rmse(predicted, true))
    for one in found:
        assert all(one.mae <= one.rmse * (1 + 1e-9) for one in found)
        inside = [one.low <= count and (one.high is None or count <= one.high) for count in counts]
        assert np.isin(index, np.flatnonzero(inside)).sum() == one.pairs


def test_calibration_known_answers():
    found = calibration([0.2, 1.4, 1.5, 2.4, 9.0], [1, 2, 2, 4, 5], [1, 2, 3, 5])
    assert found == (
        CalibrationBin(1, 2, pytest.approx(0.8), 1.5),
        CalibrationBin(2, 2, pytest.approx(1.95), 3),
        CalibrationBin(5, 1, 9, 5),
    )
    assert calibration_error(found) == pytest.approx((2 * 0.7 + 2 * 1.05 + 4) / 5)
    assert calibration([7.0], [4.0], [3.0]) == (CalibrationBin(3.0, 1, 7.0, 4.0),)


def test_means_of_what_was_given_are_calibrated_and_shrunk_ones_are_not():
    generator = np.random.default_rng(3)
    expected = generator.uniform(1, 5, 20_000)
    true = expected + generator.normal(0, 1, 20_000)
    levels = [1, 2, 3, 4, 5]
    assert calibration_error(calibration(expected, true, levels)) < 0.05
    shrunk = 3 + (expected - 3) / 2
    found = calibration(shrunk, true, levels)
    # Half of them are put to 3, where all is well; at 2 and 4 the means are 2.25 and 1.5, 3.75 and 4.5.
    assert calibration_error(found) == pytest.approx(0.75 / 2, abs=0.03)
    assert found[0].predicted > found[0].true, "low ratings are lower than was said"
    assert found[-1].predicted < found[-1].true


def test_errors_that_belong_to_nobody_are_refused():
    with pytest.raises(DataError, match=r"indices and .* differ in shape; got \(1,\); allowed: \(2,\)"):
        per_user_errors([0], [1, 2], [1, 2])
    for index in ([0, -1], [0.0, 1.0]):
        with pytest.raises(DataError, match="indices are not whole numbers, 0 or more"):
            per_user_errors(index, [1, 2], [1, 2])
        with pytest.raises(DataError, match="indices are not whole numbers, 0 or more"):
            errors_by_activity(index, [1, 2], [1, 2], [1, 1])
    with pytest.raises(DataError, match=r"no number of training ratings; got 2; allowed: 0\.\.1"):
        errors_by_activity([0, 2], [1, 2], [1, 2], [1, 1])
    for counts in ([-1, 0], [0.5, 1], [[1, 2]]):
        with pytest.raises(DataError, match="numbers of training ratings must be a list of whole numbers"):
            errors_by_activity([0, 1], [1, 2], [1, 2], counts)


@pytest.mark.parametrize(
    "measure",
    [
        lambda predicted, true: per_user_errors([0, 1], predicted, true),
        lambda predicted, true: errors_by_activity([0, 1], predicted, true, [1, 1]),
        lambda predicted, true: calibration(predicted, true, [1, 2]),
    ],
)
def test_bad_predictions_are_refused(measure):
    with pytest.raises(DataError, match="differ in shape"):
        measure([1, 2], [1, 2, 3])
    with pytest.raises(DataError, match="not a finite number"):
        measure([1, np.nan], [1, 2])
    with pytest.raises(DataError, match="no predictions to score"):
        measure([], [])


@pytest.mark.parametrize("levels", [[], [2, 1], [1, 1], [1, np.nan], [[1, 2]]])
def test_levels_that_are_not_ascending_are_refused(levels):
    with pytest.raises(DataError, match="levels are not a list of ratings in ascending order"):
        calibration([1.0], [1.0], levels)
