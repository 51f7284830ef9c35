import numpy as np
import pytest
from scipy import sparse

from igmc.recommenders.knn.kernels import (
    COSINE,
    PEARSON,
    PHI,
    Neighbours,
    similar_rows,
    weigh_pairs,
    weigh_row,
)
from igmc.recommenders.knn.knn_recommender import sparse_rows


def parts(table):
    """A table, whose zeros are not stored, by rows and by columns."""
    rows = sparse.csr_array(np.array(table, np.float64))
    columns = sparse.csr_array(rows.T)
    columns.sort_indices()
    return sparse_rows(rows), sparse_rows(columns)


def similar(table, kind, *, shrinkage=0.0, kept=3):
    rows, columns = parts(table)
    return similar_rows(np.arange(len(table)), rows, columns, kind, shrinkage, kept)


def test_cosines_over_all_columns_and_correlations_over_common_ones():
    table = [[1, 2, 0], [2, 4, 3], [0, 0, 5]]
    near, weight = similar(table, COSINE)
    assert near.tolist() == [[1, -1, -1], [0, 2, -1], [1, -1, -1]]
    norm = 29**0.5
    np.testing.assert_allclose(weight[1, :2], [10 / (5**0.5 * norm), 15 / (5 * norm)], rtol=1e-6)
    _, weight = similar(table, PEARSON)
    np.testing.assert_allclose(weight[0, 0], 1.0, rtol=1e-6, err_msg="column 2 is not common")


def test_phi_is_the_correlation_of_what_is_stored():
    table = [[1, 7, 0, 0], [3, 2, 0, 0], [1, 1, 1, 0], [1, 0, 1, 0]]
    near, weight = similar(table, PHI)
    stored = np.corrcoef(np.array(table) != 0)
    assert near[0].tolist() == [1, 2, -1], "rows 0 and 3 are independent"
    np.testing.assert_allclose(weight[0, :2], stored[0, [1, 2]], rtol=1e-6)


def test_few_common_columns_count_less():
    table = [[1, 1, 1], [1, 1, 1], [1, 0, 0]]
    _, weight = similar(table, PEARSON, shrinkage=2.0)
    np.testing.assert_allclose(weight[0, :2], [3 / 5, 1 / 3], rtol=1e-6)


def test_negative_similarities_are_left_out():
    near, weight = similar([[1, -1], [-1, 1], [2, -2]], PEARSON)
    assert near.tolist() == [[2, -1, -1], [-1, -1, -1], [0, -1, -1]]
    assert not weight[1].any()


def test_of_equal_ones_the_first_are_kept():
    near, _ = similar([[1, 1]] * 4, COSINE, kept=2)
    assert near.tolist() == [[1, 2], [0, 2], [0, 1], [0, 1]]


def test_sums_are_over_the_nearest_that_have_the_column():
    rows, columns = parts([[0, 0], [0, 4], [2, 5], [3, 0]])
    near, weight = np.full((4, 3), -1, np.int32), np.zeros((4, 3), np.float32)
    near[0], weight[0] = [1, 2, 3], [3, 2, 1]
    pairs = np.zeros(2, np.int64), np.array([0, 1])
    for most, totals, weights in ((1, [4, 12], [2, 3]), (2, [7, 22], [3, 5])):
        found = weigh_pairs(*pairs, Neighbours(near, weight), columns, most)
        np.testing.assert_array_equal(found, [totals, weights])
        np.testing.assert_array_equal(
            weigh_row(Neighbours(near[0], weight[0]), rows, 2, most), [totals, weights]
        )


@pytest.mark.parametrize("most", [1, 3])
def test_pairs_and_whole_rows_are_weighed_alike(most):
    rng = np.random.default_rng(0)
    table = rng.integers(1, 6, (9, 7)) * (rng.random((9, 7)) < 0.5)
    rows, columns = parts(table)
    near, weight = similar(table, COSINE, kept=5)
    neighbours = Neighbours(near, weight)
    row, column = np.tile(np.arange(9), 7), np.repeat(np.arange(7), 9)
    by_pairs = [part.reshape(7, 9).T for part in weigh_pairs(row, column, neighbours, columns, most)]
    for at in range(9):
        whole = weigh_row(Neighbours(near[at], weight[at]), rows, 7, most)
        np.testing.assert_array_equal(whole, [part[at] for part in by_pairs])
