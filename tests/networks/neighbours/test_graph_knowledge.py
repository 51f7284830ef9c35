"""What is known of a graph that is asked: dates by the times of its ratings, less the one asked about."""

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.graph import BipartiteGraph, RatingTimes, ServingGraph
from igmc.networks.neighbours import graph_knowledge
from igmc.networks.neighbours.estimates import NO_ESTIMATES
from igmc.networks.neighbours.graph_knowledge import GraphKnowledge
from tests.networks.neighbours.test_scoring import GRAPH, KNOWN, SCALE, SCORER

TIME = np.random.default_rng(1).integers(0, 10**6, len(KNOWN))
VIEW = ServingGraph.of(GRAPH)
PAIR = KNOWN.user[:1], KNOWN.item[:1], np.array([10**6])


def knowledge(time=TIME, dates="past"):
    times = RatingTimes.of(KNOWN.user, KNOWN.item, time)
    return GraphKnowledge(SCALE.values, NO_ESTIMATES, dates, times, threads=1, memory=2**20)


def test_a_graph_is_known_with_its_dates_once():
    known = knowledge()
    assert known.of(VIEW).dates.newest == TIME.max()
    assert known.of(VIEW) is known.of(VIEW)
    assert knowledge(dates=None).of(VIEW).dates is None


def test_the_time_of_the_rating_asked_about_has_no_part_in_its_dates():
    moved = TIME.copy()
    moved[0] = 5
    pair = int(KNOWN.user[0]), int(KNOWN.item[0])
    found = []
    for time in (TIME, moved):
        known = knowledge(time)
        found.append(known.without(known.of(VIEW), VIEW, VIEW, *pair).dates.read(*PAIR))
    np.testing.assert_array_equal(*found)
    assert (knowledge().of(VIEW).dates.read(*PAIR) != knowledge(moved).of(VIEW).dates.read(*PAIR)).any()


def graph_with(rating):
    """The graph, with another rating of the first pair."""
    levels = SCALE.encode(np.concatenate([[rating], KNOWN.rating[1:]]))
    sizes = {"n_users": 60, "n_items": 40, "n_levels": 5}
    return ServingGraph.of(BipartiteGraph.from_ratings(KNOWN.user, KNOWN.item, levels, **sizes))


def test_the_rating_asked_about_has_next_to_no_part_in_its_dates():
    """From 1 to 5: what stays is its part in the means of all, and in the biases of others."""
    pair, left = (int(KNOWN.user[0]), int(KNOWN.item[0])), []
    at = np.array([10**6])
    for rating in (1.0, 5.0):
        known, view = knowledge(), graph_with(rating)
        left.append(known.without(known.of(view), view, view, *pair).dates.read(*PAIR[:2], at))
    assert np.abs(left[1] - left[0]).max() < 0.005  # 0.117 with its part in the biases of its user and item


def test_a_rating_that_is_not_in_the_graph_below_has_no_part_in_the_bias_of_its_item():
    known = knowledge()
    view = VIEW.with_ratings(np.full(2, 60), np.array([3, 9]), np.array([4, 0]), n_users=61)
    own = known.with_user(VIEW, view, 60)
    of_user, of_item = known._own_parts(own.statistics, VIEW, view, 60, 3)
    assert of_user > 0 == of_item


def test_ratings_laid_over_are_as_new_as_the_newest():
    known = knowledge()
    view = VIEW.with_ratings(np.full(2, 60), np.array([3, 9]), np.array([4, 0]), n_users=61)
    dates = known.with_user(VIEW, view, 60).dates
    ask = np.array([60], np.int32), np.array([1], np.int32), np.array([TIME.max() + 1])
    assert dates.read(*ask)[0, 2] == pytest.approx(np.log(3), abs=0.02)


def test_models_that_read_no_dates_are_asked_at_no_time():
    with pytest.raises(ConfigError, match="trained without dates; got 'a time, 5'"):
        SCORER.at(5)


def test_what_the_items_with_the_most_ratings_share_is_found_before_the_first_request(monkeypatch):
    known = knowledge()
    rated = np.argsort(-np.bincount(KNOWN.item, minlength=40)).astype(np.int32)
    shared = known._base(VIEW).shared
    monkeypatch.setattr(graph_knowledge, "WARM", 5 * 40 * 32)
    known.warm(VIEW)
    assert not shared.missing(rated[:5])
    assert len(shared.missing(rated)) in (34, 35)  # item 0 too, which is asked once
    monkeypatch.setattr(graph_knowledge, "WARM", 1 << 20)
    known.warm(VIEW.with_ratings([60], [41], [4], n_users=61, n_items=42))
    assert not shared.missing(rated)
