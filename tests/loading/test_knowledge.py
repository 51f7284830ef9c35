"""What is known of a graph: which inputs estimates add, and the patch that new ratings are."""

import numpy as np
import pytest

from igmc.loading.knowledge import ESTIMATORS, Knowledge, pair_width
from igmc.statistics import InputNorms, ItemSums
from tests.statistics.graphs import known_ratings

KNOWN = known_ratings()
USER, ITEM = np.array([3, 7, 11], np.int32), np.array([5, 0, 39], np.int32)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    return KNOWN.knowledge(("svdpp", "mf"), seed=1)


def test_the_base_is_the_first_estimate_and_the_inputs_say_how_far_the_others_are(knowledge):
    norms = InputNorms.identity(pair_width(("svdpp", "mf")))
    found = knowledge.read(USER, ITEM, cap=10, norms=norms)
    plain = KNOWN.knowledge(seed=1).read(USER, ITEM, cap=10, norms=InputNorms.identity())
    (first, sure), (second, too) = (one.features(USER, ITEM) for one in knowledge.estimates)
    np.testing.assert_array_equal(found.base, first)
    np.testing.assert_array_equal(found.pair[:, :10], plain.pair)
    unit, mean = knowledge.deviation, knowledge.statistics.mean
    expected = np.stack([first - plain.base, sure, first - mean, second - first, too], axis=1) / unit
    assert found.pair[:, 10:] == pytest.approx(expected, abs=1e-5)
    np.testing.assert_array_equal(found.users.rows, plain.users.rows)


def test_a_graph_without_estimates_reads_the_inputs_of_its_statistics_alone():
    assert pair_width(()) == 10
    assert [pair_width([name]) for name in ESTIMATORS] == [13, 13]
    found = KNOWN.knowledge(seed=1).read(USER, ITEM, cap=10, norms=InputNorms.identity())
    assert found.pair.shape == (3, 10)


def test_pieces_are_those_of_the_whole(knowledge):
    norms = InputNorms.identity(15)
    whole = knowledge.read(USER, ITEM, cap=10, norms=norms)
    pieces = list(knowledge.read_in_pieces(USER, ITEM, cap=10, norms=norms, size=2))
    assert [low for low, _ in pieces] == [0, 2]
    np.testing.assert_array_equal(whole.pair, np.concatenate([piece.pair for _, piece in pieces]))


def test_one_user_is_read_as_anybody(knowledge):
    norms, shared = InputNorms.identity(15), ItemSums(knowledge.statistics, 2**20)
    rated = KNOWN.item[KNOWN.user == 3]
    items = np.setdiff1d(np.arange(40, dtype=np.int32), rated)
    one = knowledge.read_for_user(shared, 3, items, cap=10, norms=norms)
    other = knowledge.read(np.full(len(items), 3, np.int32), items, cap=10, norms=norms)
    np.testing.assert_array_equal(one.base, other.base)
    assert one.pair == pytest.approx(other.pair, abs=1e-5)


def test_other_ratings_of_a_user_move_that_users_estimates_alone(knowledge):
    rated = np.array([1, 2, 3], np.int32)
    mine = np.full(3, 7, np.int32), rated, np.array([5.0, 5.0, 5.0])
    more = knowledge.with_ratings(*mine, users=np.array([7], np.int32), items=np.empty(0, np.int32))
    norms = InputNorms.identity(15)
    before, after = (one.read(USER, ITEM, cap=10, norms=norms).base for one in (knowledge, more))
    assert (before == after).tolist() == [True, False, True]
    assert more.statistics is knowledge.statistics
