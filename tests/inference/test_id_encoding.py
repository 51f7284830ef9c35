"""Ids and ratings that come from outside."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.inference.encoding import (
    check_lengths,
    dense_indices,
    encode_ratings,
    from_text,
    grown,
    unknown_ids,
)
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale, RatingScale

STARS = RatingScale.fit([1, 2, 5], known=KnownScale(1, 5))
GROUPS = RatingScale.fit([-10.0, 0.5, 10.0], levels=4)


def test_text_is_taken_as_the_table_writes_it():
    assert from_text(IdTable((1, 2)), ["2", "3", "-4", "x", "02", ""]) == [2, 3, -4, "x", "02", ""]
    assert from_text(IdTable(("1", "x")), ["1", "2", "x"]) == ["1", "2", "x"]
    assert from_text(IdTable((1, "1", "x")), ["1", "2"]) == ["1", "2"]
    assert from_text(IdTable((1, "x")), ["1", "2"]) == [1, "2"]


def test_unknown_ids_stand_once_and_in_order():
    table = IdTable((3, "a"))
    assert unknown_ids(table, ["b", 9, "a", 3, "b", 1]) == [1, 9, "b"]
    assert unknown_ids(table, [3]) == []
    assert grown(table, ["b", 3, 1]).ids == (3, "a", 1, "b")
    assert grown(table, [3]) is table


def test_ratings_become_levels():
    assert encode_ratings(STARS, [5, 1.0, np.float32(3), np.int64(2)]).tolist() == [4, 0, 2, 1]
    assert encode_ratings(STARS, []).tolist() == []
    assert encode_ratings(GROUPS, [-10, -4.9, 0, 9.99, 10]).tolist() == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("rating", [0, 6, 3.5, float("nan"), float("inf"), -float("inf"), 10**400])
def test_ratings_off_the_scale(rating):
    with pytest.raises(DataError, match=r"not on the scale; got .*; allowed: 1, 2, 3, 4, 5"):
        encode_ratings(STARS, [1, rating])


@pytest.mark.parametrize("rating", [-10.5, 11, float("nan"), 10**400])
def test_ratings_outside_the_range_of_groups(rating):
    with pytest.raises(DataError, match=r"not on the scale; got .*; allowed: -10\.\.10"):
        encode_ratings(GROUPS, [1, rating])


@pytest.mark.parametrize("rating", ["4", None, True, [4]])
def test_what_is_no_rating(rating):
    with pytest.raises(DataError, match=r"a rating is not a number; (got .*; )?allowed: 1, 2, 3, 4, 5"):
        encode_ratings(STARS, [rating])


def test_indices():
    assert dense_indices("user", [0, 4], 5).dtype == np.int32
    assert dense_indices("user", [], 5).tolist() == []
    with pytest.raises(DataError, match="user indices are not whole numbers; got 'float64'"):
        dense_indices("user", [0.5], 5)
    for bad in (-1, 5):
        with pytest.raises(DataError, match=rf"a item index is out of range; got {bad}; allowed: 0\.\.4"):
            dense_indices("item", [0, bad], 5)


def test_lengths():
    check_lengths(a=[1], b=[2])
    with pytest.raises(DataError, match=r"differ in length; got {'a': 1, 'b': 2}"):
        check_lengths(a=[1], b=[2, 3])
