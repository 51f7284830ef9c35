"""Titles of items, those that came later among them."""

from dataclasses import replace

from igmc.inference.item_info import ItemInfo
from igmc.web.titles import Titles
from tests.inference.small import GRAPH, make_scorer, predictor_of

SMALL = predictor_of(GRAPH, make_scorer())


def test_items_that_came_later_have_a_place_and_no_title():
    grown = SMALL.add_ratings({"user_id": [0], "item_id": ["later"], "rating": [5]})
    assert not Titles(SMALL).are_of(grown)
    titles = Titles(grown)
    assert titles.are_of(grown)
    (item,) = titles.search(grown, "LATER", 5, telling=False).items
    assert (item.item_id, item.title, item.genres, item.year, item.ratings) == ("later", "", [], None, 1)


def test_counts_are_those_of_the_moment():
    titles = Titles(SMALL)
    everything = titles.search(SMALL, "film", 100, telling=False).items
    first, last, rated = everything[0].item_id, everything[-1].item_id, everything[-1].ratings
    users = [user for user in SMALL.users.ids if last not in SMALL.graph.by_user.row(user)[0]]
    more = {"user_id": users, "item_id": [last] * len(users), "rating": [3] * len(users)}
    grown = SMALL.add_ratings(more)
    assert titles.are_of(grown)
    assert titles.item(grown, last).ratings == rated + len(users) == len(SMALL.users)
    assert titles.search(grown, "film", 1, telling=False).items[0].item_id == last != first


def test_years_and_genres_are_told():
    info = ItemInfo(("A",), ("Drama|War",), (1999,))
    item = Titles(replace(SMALL, info=info)).item(SMALL, 0)
    assert (item.title, item.genres, item.year) == ("A", ["Drama", "War"], 1999)
