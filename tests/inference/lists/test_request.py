"""A request is checked when it is made, takes one or several, and never changes."""

import dataclasses

import pytest

from igmc.config import ListConfig
from igmc.errors import ConfigError
from igmc.inference.lists.request import ListRequest


def test_one_is_taken_for_several_and_a_text_for_no_list_of_letters():
    request = ListRequest(
        user_id=1, genre="Drama", exclude_genre=["War", "Crime"], items="f200", years=[1990, None]
    )
    assert (request.genre, request.exclude_genre) == (("Drama",), ("War", "Crime"))
    assert request.items == frozenset({"f200"})
    assert request.years == (1990, None)
    assert ListRequest(user_id=1, items=7).items == frozenset({7})
    assert ListRequest(user_id=1, items=iter([7, "x", 7])).items == frozenset({7, "x"})


def test_what_is_not_said_leaves_everything_open():
    request = ListRequest(user_id=1)
    assert (request.ratings, request.genre, request.exclude_genre) == (None, (), ())
    assert (request.years, request.items, request.config) == (None, None, ListConfig())


def test_ratings_are_copied_and_an_empty_list_of_them_is_somebody():
    mine = {"f001": 5}
    request = ListRequest(ratings=mine)
    mine["f002"] = 1
    assert request.ratings == {"f001": 5}
    assert ListRequest(ratings={}).ratings == {}
    with pytest.raises(dataclasses.FrozenInstanceError):
        request.user_id = 3


def test_nobody_is_refused():
    with pytest.raises(ConfigError, match="no user to recommend for; allowed: a user_id, ratings, or"):
        ListRequest(genre="Drama")


@pytest.mark.parametrize("years", [(1990, 1990), (None, None), (None, 1970), (2010, None)])
def test_ranges_of_years_may_be_open(years):
    assert ListRequest(user_id=1, years=years).years == years


@pytest.mark.parametrize("years", [(1990, 1980), (1990,), (), ("1990", None), (True, 1990), (1990.0, None)])
def test_what_is_no_range_of_years(years):
    with pytest.raises(
        ConfigError, match=r"years are not a range; got .*; allowed: the first year and the last"
    ):
        ListRequest(user_id=1, years=years)
