import numpy as np
import pytest

from igmc.evaluation.metrics.errors import rmse
from igmc.run_references import reference_predictions
from tests.evaluation.splits import make_split, random_rows

#                 user, item, rating
TRAIN = [(0, 0, 5), (0, 1, 3), (1, 0, 4), (2, 1, 1)]
VALIDATION = [(1, 1, 2)]
TEST = [(0, 2, 5), (1, 2, 1), (2, 0, 3), (3, 0, 3), (3, 2, 3)]  # user 3 and item 2 have no other ratings


def test_means_by_hand():
    predicted = reference_predictions(make_split(TRAIN, VALIDATION, TEST))
    mean = (5 + 3 + 4 + 1 + 2) / 5  # validation ratings are known when the test is scored
    np.testing.assert_allclose(predicted["global mean"], [mean] * 5)
    np.testing.assert_allclose(predicted["user mean"], [4, 3, 1, mean, mean])
    np.testing.assert_allclose(predicted["item mean"], [mean, mean, 4.5, 4.5, mean])
    np.testing.assert_allclose(
        predicted["(user mean + item mean) / 2"],
        [(4 + mean) / 2, (3 + mean) / 2, 2.75, (mean + 4.5) / 2, mean],
    )
    assert list(predicted)[-1] == "regularized biases"
    assert predicted["regularized biases"][-1] == pytest.approx(mean)
    assert all(p.dtype == np.float32 for p in predicted.values())


def test_biases_beat_the_means_where_there_are_biases():
    rows = random_rows(4, users=40, items=30)
    split = make_split(rows[:-150], rows[-150:-75], rows[-75:], users=40, items=30)
    true = split.pairs(split.test).rating
    errors = {name: rmse(p, true) for name, p in reference_predictions(split).items()}
    assert min(errors, key=errors.__getitem__) == "regularized biases"
    assert max(errors, key=errors.__getitem__) == "global mean"


@pytest.mark.parametrize("validation", [[], VALIDATION])
def test_no_reference_looks_at_a_test_rating(validation):
    poisoned = [(user, item, 6 - rating if rating != 3 else 1) for user, item, rating in TEST]
    honest, cheated = (
        reference_predictions(make_split(TRAIN, validation, test)) for test in (TEST, poisoned)
    )
    for name, predicted in honest.items():
        np.testing.assert_array_equal(predicted, cheated[name], err_msg=name)
