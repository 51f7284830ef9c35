import numpy as np
import pytest

from igmc.recommenders.stopping import Best, validation_ndcg
from tests.recommenders.boards import data_of, ratings


def test_the_best_epoch_is_the_first_of_equals_and_patience_counts_from_it():
    best = Best(2, 1)
    assert [best.update(epoch, value) for epoch, value in enumerate([3, 5, 5], 1)] == [True, True, False]
    assert (best.epoch, best.value, best.stale) == (2, 5, False)
    assert not best.update(4, 4)
    assert best.stale
    assert best.update(5, 6)
    assert not best.stale


def test_less_can_be_better():
    best = Best(1, -1)
    assert [best.update(epoch, value) for epoch, value in enumerate([3, 2, 4], 1)] == [True, True, False]
    assert (best.epoch, best.stale) == (2, True)


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
