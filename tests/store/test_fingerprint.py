"""Digests change with what a store holds and with nothing else."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.subgraph import Subgraphs
from igmc.ratings.table import Pairs
from igmc.store.fingerprint import (
    content_digest,
    data_digest,
    fingerprint,
    fingerprint_of,
    origin,
    pair_digests,
)
from igmc.store.reader import StoreReader
from igmc.store.schema import DIGEST, encode
from tests.graph.any_graph import extract_configs, graphs
from tests.store.small_stores import CONFIG, GRAPH, make_store, pairs_of, subgraphs_of


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


def test_the_origin_is_plain_json_and_the_fingerprint_its_hash():
    pairs = pairs_of(GRAPH)
    source = origin(GRAPH, pairs, CONFIG, 7)
    assert json.loads(json.dumps(source)) == source
    assert source["extract"] == CONFIG.to_dict()
    assert fingerprint_of(source) == fingerprint(GRAPH, pairs, CONFIG, 7)
    assert fingerprint_of(dict(reversed(source.items()))) == fingerprint_of(source), "keys are sorted"
    assert fingerprint_of(source | {"version": 2}) != fingerprint_of(source)


@given(graph=graphs, config=extract_configs, border=st.integers(0, 40))
def test_a_pair_has_one_digest_in_whichever_block_it_stands(graph, config, border):
    pairs = pairs_of(graph, 40)
    stored = subgraphs_of(graph, pairs, config)
    whole = pair_digests(encode(stored, pairs.rating))
    assert whole.shape == (len(pairs), 16)
    parts = [
        pair_digests(encode(stored[rows], pairs.rating[rows]))
        for rows in (slice(border), slice(border, None))
    ]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(
    "field",
    ["user", "item", "user_id", "user_label", "degree", "item_id", "item_label", "edge_item", "edge_level"],
)
def test_every_part_of_a_subgraph_changes_the_digest_of_its_pair_alone(field):
    pairs = pairs_of(GRAPH, 5)
    stored = subgraphs_of(GRAPH, pairs, CONFIG)
    values = getattr(stored, field).copy()
    values[-1] += 1  # it belongs to the last pair
    before, after = (
        pair_digests(encode(s, pairs.rating)) for s in (stored, replace(stored, **{field: values}))
    )
    assert (before != after).any(axis=1).tolist() == [False] * 4 + [True]


def test_a_digest_covers_the_rating():
    stored = subgraphs_of(GRAPH, pairs_of(GRAPH, 3), CONFIG)
    one, two = (pair_digests(encode(stored, np.array(r, np.float32))) for r in ([1, 2, 3], [1, 5, 3]))
    assert (one != two).any(axis=1).tolist() == [False, True, False]


def test_the_content_digest_depends_on_the_order_of_the_pairs_but_not_on_their_shards():
    digests = np.random.default_rng(0).integers(256, size=(9, 16), dtype=np.uint8)
    whole = content_digest([digests])
    for borders in ([], [1], [2, 7], [3, 3, 8]):
        assert content_digest(np.split(digests, borders)) == whole
    assert content_digest([digests[::-1]]) != whole
    assert content_digest([]) == hashlib.sha256().hexdigest()


def test_the_data_digest_covers_type_and_shape_besides_the_bytes():
    stored = subgraphs_of(GRAPH, pairs_of(GRAPH, 8), CONFIG)
    columns = encode(stored, np.ones(8, np.float32)) | {DIGEST: np.zeros((8, 16), np.uint8)}
    changed = [
        columns,
        columns | {"user/label": columns["user/label"].view(np.int8)},
        columns | {DIGEST: np.zeros((16, 8), np.uint8)},
        columns | {"pair/user": columns["pair/user"] + 1},
        columns | {"user/id": columns["item/id"], "item/id": columns["user/id"]},
    ]
    assert len({data_digest(one) for one in changed}) == len(changed)
