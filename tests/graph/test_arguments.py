"""What the extraction is asked for is checked before compiled code, which checks nothing, reads it."""

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.graph.arguments import checked_limits, checked_pairs
from igmc.graph.serving import ServingGraph
from tests.graph.graphs import random_graph

GRAPH = random_graph(4, 5, 2, 0.5, seed=0)


def test_pairs_become_int32_that_may_be_written_to():
    given = np.array([0, 3], np.uint8)
    users, items = checked_pairs(GRAPH, given, [4, 0])
    assert (users.tolist(), items.tolist()) == ([0, 3], [4, 0])
    assert users.dtype == items.dtype == np.int32
    frozen = users.copy()
    frozen.flags.writeable = False
    assert checked_pairs(GRAPH, frozen, items)[0].flags.writeable
    assert checked_pairs(GRAPH, 3, 4)[0].tolist() == [3]


def test_the_range_is_that_of_the_view():
    view = ServingGraph.of(GRAPH).with_ratings([4], [0], [1], n_users=5)
    assert checked_pairs(view, [4], [0])[0].tolist() == [4]


@pytest.mark.parametrize(("user", "item"), [(-1, 0), (4, 0), (0, -1), (0, 5)])
def test_unknown_nodes_are_refused(user, item):
    with pytest.raises(DataError, match=r"no such (user|item) in the graph; got .*; allowed: 0\.\.[34]"):
        checked_pairs(GRAPH, [user], [item])


def test_users_and_items_must_pair_up():
    with pytest.raises(DataError, match="differ in number"):
        checked_pairs(GRAPH, [0, 1], [0])


@pytest.mark.parametrize("user", [[float("nan")], [0.7], ["0"]])
def test_indices_must_be_whole_numbers(user):
    with pytest.raises(DataError, match="user indices are not whole numbers; got"):
        checked_pairs(GRAPH, user, [0])


def test_no_limit_stands_for_all_and_limits_are_taken_as_they_are():
    assert checked_limits("user", None, 3).tolist() == [-1, -1, -1]
    found = checked_limits("user", np.array([0, 7], np.uint8), 2)
    assert (found.dtype, found.tolist()) == (np.int64, [0, 7])
    assert checked_limits("user", [], 0).tolist() == []


@pytest.mark.parametrize("limit", [[1, 2], [0.5], 3])
def test_limits_are_one_whole_number_a_pair(limit):
    with pytest.raises(DataError, match=r"the item limits are not one whole number a pair; got .*int \[1\]"):
        checked_limits("item", limit, 1)
