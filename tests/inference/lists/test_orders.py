"""Lift, by hand; and which items may be hidden gems."""

import numpy as np
import pytest

from igmc.config import ListConfig
from igmc.graph import BipartiteGraph, ServingGraph
from igmc.inference.lists.orders import ORDERS, all_usual_ratings, little_known, ranked_by, usual_ratings
from igmc.inference.mean_fallback import DAMPING
from tests.inference.lists.demo import MINE

VALUES = np.arange(1.0, 6.0)


def graph_of(*counts):
    """Item k has so many ratings, all of them k mod 5 + 1."""
    item = np.repeat(np.arange(len(counts)), counts).astype(np.int32)
    user = np.concatenate([np.arange(n) for n in counts]).astype(np.int32)
    graph = BipartiteGraph.from_ratings(
        user, item, (item % 5).astype(np.uint8), n_users=max(counts), n_items=len(counts), n_levels=5
    )
    return ServingGraph.of(graph)


def test_the_usual_rating_is_a_damped_mean():
    graph = graph_of(4, 0, 2)  # four ratings of 1, none, two of 3
    mean = (4 * 1 + 2 * 3) / 6
    expected = [mean + 4 * (1 - mean) / (4 + DAMPING), mean, mean + 2 * (3 - mean) / (2 + DAMPING)]
    np.testing.assert_allclose(all_usual_ratings(graph, VALUES), expected)
    np.testing.assert_allclose(
        usual_ratings(graph, np.array([2, 1], np.int32), VALUES), expected[:0:-1], 1e-6
    )


def test_ratings_laid_over_the_graph_count():
    graph = graph_of(4, 0, 2).with_ratings([9, 9], [1, 2], [4, 0], n_users=10)
    every = np.arange(3, dtype=np.int32)
    np.testing.assert_allclose(all_usual_ratings(graph, VALUES), usual_ratings(graph, every, VALUES), 1e-6)
    assert all_usual_ratings(graph, VALUES)[1] > all_usual_ratings(graph_of(4, 0, 2), VALUES)[1]


def test_lift_is_the_prediction_less_the_usual_rating(predictor):
    view = predictor.with_user(MINE)
    items, predicted = np.array([9, 30], np.int32), np.array([4.0, 3.0], np.float32)
    usual = usual_ratings(predictor.graph, items, predictor.scale.values)
    assert ranked_by("lift", view, items, predicted) == pytest.approx(predicted - usual)
    assert ranked_by("score", view, items, predicted).tolist() == [4.0, 3.0]


def test_gems_have_ten_ratings_and_are_not_among_the_best_known_fifth():
    counts = [0, 9, 10, 11, 12, 13, 14, 15, 16, 50, 60]
    assert np.flatnonzero(little_known(graph_of(*counts))).tolist() == list(range(2, 9))
    assert not little_known(graph_of(3)).any()


def test_the_orders_are_those_of_the_setting():
    for order in ORDERS:
        assert ListConfig(order=order).order == order
