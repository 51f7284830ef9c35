"""Where subgraphs come from makes no difference to what they are."""

import itertools

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.errors import StoreError
from igmc.extract.pool import extract_store
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.loading.source import LiveSource, StoreSource
from igmc.loading.support_dropout import SupportDropout
from igmc.ratings.table import Pairs
from igmc.store.reader import StoreReader
from tests.graph.graphs import all_pairs, random_graph

CONFIG = ExtractConfig(max_nodes_per_hop=4)


@pytest.fixture(scope="module")
def part() -> Part:
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    return Part("train", graph, Pairs(users, items, np.zeros(len(users), np.float32)))


def assert_equal(found, expected) -> None:
    for name, array in expected.arrays().items():
        np.testing.assert_array_equal(array, getattr(found, name), err_msg=name)


def test_live_subgraphs_are_those_of_the_kernel_in_the_order_asked(part):
    rows = np.array([40, 3, 3, 299])
    source, pairs = LiveSource(part, CONFIG, seed=6), part.pairs
    for epoch in (0, 2):
        expected = extract_subgraphs(
            part.graph, pairs.user[rows], pairs.item[rows], CONFIG, seed=6, epoch=epoch
        )
        assert_equal(source.fetch(rows, epoch), expected)
    assert source.windows.tolist() == [0, 300], "one window, since nothing is read from a disk"


def test_live_extraction_resamples_each_epoch_unless_told_not_to(part):
    rows = np.arange(len(part.pairs))
    fresh, fixed = (LiveSource(part, CONFIG, seed=1, resample=r) for r in (True, False))
    assert not np.array_equal(fresh.fetch(rows, 1).user_id, fresh.fetch(rows, 2).user_id)
    assert np.array_equal(fixed.fetch(rows, 1).user_id, fixed.fetch(rows, 2).user_id)


def test_store_and_live_source_are_equal_where_live_does_not_resample(part, tmp_path):
    extract_store(part, CONFIG, seed=1, folder=tmp_path, workers=1, shard_size=64, progress=False)
    stored = StoreSource(StoreReader(tmp_path), part.pairs)
    live = LiveSource(part, CONFIG, seed=1, resample=False)
    rows = np.random.default_rng(0).permutation(len(part.pairs))[:50]
    assert_equal(stored.fetch(rows, 9), live.fetch(rows, 9))


def test_store_of_another_part_is_refused(part, tmp_path):
    extract_store(part, CONFIG, seed=1, folder=tmp_path, workers=1, progress=False)
    fewer = Pairs(part.pairs.user[:9], part.pairs.item[:9], part.pairs.rating[:9])
    with pytest.raises(StoreError, match="another number of pairs; got 300; allowed: 9"):
        StoreSource(StoreReader(tmp_path), fewer)


def test_a_store_gives_the_same_every_epoch_and_has_its_readers_windows(part, tmp_path):
    extract_store(part, CONFIG, seed=1, folder=tmp_path, workers=1, shard_size=50, progress=False)
    reader = StoreReader(tmp_path, cache_bytes=30_000)
    source, rows = StoreSource(reader, part.pairs), np.array([200, 5])
    assert_equal(source.fetch(rows, 7), source.fetch(rows, 0))
    assert source.fetch(rows, 0).user.tolist() == part.pairs.user[rows].tolist()
    assert source.windows.tolist() == reader.windows.tolist()


def test_some_pairs_of_a_store_are_those_of_the_graph(part, tmp_path):
    extract_store(part, CONFIG, seed=1, folder=tmp_path, workers=1, shard_size=50, progress=False)
    stored, live = StoreSource(StoreReader(tmp_path), part.pairs), LiveSource(part, CONFIG, seed=1)
    rows = np.array([3, 7, 60, 120, 121, 299])
    some, same = stored.only(rows), live.only(rows)
    assert_equal(some.fetch(np.arange(6), 0), live.fetch(rows, 0))
    assert_equal(same.fetch(np.arange(6), 0), live.fetch(rows, 0))
    assert_equal(some.only(np.array([2, 5])).fetch(np.array([1, 0]), 0), live.fetch(np.array([299, 60]), 0))
    assert some.pairs.user.tolist() == same.pairs.user.tolist() == part.pairs.user[rows].tolist()
    reader = StoreReader(tmp_path, cache_bytes=30_000)
    bounds = StoreSource(reader, part.pairs).only(rows).windows
    for k, (low, high) in enumerate(itertools.pairwise(reader.windows)):
        assert all(low <= row < high for row in rows[bounds[k] : bounds[k + 1]])
    assert (bounds[0], bounds[-1]) == (0, 6)


def test_a_source_that_drops_hands_the_limits_on():
    graph, config = random_graph(40, 30, 3, 0.5, seed=4), ExtractConfig(max_nodes_per_hop=20)
    users, items = all_pairs(graph)
    part = Part("train", graph, Pairs(users, items, np.zeros(len(users), np.float32)))
    rows = np.arange(0, len(part.pairs), 3)
    dropout = SupportDropout(0.5, "user", most=4)
    user, item = part.pairs.user[rows], part.pairs.item[rows]
    found = LiveSource(part, config, seed=1, support_dropout=dropout).fetch(rows, 5)
    limits = dropout.limits(user, item, seed=1, epoch=5)
    expected = extract_subgraphs(part.graph, user, item, config, seed=1, epoch=5, user_limit=limits[0])
    assert_equal(found, expected)
    shown = np.diff(found.item_ptr) - 1
    few = limits[0] >= 0
    assert np.all(shown[few] <= limits[0][few])
    whole = LiveSource(part, config, seed=1).fetch(rows, 5)
    np.testing.assert_array_equal(shown[~few], np.diff(whole.item_ptr)[~few] - 1)
    assert shown.mean() < np.diff(whole.item_ptr).mean() - 1
