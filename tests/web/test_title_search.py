"""The search: typing errors are forgiven where nothing else is found, and telling films come first."""

import numpy as np
import pytest

from igmc.web.title_search import TitleSearch, informative
from tests.inference.lists.test_orders import VALUES, graph_of

TITLES = ("The Terminator", "Terminal", "Star Wars", "Amélie", "Stars and Bars", "Heat")

RATINGS = np.array([50, 10, 90, 20, 1, 30])


@pytest.fixture(scope="module")
def search():
    return TitleSearch(TITLES)


@pytest.mark.parametrize(
    ("typed", "expected", "corrected"),
    [
        ("termin", ["Terminal", "The Terminator"], False),
        ("termniator", ["The Terminator"], True),
        ("terminater", ["The Terminator"], True),
        ("satr wars", ["Star Wars"], True),
        ("wars satr", ["Star Wars"], True),
        ("AMELEI", ["Amélie"], True),
        ("star", ["Star Wars", "Stars and Bars"], False),
        ("het", [], False),
        ("xylophone", [], False),
    ],
)
def test_words_are_found_as_typed_or_as_meant(search, typed, expected, corrected):
    found, fixed = search.find(typed, RATINGS)
    assert ([TITLES[at] for at in found], fixed) == (expected, corrected)


def test_nothing_typed_finds_all_the_most_rated_first(search):
    assert search.find(" ", RATINGS) == ([2, 0, 5, 3, 1, 4], False)


def test_telling_items_are_known_and_disputed():
    graph = graph_of(40, 40, 4, 4)  # each is agreed on: 1, 2, 3, 4
    disputed = graph.with_ratings([*range(20), 0, 1], [0] * 20 + [3] * 2, [4] * 20 + [0] * 2)
    order = informative(disputed, VALUES).tolist()
    assert order[0] == 0
    assert sorted(order) == [0, 1, 2, 3]
    assert order[1:] == [1, 2, 3], "item 3 is disputed, but has too few ratings to tell"
