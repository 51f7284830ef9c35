"""Which training targets show few ratings, and that nobody else does."""

import numpy as np
import pytest

from igmc.config import ExtractConfig, RunConfig, TrainConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.loading.source import LiveSource
from igmc.loading.support_dropout import SupportDropout
from igmc.ratings.table import Pairs
from tests.graph.graphs import all_pairs, random_graph

USERS, ITEMS = (np.array(side, np.int32) for side in (np.repeat(range(300), 200), np.tile(range(200), 300)))
CONFIG = ExtractConfig(max_nodes_per_hop=20)


def test_how_many_ratings_are_shown_and_by_how_many():
    limit = SupportDropout(0.6, most=10).limits(USERS, ITEMS, seed=1, epoch=2)[0]
    n = len(limit)
    dropped = np.count_nonzero(limit >= 0)
    assert abs(dropped / n - 0.6) < 0.01
    shown = np.bincount(limit[limit >= 0], minlength=11) / dropped
    assert len(shown) == 11
    k = np.arange(1, 11)
    np.testing.assert_allclose(shown[1:], np.log((k + 1) / k) / np.log(11), atol=0.006)
    assert shown[0] == 0


def test_limits_depend_on_seed_epoch_and_pair_alone():
    dropout = SupportDropout(0.5, "both")
    whole = dropout.limits(USERS, ITEMS, seed=1, epoch=2)
    order = np.random.default_rng(0).permutation(len(USERS))[:1000]
    again = dropout.limits(USERS[order], ITEMS[order], seed=1, epoch=2)
    for limit, same in zip(whole, again, strict=True):
        np.testing.assert_array_equal(limit[order], same)
    for other in ({"seed": 2, "epoch": 2}, {"seed": 1, "epoch": 3}):
        assert not np.array_equal(dropout.limits(USERS, ITEMS, **other)[0], whole[0])


def test_both_sides_are_drawn_on_their_own():
    both = SupportDropout(0.5, "both").limits(USERS, ITEMS, seed=1, epoch=2)
    for at, side in enumerate(("user", "item")):
        one = SupportDropout(0.5, side).limits(USERS, ITEMS, seed=1, epoch=2)
        np.testing.assert_array_equal(one[at], both[at])
        assert np.all(one[1 - at] == -1)
    together = np.mean((both[0] >= 0) & (both[1] >= 0))
    assert abs(together - 0.25) < 0.01


@pytest.fixture(scope="module")
def part() -> Part:
    graph = random_graph(40, 30, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    return Part("train", graph, Pairs(users, items, np.zeros(len(users), np.float32)))


def test_a_source_that_drops_hands_the_limits_on(part):
    rows = np.arange(0, len(part.pairs), 3)
    dropout = SupportDropout(0.5, "user", most=4)
    user, item = part.pairs.user[rows], part.pairs.item[rows]
    found = LiveSource(part, CONFIG, seed=1, support_dropout=dropout).fetch(rows, 5)
    limits = dropout.limits(user, item, seed=1, epoch=5)
    expected = extract_subgraphs(part.graph, user, item, CONFIG, seed=1, epoch=5, user_limit=limits[0])
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(array, getattr(found, name), err_msg=name)
    shown = np.diff(found.item_ptr) - 1
    few = limits[0] >= 0
    assert np.all(shown[few] <= limits[0][few])
    whole = LiveSource(part, CONFIG, seed=1).fetch(rows, 5)
    np.testing.assert_array_equal(shown[~few], np.diff(whole.item_ptr)[~few] - 1)
    assert shown.mean() < np.diff(whole.item_ptr).mean() - 1


def test_without_support_dropout_there_is_none():
    assert SupportDropout.of(TrainConfig()) is None
    config = TrainConfig(support_dropout=0.3, support_dropout_side="both", support_dropout_max=7)
    assert SupportDropout.of(config) == SupportDropout(0.3, "both", 7)


def test_settings_stored_before_there_was_support_dropout_are_the_same_as_now():
    assert not [key for key in TrainConfig().to_dict() if key.startswith("support")]
    assert RunConfig().digest() == "e853e89bbeae365b"
