"""What is no dense index is refused by name, before a conversion can make one of it."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.checks import check_lengths, check_range, dense_indices


@pytest.mark.parametrize("values", [[0, 4], np.array([0, 4], np.uint64), np.array([0, 4], np.int8), (0, 4)])
def test_whole_numbers_of_any_type_become_int32(values):
    found = dense_indices("user", values, 5)
    assert (found.dtype, found.tolist()) == (np.int32, [0, 4])


def test_a_single_number_is_a_list_of_one_and_nothing_is_none():
    assert dense_indices("user", 3, 5).tolist() == [3]
    assert dense_indices("user", [], 5).tolist() == []


def test_indices_are_a_copy_that_may_be_written_to():
    given = np.array([1, 2], np.int32)
    given.flags.writeable = False
    found = dense_indices("user", given, 5)
    found[0] = 0
    assert given.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([0.5], "item indices are not whole numbers; got 'float64'; allowed: an integer type"),
        ([True], "item indices are not whole numbers; got 'bool'"),
        ([[0, 1]], r"item indices are not a list; got \[1, 2\]; allowed: one dimension"),
        ([0, -1], r"an item index is out of range; got -1; allowed: 0\.\.4"),
        ([0, 5, -1], "an item index is out of range; got 5"),
        ([2**32], "out of range; got 4294967296"),  # as int32 it would be 0
    ],
)
def test_what_is_no_index_is_named(values, message):
    with pytest.raises(DataError, match=message):
        dense_indices("item", values, 5)


def test_the_message_may_be_another():
    with pytest.raises(DataError, match=r"no such user in the graph; got 9; allowed: 0\.\.4"):
        dense_indices("user", [9], 5, message="no such user in the graph")
    with pytest.raises(DataError, match="a user index is out of range"):
        dense_indices("user", [9], 5)


def test_a_range_ends_before_its_size():
    check_range(np.array([0, 2]), 3, "odd")
    check_range(np.empty(0, np.int64), 0, "odd")
    for bad in (-1, 3):
        with pytest.raises(DataError, match=rf"odd; got {bad}; allowed: 0\.\.2"):
            check_range(np.array([0, bad]), 3, "odd")


def test_columns_are_of_one_length():
    check_lengths(a=[1], b=[2])
    check_lengths()
    with pytest.raises(DataError, match=r"differ in length; got {'a': 1, 'b': 2}; allowed: one length"):
        check_lengths(a=[1], b=[2, 3])
