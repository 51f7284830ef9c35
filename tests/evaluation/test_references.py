import numpy as np
import pytest

from igmc.evaluation.metrics import rmse
from igmc.evaluation.references import DAMPINGS, fit_biases, reference_predictions
from tests.evaluation.splits import make_split, random_rows

#                 user, item, rating
TRAIN = [(0, 0, 5), (0, 1, 3), (1, 0, 4), (2, 1, 1)]
VALIDATION = [(1, 1, 2)]
TEST = [(0, 2, 5), (1, 2, 1), (2, 0, 3), (3, 0, 3), (3, 2, 3)]  # user 3 and item 2 have no other ratings


def dense_ridge(split, rows, damping):
    """The same regression as one dense least-squares problem."""
    table = split.table
    users, items = len(table.users), len(table.items)
    design = np.zeros((len(rows), users + items))
    design[np.arange(len(rows)), table.user[rows]] = 1
    design[np.arange(len(rows)), users + table.item[rows]] = 1
    target = np.append(table.rating[rows] - table.rating[rows].mean(), np.zeros(users + items))
    solution = np.linalg.lstsq(np.vstack([design, damping**0.5 * np.eye(users + items)]), target, rcond=None)[
        0
    ]
    return solution[:users], solution[users:]


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
    assert all(p.dtype == np.float64 for p in predicted.values())


@pytest.mark.parametrize("damping", [1.0, 5.0, 50.0])
def test_biases_solve_the_ridge_regression(damping):
    split = make_split(random_rows(1), [], [(0, 9, 3), (12, 0, 3)])
    biases = fit_biases(split, split.train, damping)
    user, item = dense_ridge(split, split.train, damping)
    np.testing.assert_allclose(biases.user, user, atol=2e-3)
    np.testing.assert_allclose(biases.item, item, atol=2e-3)
    assert biases.user[12] == biases.item[9] == 0.0


def test_without_damping_the_biases_fit_the_known_ratings_as_well_as_any():
    split = make_split(random_rows(2), [], [])
    user, item = dense_ridge(split, split.train, 0.0)
    known = split.pairs(split.train)
    best = split.table.rating[split.train].mean() + user[known.user] + item[known.item]
    predicted = fit_biases(split, split.train, 0.0).predict(known.user, known.item)
    assert rmse(predicted, known.rating) == pytest.approx(rmse(best, known.rating), abs=1e-6)


def test_strong_damping_ends_at_the_global_mean():
    split = make_split(random_rows(3), [], [])
    biases = fit_biases(split, split.train, 1e9)
    np.testing.assert_allclose([*biases.user, *biases.item], 0.0, atol=1e-6)


def test_biases_beat_the_means_where_there_are_biases():
    rows = random_rows(4, users=40, items=30)
    split = make_split(rows[:-150], rows[-150:-75], rows[-75:], users=40, items=30)
    true = split.pairs(split.test).rating
    errors = {name: rmse(p, true) for name, p in reference_predictions(split).items()}
    assert min(errors, key=errors.__getitem__) == "regularized biases"
    assert max(errors, key=errors.__getitem__) == "global mean"


def test_damping_is_the_best_on_validation():
    rows = random_rows(5, users=30, items=20)
    split = make_split(rows[:-80], rows[-80:-40], rows[-40:], users=30, items=20)
    asked = split.pairs(split.validation)
    errors = [
        rmse(fit_biases(split, split.train, d).predict(asked.user, asked.item), asked.rating)
        for d in DAMPINGS
    ]
    best = DAMPINGS[int(np.argmin(errors))]
    test, known = split.pairs(split.test), np.concatenate([split.train, split.validation])
    np.testing.assert_array_equal(
        reference_predictions(split)["regularized biases"],
        fit_biases(split, known, best).predict(test.user, test.item),
    )


def test_without_validation_the_damping_is_5():
    rows = random_rows(6)
    split = make_split(rows[:-10], [], rows[-10:], users=12, items=9)
    test = split.pairs(split.test)
    np.testing.assert_array_equal(
        reference_predictions(split)["regularized biases"],
        fit_biases(split, split.train, 5.0).predict(test.user, test.item),
    )


@pytest.mark.parametrize("validation", [[], VALIDATION])
def test_no_reference_looks_at_a_test_rating(validation):
    poisoned = [(user, item, 6 - rating if rating != 3 else 1) for user, item, rating in TEST]
    honest, cheated = (
        reference_predictions(make_split(TRAIN, validation, test)) for test in (TEST, poisoned)
    )
    for name, predicted in honest.items():
        np.testing.assert_array_equal(predicted, cheated[name], err_msg=name)
