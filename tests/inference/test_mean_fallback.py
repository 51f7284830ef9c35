"""Damped means, by hand."""

import numpy as np
import pytest

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.mean_fallback import DAMPING, damped_means, has_neighbourhood
from igmc.ratings import RowFeatures, SideInformation

VALUES = np.arange(1.0, 6.0)
# user 0: items 0, 1, 2; user 1: item 2; user 2: item 3; user 3: nothing. Item 4: nothing.
RATED = {(0, 0): 5, (0, 1): 1, (0, 2): 4, (1, 2): 2, (2, 3): 5}
MEAN = sum(RATED.values()) / len(RATED)


@pytest.fixture
def graph():
    users, items = zip(*RATED, strict=True)
    levels = [rating - 1 for rating in RATED.values()]
    return ServingGraph.of(
        BipartiteGraph.from_ratings(users, items, levels, n_users=4, n_items=5, n_levels=5)
    )


def asked(*pairs):
    return tuple(np.array(side, np.int32) for side in zip(*pairs, strict=True))


def test_a_neighbourhood_takes_a_rating_on_either_side_besides_the_pairs_own(graph):
    cases = {
        (0, 2): True,  # rated, and both have others
        (1, 0): True,
        (0, 0): False,  # the item's one rating is the pair's own
        (1, 2): False,  # the user's is
        (1, 3): True,
        (3, 0): False,
        (0, 4): False,
        (-1, 2): False,
        (0, -1): False,
        (-1, -1): False,
    }
    assert has_neighbourhood(graph, *asked(*cases)).tolist() == list(cases.values())


def test_features_are_as_good_as_ratings_of_others(graph):
    users, items = np.zeros((4, 1), np.float32), np.ones((6, 2), np.float32)
    users[3], items[:3] = 0.5, 0.0
    side = SideInformation(
        *(RowFeatures(values, np.zeros(values.shape[1], int)) for values in (users, items))
    )
    cases = {
        (0, 4): True,
        (3, 4): True,
        (3, 2): True,
        (3, 0): True,  # of which nothing is known but a rating of another
        (1, 2): False,  # the user's one rating is the pair's own
        (0, 0): False,
        (-1, 4): False,
        (3, -1): False,
    }
    assert has_neighbourhood(graph, *asked(*cases), side).tolist() == list(cases.values())


def test_means_by_hand(graph):
    def damped(*ratings):
        return MEAN + sum(r - MEAN for r in ratings) / (len(ratings) + DAMPING)

    cases = {
        (0, 4): (damped(5, 1, 4), "user mean"),
        (0, -1): (damped(5, 1, 4), "user mean"),
        (0, 0): (damped(1, 4), "user mean"),  # without the pair's own
        (1, 2): (damped(4), "item mean"),
        (3, 2): (damped(4, 2), "item mean"),
        (-1, 3): (damped(5), "item mean"),
        (2, 3): (MEAN, "global mean"),
        (-1, -1): (MEAN, "global mean"),
        (3, 4): (MEAN, "global mean"),
    }
    scores, sources = damped_means(graph, VALUES, *asked(*cases))
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, [score for score, _ in cases.values()], rtol=1e-6)
    assert sources == [source for _, source in cases.values()]


def test_new_ratings_move_the_means_as_if_they_had_always_been_there(graph):
    view = graph.with_ratings([4, 4], [4, 0], [0, 4], n_users=5)
    whole = ServingGraph.of(view.rebuilt())
    pairs = asked(*((u, i) for u in range(-1, 5) for i in range(-1, 5)))
    for left, right in zip(
        damped_means(view, VALUES, *pairs), damped_means(whole, VALUES, *pairs), strict=True
    ):
        assert list(left) == list(right)
    assert has_neighbourhood(view, *pairs).tolist() == has_neighbourhood(whole, *pairs).tolist()
    newcomer = asked((-1, 0))
    assert damped_means(view, VALUES, *newcomer)[0] > damped_means(graph, VALUES, *newcomer)[0]


def test_nothing_asked(graph):
    none = np.empty(0, np.int32)
    assert damped_means(graph, VALUES, none, none)[0].shape == (0,)
    assert has_neighbourhood(graph, none, none).shape == (0,)
