"""What is known of a graph that is asked: dates by the times of its ratings, less the one asked about."""

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.graph import RatingTimes, ServingGraph
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
        found.append(known.without(known.of(VIEW), VIEW, *pair).dates.read(*PAIR))
    np.testing.assert_array_equal(*found)
    assert (knowledge().of(VIEW).dates.read(*PAIR) != knowledge(moved).of(VIEW).dates.read(*PAIR)).any()


def test_ratings_laid_over_are_as_new_as_the_newest():
    known = knowledge()
    view = VIEW.with_ratings(np.full(2, 60), np.array([3, 9]), np.array([4, 0]), n_users=61)
    dates = known.with_user(VIEW, view, 60).dates
    ask = np.array([60], np.int32), np.array([1], np.int32), np.array([TIME.max() + 1])
    assert dates.read(*ask)[0, 2] == pytest.approx(np.log(3), abs=0.02)


def test_models_that_read_no_dates_are_asked_at_no_time():
    with pytest.raises(ConfigError, match="trained without dates; got 'a time, 5'"):
        SCORER.at(5)
