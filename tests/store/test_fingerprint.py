"""Digests change with what a store holds and with nothing else."""

from dataclasses import replace

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.subgraph import Subgraphs
from igmc.ratings.table import Pairs
from igmc.store.fingerprint import fingerprint, pair_digests
from igmc.store.reader import StoreReader
from igmc.store.schema import encode
from tests.store.small_stores import make_store


def test_digest_does_not_depend_on_shards_though_widths_do(tmp_path):
    # pair 0 has 301 item nodes and pair 1 has 2: together two bytes an edge, apart two and one
    graph = BipartiteGraph.from_ratings(
        np.r_[np.zeros(300), 1], np.r_[np.arange(300), 300], np.zeros(301), n_users=2, n_items=302, n_levels=1
    )
    pairs = Pairs([0, 1], [301, 301], [1.0, 2.0])
    digests = set()
    for shard_size in (1, 2):
        make_store(tmp_path / str(shard_size), graph, ExtractConfig(), pairs=pairs, shard_size=shard_size)
        digests.add(StoreReader(tmp_path / str(shard_size)).content_digest)
        assert StoreReader(tmp_path / str(shard_size)).verify() == []
    assert len(digests) == 1


def test_digest_of_item_nodes_without_edges():
    # 300 item nodes ask for two bytes an edge in the digest, though the one edge there is fits one
    lone = Subgraphs(
        user=np.zeros(1, np.int32),
        item=np.zeros(1, np.int32),
        user_ptr=np.array([0, 1]),
        item_ptr=np.array([0, 300]),
        edge_ptr=np.array([0, 1]),
        user_id=np.zeros(1, np.int32),
        user_label=np.zeros(1, np.uint8),
        item_id=np.arange(300, dtype=np.int32),
        item_label=np.full(300, 3, np.uint8),
        degree=np.ones(1, np.int32),
        edge_item=np.array([7], np.int32),
        edge_level=np.zeros(1, np.uint8),
    )
    lone.check()
    wide = replace(lone, edge_item=np.array([299], np.int32))
    alone = pair_digests(encode(lone, np.ones(1, np.float32)))
    beside = pair_digests(encode(Subgraphs.concat([lone, wide]), np.ones(2, np.float32)))
    np.testing.assert_array_equal(alone[0], beside[0])


@pytest.mark.parametrize("change", ["rating", "level", "seed", "config", "order", "pair_rating"])
def test_fingerprint_covers_everything(change):
    user, item, level = [0, 0, 1], [0, 1, 1], [0, 1, 2]
    pairs, config, seed = Pairs([0, 1], [2, 2], [1, 2]), ExtractConfig(), 1
    sizes = {"n_users": 2, "n_items": 3, "n_levels": 3}
    before = fingerprint(BipartiteGraph.from_ratings(user, item, level, **sizes), pairs, config, seed)
    assert before == fingerprint(BipartiteGraph.from_ratings(user, item, level, **sizes), pairs, config, seed)
    if change == "rating":
        item = [0, 1, 0]
    if change == "level":
        level = [0, 1, 1]
    if change == "seed":
        seed = 2
    if change == "config":
        config = ExtractConfig(hops=2)
    if change == "order":
        pairs = Pairs([1, 0], [2, 2], [2, 1])
    if change == "pair_rating":
        pairs = Pairs([0, 1], [2, 2], [1, 3])
    assert before != fingerprint(BipartiteGraph.from_ratings(user, item, level, **sizes), pairs, config, seed)
