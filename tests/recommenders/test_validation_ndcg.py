import numpy as np
import pytest

from igmc.recommenders import validation_ndcg as module
from igmc.recommenders.validation_ndcg import validation_lists, validation_ndcg
from tests.recommenders.boards import data_of, ratings


@pytest.mark.parametrize(
    ("k", "expected"),
    [
        # User 0 sees items 1, 2, 3 (0 is in training), wants 2 and 3; user 2 sees 0, 1, 2, 3 and wants 0.
        (1, [0, 1]),
        (2, [(1 / np.log2(3)) / (1 + 1 / np.log2(3)), 1]),
        (20, [(1 / np.log2(3) + 1 / 2) / (1 + 1 / np.log2(3)), 1]),
    ],
)
def test_ndcg_of_the_validation_items_by_hand(k, expected):
    known, wanted = ratings([0, 1], [0, 1], [5, 5]), ratings([0, 0, 2], [2, 3, 0], [5, 1, 3])
    data = data_of(known, wanted, n_users=3, n_items=4)
    table = np.array([[9, 3, 2, 1], [0, 0, 0, 0], [4, 3, 2, 1]], np.float32)
    before = table.copy()
    assert validation_ndcg(lambda users: table[users], data, k) == pytest.approx(np.mean(expected))
    np.testing.assert_array_equal(table, before)


@pytest.mark.parametrize(("k", "precision", "recall"), [(1, [0, 1], [0, 1]), (2, [1 / 2, 1 / 2], [1 / 2, 1])])
def test_precision_and_recall_by_hand(k, precision, recall):
    known, wanted = ratings([0, 1], [0, 1], [5, 5]), ratings([0, 0, 2], [2, 3, 0], [5, 1, 3])
    data = data_of(known, wanted, n_users=3, n_items=4)
    table = np.array([[9, 3, 2, 1], [0, 0, 0, 0], [4, 3, 2, 1]], np.float32)
    found = validation_lists(lambda users: table[users], data, k)
    assert next(iter(found)) == "validation_ndcg", "the first decides on the epoch"
    assert found["validation_precision"] == pytest.approx(np.mean(precision))
    assert found["validation_recall"] == pytest.approx(np.mean(recall))


def test_users_are_ranked_in_chunks_and_of_many_evenly_spaced_ones(monkeypatch):
    known, wanted = ratings([0], [0], [5]), ratings(np.arange(10), np.full(10, 1), np.full(10, 5))
    data = data_of(known, wanted, n_users=10, n_items=3)
    asked = []

    def scores(users):
        asked.append(users.tolist())
        return np.tile(np.array([[0, 2, 1]], np.float32), (len(users), 1))

    monkeypatch.setattr(module, "CHUNK", 2)
    monkeypatch.setattr(module, "MOST_USERS", 4)
    assert validation_ndcg(scores, data) == pytest.approx(1.0)
    assert asked == [[0, 3], [6, 9]]
