import threading

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.errors import ConfigError, StoreError
from igmc.extract.pool import extract_store
from igmc.graph.parts import Part
from igmc.graph.subgraph import Subgraphs
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource, StoreSource
from igmc.ratings.table import Pairs
from igmc.store.reader import StoreReader
from tests.graph.graphs import all_pairs, random_graph

CONFIG = ExtractConfig(max_nodes_per_hop=4)


@pytest.fixture(scope="module")
def part() -> Part:
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    rating = np.arange(len(users), dtype=np.float32)  # names the pair, so that batches can be told apart
    return Part("train", graph, Pairs(users, items, rating))


def ratings(loader: Loader, epoch: int) -> list[list[float]]:
    return [batch.rating.tolist() for batch in loader.epoch(epoch)]


def test_without_shuffling_the_order_is_kept(part):
    batches = ratings(Loader(LiveSource(part, CONFIG, seed=1), 7), epoch=3)
    assert [len(b) for b in batches] == [7] * 42 + [6]
    assert np.concatenate(batches).tolist() == part.pairs.rating.tolist()


def test_each_epoch_has_every_pair_once_in_an_order_of_its_own(part):
    loader = Loader(LiveSource(part, CONFIG, seed=1), 16, seed=5, shuffle=True)
    first, second = (np.concatenate(ratings(loader, epoch)) for epoch in (1, 2))
    assert sorted(first) == sorted(second) == part.pairs.rating.tolist()
    assert first.tolist() != second.tolist()
    again = Loader(LiveSource(part, CONFIG, seed=1), 16, seed=5, shuffle=True)
    assert np.concatenate(ratings(again, 2)).tolist() == second.tolist()
    other = Loader(LiveSource(part, CONFIG, seed=1), 16, seed=6, shuffle=True)
    assert np.concatenate(ratings(other, 2)).tolist() != second.tolist()


def test_noise_is_different_for_each_batch_epoch_and_seed(part):
    source = LiveSource(part, CONFIG, seed=1)
    keys = [
        b.noise for seed in (0, 1) for epoch in (0, 1, 2) for b in Loader(source, 100, seed=seed).epoch(epoch)
    ]
    assert len(set(keys)) == len(keys) == 18


@pytest.mark.parametrize("prefetch", [0, 1, 2, 100])
def test_prefetching_changes_nothing(part, prefetch):
    source = LiveSource(part, CONFIG, seed=1)
    plain = list(Loader(source, 32, seed=2, shuffle=True, prefetch=0).epoch(1))
    ahead = list(Loader(source, 32, seed=2, shuffle=True, prefetch=prefetch).epoch(1))
    assert len(plain) == len(ahead)
    for one, other in zip(plain, ahead, strict=True):
        assert one.noise == other.noise
        np.testing.assert_array_equal(one.subgraphs.edge_item, other.subgraphs.edge_item)


def test_a_store_larger_than_its_cache_is_shuffled_by_windows(part, tmp_path):
    extract_store(part, CONFIG, seed=1, folder=tmp_path, workers=1, shard_size=50, progress=False)
    reader = StoreReader(tmp_path, cache_bytes=30_000)
    source = StoreSource(reader, part.pairs)
    assert len(source.windows) > 2
    order = np.concatenate(ratings(Loader(source, 16, seed=5, shuffle=True), 1))
    assert sorted(order) == part.pairs.rating.tolist()
    window = np.searchsorted(source.windows, order, side="right")
    assert np.count_nonzero(np.diff(window)) == len(source.windows) - 2  # one window after the other


def test_side_features_of_both_targets_stand_side_by_side(part):
    users = np.arange(20, dtype=np.float32)[:, None]
    items = 100 + np.arange(15, dtype=np.float32)[:, None]
    for batch in Loader(LiveSource(part, CONFIG, seed=1), 64, side=(users, items)).epoch(0):
        pair = batch.rating.numpy().astype(int)
        np.testing.assert_array_equal(
            batch.side.numpy(), np.stack([part.pairs.user[pair], 100 + part.pairs.item[pair]], axis=1)
        )


class Failing(LiveSource):
    def fetch(self, rows: np.ndarray, epoch: int) -> Subgraphs:
        if rows[0] >= 64:
            raise StoreError("shard 3 is damaged")
        return super().fetch(rows, epoch)


def test_errors_in_the_background_reach_the_caller(part):
    batches = Loader(Failing(part, CONFIG, seed=1), 32).epoch(0)
    assert len(next(batches)) == 32
    with pytest.raises(StoreError, match="shard 3 is damaged"):
        list(batches)


def test_leaving_an_epoch_early_leaves_no_thread_behind(part):
    batches = Loader(LiveSource(part, CONFIG, seed=1), 8).epoch(0)
    next(batches)
    batches.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("igmc-loader")]


def test_batch_size_is_checked(part):
    with pytest.raises(ConfigError, match="the batch size is out of range; got 0; allowed: 1 or more"):
        Loader(LiveSource(part, CONFIG, seed=1), 0)
