import numpy as np

from igmc.recommenders.linear.item_weights import largest_by_row


def test_the_largest_of_each_row_are_kept_and_nothing_below_zero():
    matrix = np.array([[3, 1, 2, 2], [0, -1, 0, 0], [-5, 4, 0, 1]], np.float32)
    kept = largest_by_row(matrix, 2)
    np.testing.assert_array_equal(kept.toarray(), [[3, 0, 2, 0], [0, 0, 0, 0], [0, 4, 0, 1]])
    assert kept.nnz == 4
    assert kept.dtype == np.float32
    assert kept.has_sorted_indices


def test_more_than_there_are_keeps_all():
    matrix = np.array([[3, 1], [2, 5]], np.float32)
    np.testing.assert_array_equal(largest_by_row(matrix, 100).toarray(), matrix)
