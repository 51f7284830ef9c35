"""Ratings that come from outside become levels, or are refused by value and place."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import ConfigError, DataError
from igmc.inference.lists.request import ListRequest
from igmc.inference.rating_encoding import encode_ratings, nearest_ratings, own_ratings, rating_columns
from igmc.ratings.scale import KnownScale, RatingScale

STARS = RatingScale.fit([1, 2, 5], known=KnownScale(1, 5))
GROUPS = RatingScale.fit([-10.0, 0.5, 10.0], levels=4)


def test_ratings_become_levels():
    assert encode_ratings(STARS, [5, 1.0, np.float32(3), np.int64(2)]).tolist() == [4, 0, 2, 1]
    assert encode_ratings(STARS, []).tolist() == []
    assert encode_ratings(GROUPS, [-10, -4.9, 0, 9.99, 10]).tolist() == [0, 1, 2, 3, 3]


@pytest.mark.parametrize("rating", [0, 6, 3.5, float("nan"), float("inf"), -float("inf"), 10**400])
def test_ratings_off_the_scale(rating):
    with pytest.raises(DataError, match=r"not on the scale; got .*; allowed: 1, 2, 3, 4, 5"):
        encode_ratings(STARS, [1, rating])


def test_what_lies_between_two_levels_is_refused_with_the_way_to_round_it():
    with pytest.raises(DataError, match="give one of these, or use --round-ratings"):
        encode_ratings(STARS, [3.5])
    with pytest.raises(DataError) as caught:
        encode_ratings(STARS, [7])
    assert "round" not in str(caught.value), "rounding does not help beyond the scale"
    assert encode_ratings(STARS, [3.0000001, 4.9999999]).tolist() == [2, 4], "but not for rounding errors"


def test_ratings_between_two_levels_are_taken_to_the_nearest():
    given = {"a": 1.4, "b": 1.5, "c": 4, "d": np.float32(4.75), "e": 0.9, "f": 6, "g": "4", "h": True}
    found = nearest_ratings(STARS, given)
    assert found == {"a": 1, "b": 2, "c": 4, "d": 5, "e": 0.9, "f": 6, "g": "4", "h": True}
    assert nearest_ratings(GROUPS, {"a": 0.3}) == {"a": 0.3}, "a group holds it"


@pytest.mark.parametrize("rating", [-10.5, 11, float("nan"), 10**400])
def test_ratings_outside_the_range_of_groups(rating):
    with pytest.raises(DataError, match=r"not on the scale; got .*; allowed: -10\.\.10"):
        encode_ratings(GROUPS, [1, rating])


@pytest.mark.parametrize("rating", ["4", None, True, [4]])
def test_what_is_no_rating(rating):
    with pytest.raises(DataError, match=r"a rating is not a number; (got .*; )?allowed: 1, 2, 3, 4, 5"):
        encode_ratings(STARS, [rating])


@pytest.mark.parametrize(("ratings", "line"), [([1, 2, 9], 5), ([1, "x", 9], 4)])
def test_the_place_of_the_first_bad_rating_is_named(ratings, line):
    with pytest.raises(DataError, match=rf"^mine\.csv, line {line}: a rating is not"):
        encode_ratings(STARS, ratings, where=lambda at: f"mine.csv, line {at + 3}")


def test_columns_are_told_by_name_whatever_holds_them():
    columns = {"rating": [5, 1], "item_id": ("i", "j"), "user_id": iter([1, 2]), "when": [0]}
    assert rating_columns(columns) == ([1, 2], ["i", "j"], [5, 1])
    frame = pd.DataFrame({"item_id": ["i"], "rating": [5], "user_id": [1]})
    assert rating_columns(frame) == ([1], ["i"], [5])


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user_id": [1], "rating": [1]}, "missing; got 'item_id'; allowed: user_id, item_id, rating"),
        ({"user_id": [1], "item_id": [1, 2], "rating": [1]}, "the columns differ in length"),
    ],
)
def test_columns_that_are_missing_or_of_unequal_length(columns, message):
    with pytest.raises(DataError, match=message):
        rating_columns(columns)


def test_items_alone_are_ratings_where_all_are_equal():
    assert own_ratings(["f001", 2]) == {"f001": None, 2: None}
    assert encode_ratings(RatingScale.fit([1.0]), own_ratings(("a", "b")).values()).tolist() == [0, 0]
    with pytest.raises(DataError, match="a rating is not a number; allowed: 1, 2, 3, 4, 5"):
        encode_ratings(STARS, own_ratings(["f001"]).values())


@pytest.mark.parametrize("given", ["f001", "f001=5", 3])
@pytest.mark.parametrize("check", [own_ratings, lambda given: ListRequest(ratings=given)])
def test_the_ratings_of_a_user_are_a_mapping(check, given):
    with pytest.raises(
        ConfigError, match=r"the ratings of a user are not a mapping; .* allowed: item id -> rating"
    ):
        check(given)
