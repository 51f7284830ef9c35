import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.evaluation.metrics.errors import Scores, mae, mean_error, rmse, score

PREDICTED = st.floats(-10, 20)
TRUE = st.floats(1, 5)


def test_known_answers():
    assert rmse([3.0, 3.0, 3.0, 3.0], [1, 2, 4, 5]) == pytest.approx(2.5**0.5)
    assert mae([3.0, 3.0, 3.0, 3.0], [1, 2, 4, 5]) == 1.5
    assert rmse([2.0], [2.0]) == mae([2.0], [2.0]) == 0.0
    assert mean_error([2.0, 2.0, 2.0], [1, 2, 6]) == -1.0
    assert mean_error([5.0, 5.0], [1, 2]) == 3.5


def test_scores_with_and_without_clipping():
    assert score([0.0, 9.0, 3.0], [1.0, 5.0, 3.0], 1.0, 5.0) == Scores(
        rmse=pytest.approx((17 / 3) ** 0.5),
        mae=pytest.approx(5 / 3),
        rmse_clipped=0.0,
        mae_clipped=0.0,
        mean_error=1.0,
    )
    assert score([0.0], [3.0], 1.0, 5.0) == Scores(3.0, 3.0, 2.0, 2.0, -3.0)


def test_the_sign_of_a_mean_error_is_shown_and_a_dash_where_there_is_none():
    shown = [Scores(1.0, 1.0, 1.0, 1.0, error).signed_mean_error for error in (0.25, -0.38604, None)]
    assert shown == ["+0.2500", "-0.3860", "-"]


def test_float32_predictions_are_measured_in_float64():
    predicted = np.full(10**6, 0.1, np.float32)
    assert rmse(predicted, np.zeros(10**6)) == pytest.approx(float(np.float32(0.1)), rel=1e-12)


@given(st.lists(st.tuples(PREDICTED, TRUE), min_size=1, max_size=30))
def test_bounds_that_hold_for_any_predictions(rows):
    predicted, true = np.array(rows).T
    scores = score(predicted, true, 1.0, 5.0)
    slack = 1 + 1e-9
    assert scores.mae <= scores.rmse * slack
    assert scores.rmse <= np.max(np.abs(predicted - true)) * slack
    assert scores.rmse_clipped <= scores.rmse * slack, "the truth is on the scale"
    assert scores.mae_clipped <= scores.mae * slack
    assert abs(scores.mean_error) <= scores.mae * slack
    assert scores.rmse_clipped <= 4.0 * slack
    assert rmse(true, predicted) == scores.rmse
    assert rmse(predicted + 7.0, true + 7.0) == pytest.approx(scores.rmse, abs=1e-9)


@pytest.mark.parametrize("measure", [rmse, mae, mean_error, lambda p, t: score(p, t, 1, 5)])
def test_bad_input_is_refused(measure):
    with pytest.raises(DataError, match=r"differ in shape; got \(2,\); allowed: \(3,\)"):
        measure([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(DataError, match=r"differ in shape; got \(1, 2\)"):
        measure([[1.0, 2.0]], [[1.0, 2.0]])
    with pytest.raises(DataError, match="no predictions to score"):
        measure([], [])
    for bad in (np.nan, np.inf):
        with pytest.raises(DataError, match="not a finite number"):
            measure([1.0, bad], [1.0, 2.0])
        with pytest.raises(DataError, match="not a finite number"):
            measure([1.0, 2.0], [1.0, bad])
