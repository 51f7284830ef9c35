"""The best items are those of a full sort, and lists are checked before they are measured."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from igmc.errors import ConfigError, DataError
from igmc.evaluation.metrics.top_k import canonical, checked_lengths, checked_lists, entry_keys, rank_items
from tests.evaluation.metrics.tables import drawn, table

SEEDS = st.integers(0, 2**32 - 1)


def slow_rank(scores, hidden, k):
    """What `rank_items` must give, by sorting all."""
    hides = [set(hidden.indices[a:b]) for a, b in itertools.pairwise(hidden.indptr)]
    full = [
        [i for i in sorted(range(len(row)), key=lambda i: (-row[i], i)) if i not in hide]
        for row, hide in zip(scores, hides, strict=True)
    ]
    return [(row + [-1] * k)[:k] for row in full]


@given(SEEDS, st.sampled_from([0, 1, 2]), st.integers(1, 12))
def test_the_best_items_are_those_of_a_full_stable_sort(seed, levels, k):
    scores, seen, _ = drawn(seed, levels=levels)
    top = rank_items(scores, seen, k)
    assert top.dtype == np.int32
    assert top.tolist() == slow_rank(scores, seen, k)


def test_extreme_and_signed_zero_scores_are_ordered():
    tiny, large = np.finfo(np.float32).smallest_subnormal, np.finfo(np.float32).max
    scores = np.array([[-0.0, 0.0, tiny, -tiny, large, -large, 1.0, -1.0, -0.0]], np.float32)
    top = rank_items(scores, sparse.csr_array((1, 9)), 9)
    assert top.tolist() == [[4, 6, 2, 0, 1, 8, 3, 7, 5]]


def test_ties_at_the_end_of_the_list_go_to_lower_indices():
    scores = np.zeros((2, 1000), np.float32)
    scores[1, 500] = 1.0
    hidden = table({0: {0: 5, 2: 0}}, (2, 1000))  # a rating of 0 hides as well
    assert rank_items(scores, hidden, 3).tolist() == [[1, 3, 4], [500, 0, 1]]


def test_lists_end_where_nothing_is_left():
    hidden = table({0: {0: 1, 1: 1, 3: 1}, 1: dict.fromkeys(range(4), 1)}, (3, 4))
    assert rank_items([[1, 2, 3, 4]] * 3, hidden, 2).tolist() == [[2, -1], [-1, -1], [3, 2]]


def test_scores_are_left_as_they_are():
    scores = np.array([[1.0, -2.0, 0.5]], np.float32)
    before = scores.copy()
    rank_items(scores, table({0: {1: 1}}, (1, 3)), 2)
    assert np.array_equal(scores, before)


def test_the_length_of_a_list_is_at_most_that_of_the_catalogue():
    assert rank_items([[1.0, 2.0]], sparse.csr_array((1, 2)), 2).tolist() == [[1, 0]]
    with pytest.raises(ConfigError, match=r"length K of a list is out of range; got 3; .* in 1\.\.2"):
        rank_items([[1.0, 2.0]], sparse.csr_array((1, 2)), 3)


def test_lengths_are_sorted_and_counted_once():
    assert checked_lengths([7, np.int64(2), 7], 7) == [2, 7]
    assert checked_lengths([10**9], None) == [10**9]


@pytest.mark.parametrize(("ks", "longest"), [([], 3), ([4], 3), ([0], None), ([True], 3), ([1.0], 3)])
def test_lengths_that_are_none_are_refused(ks, longest):
    with pytest.raises(ConfigError, match="length K of a list"):
        checked_lengths(ks, longest)


def test_lists_hold_items_or_end():
    lists = checked_lists([[2, -1], [0, 1]], 3)
    assert (lists.dtype, lists.tolist()) == (np.int32, [[2, -1], [0, 1]])
    for bad, got in (([[3]], "got 3"), ([[-2]], "got -2"), ([[0.5]], "got 'float64"), ([0], "got 'int64")):
        with pytest.raises(DataError, match=got):
            checked_lists(bad, 3)


def test_a_table_is_put_in_order_and_the_one_given_is_left():
    mixed = sparse.csr_array((np.array([1.0, 2.0, 3.0]), np.array([2, 0, 2]), np.array([0, 3])), (1, 3))
    found = canonical("seen", mixed)
    assert (found.indices.tolist(), found.data.tolist()) == ([0, 2], [2.0, 4.0])
    assert mixed.indices.tolist() == [2, 0, 2]
    with pytest.raises(DataError, match="the seen pairs are not a sparse table; got 'ndarray'"):
        canonical("seen", np.ones((1, 3)))


@given(SEEDS)
def test_keys_number_the_stored_entries_row_by_row(seed):
    _, seen, relevant = drawn(seed, levels=0)
    for pairs in (seen, relevant, table({2: {3: 0}}, seen.shape)):  # a stored 0 is an entry too
        row, column = np.divmod(entry_keys(canonical("some", pairs)), pairs.shape[1])
        stored = pairs.tocoo()
        assert (row.tolist(), column.tolist()) == (stored.row.tolist(), stored.col.tolist())
    assert entry_keys(sparse.csr_array(([1.0], ([2], [1])), (3, 2**31 - 1))).tolist() == [2 * (2**31 - 1) + 1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_not_finite_are_refused(bad):
    scores = np.ones((2, 3), np.float32)
    scores[1, 2] = bad
    with pytest.raises(DataError, match="a score is not a finite number"):
        rank_items(scores, sparse.csr_array((2, 3)), 1)


def test_scores_of_another_shape_are_refused():
    hidden = sparse.csr_array((2, 3))
    with pytest.raises(DataError, match=r"wrong shape; got \(2, 4\); allowed: \(2, 3\)"):
        rank_items(np.ones((2, 4)), hidden, 1)
    with pytest.raises(DataError, match=r"wrong shape; got \(3,\)"):
        rank_items(np.ones(3), hidden, 1)
    with pytest.raises(DataError, match="not numbers; got 'bool'"):
        rank_items(np.ones((2, 3), bool), hidden, 1)
    with pytest.raises(
        DataError, match="hidden pairs are not a sparse table; got 'list'; allowed: a CSR array"
    ):
        rank_items(np.ones((2, 3)), [[0, 0, 1]] * 2, 1)
