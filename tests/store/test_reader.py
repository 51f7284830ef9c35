import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.errors import StoreError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.subgraph import Subgraphs
from igmc.ratings.table import Pairs
from igmc.store import shard as shard_module
from igmc.store.fingerprint import fingerprint, pair_digests
from igmc.store.manifest import Manifest, read_manifest, write_manifest
from igmc.store.reader import StoreReader
from igmc.store.schema import encode
from tests.graph.graphs import extract_configs, graphs, random_graph
from tests.store.stores import CONFIG, GRAPH, assert_equal, make_store, pairs_of, take


@settings(max_examples=40, deadline=None)
@given(
    graph=graphs,
    config=extract_configs,
    shard_size=st.integers(1, 700),
    compress=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_what_is_written_is_read(graph, config, shard_size, compress, seed):
    with tempfile.TemporaryDirectory() as folder:
        pairs = pairs_of(graph, limit=8 * shard_size)
        stored = make_store(
            Path(folder), graph, config, shard_size=shard_size, compress=compress, pairs=pairs
        )
        reader = StoreReader(folder, fingerprint=fingerprint(graph, pairs, config, 0))
        rng = np.random.default_rng(seed)
        indices = rng.integers(len(stored), size=rng.integers(0, 60))  # any order, some twice
        got = reader.read(indices)
        got.check()
        assert_equal(got, take(stored, indices))
        np.testing.assert_array_equal(reader.ratings, pairs.rating)


@pytest.mark.parametrize(("n_items", "width"), [(255, 1), (256, 2), (70_000, 4)])
def test_item_positions_and_ids_of_any_width_are_read(tmp_path, n_items, width):
    # user 0 rated all items but the last: with the target item there are n_items + 1 item nodes
    graph = BipartiteGraph.from_ratings(
        np.zeros(n_items),
        np.arange(n_items),
        np.arange(n_items) % 3,
        n_users=2,
        n_items=n_items + 1,
        n_levels=3,
    )
    pairs = Pairs([0, 1], [n_items, 0], [1.0, 2.0])
    stored = make_store(tmp_path, graph, ExtractConfig(), pairs=pairs)
    assert_equal(StoreReader(tmp_path).read([1, 0]), take(stored, np.array([1, 0])))
    column = shard_module.read_column(tmp_path / "00000.h5", "edge/item")
    assert column.itemsize == width


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


def test_cache_stays_within_its_bound_and_content_does_not_depend_on_it(tmp_path):
    stored = make_store(tmp_path, shard_size=10)
    whole = StoreReader(tmp_path)
    whole.read(np.arange(len(whole)))
    order = np.random.default_rng(0).permutation(len(whole))
    for cache_bytes in (0, whole.cached_bytes // 3, whole.cached_bytes):
        reader = StoreReader(tmp_path, cache_bytes=cache_bytes)
        for indices in np.array_split(order, 7):
            assert_equal(reader.read(indices), take(stored, indices))
            assert reader.cached_bytes <= cache_bytes
    assert reader.cached_bytes == whole.cached_bytes  # the last one holds them all


def test_cached_shards_are_read_from_the_disk_once(tmp_path, monkeypatch):
    make_store(tmp_path, shard_size=10)
    reads = []
    original = shard_module.read_shard
    monkeypatch.setattr("igmc.store.reader.read_shard", lambda *a: reads.append(a[0].name) or original(*a))
    reader = StoreReader(tmp_path)
    for _ in range(3):
        reader.read([5, 15, 7])
    assert reads == ["00000.h5", "00001.h5"]


def test_windows_are_whole_shards_that_fit_the_cache(tmp_path):
    make_store(tmp_path, shard_size=10)
    whole = StoreReader(tmp_path)
    assert whole.windows.tolist() == [0, len(whole)]
    shards = [*range(0, 120, 10), 120]
    whole.read(np.arange(len(whole)))
    reader = StoreReader(tmp_path, cache_bytes=whole.cached_bytes // 2)
    bounds = reader.windows
    assert len(bounds) > 3
    assert bounds[0] == 0
    assert bounds[-1] == len(reader)
    assert set(bounds.tolist()) <= set(shards)
    for first, last in itertools.pairwise(bounds):
        fresh = StoreReader(tmp_path, cache_bytes=whole.cached_bytes)
        fresh.read(np.arange(first, last))
        assert fresh.cached_bytes <= reader._cache_bytes // 2
    tiny = StoreReader(tmp_path, cache_bytes=0)
    assert tiny.windows.tolist() == shards


def test_many_threads_read_the_same_as_one(tmp_path):
    stored = make_store(tmp_path, shard_size=8)
    reader = StoreReader(tmp_path, cache_bytes=20_000)
    failures = []

    def work(seed: int) -> None:
        rng = np.random.default_rng(seed)
        try:
            for _ in range(30):
                indices = rng.integers(len(stored), size=9)
                assert_equal(reader.read(indices), take(stored, indices))
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert 0 < reader.cached_bytes <= 20_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_a_thread_reads_can_read(tmp_path):
    script = f"""
import os
import signal
import threading
from igmc.store import reader as module

reader, real = module.StoreReader({str(tmp_path)!r}), module.read_shard
begun, forked = threading.Event(), threading.Event()


def slow(*args):
    begun.set()
    forked.wait(60)
    return real(*args)


module.read_shard = slow
thread = threading.Thread(target=reader.read, args=([1],))
thread.start()
begun.wait(60)
child = os.fork()
if not child:
    signal.alarm(20)
    module.read_shard = real
    os._exit(0 if len(reader.read([1, 2])) == 2 else 1)
forked.set()
thread.join()
raise SystemExit(os.waitpid(child, 0)[1])
"""
    make_store(tmp_path)
    subprocess.run([sys.executable, "-W", "ignore", "-c", script], check=True, timeout=60)


def test_store_without_pairs(tmp_path):
    make_store(tmp_path, pairs=Pairs([], [], []))
    reader = StoreReader(tmp_path)
    assert len(reader) == 0
    assert reader.windows.tolist() == [0, 0]
    assert len(reader.read(np.empty(0, np.int64))) == 0
    assert reader.ratings.shape == (0,)
    assert reader.verify() == []


@pytest.mark.parametrize("index", [-1, 120])
def test_index_out_of_range(tmp_path, index):
    make_store(tmp_path)
    with pytest.raises(IndexError, match="in a store of 120"):
        StoreReader(tmp_path).read([0, index])


def test_store_of_something_else_is_an_error(tmp_path):
    make_store(tmp_path)
    other = fingerprint(GRAPH, pairs_of(GRAPH), CONFIG, 1)
    with pytest.raises(StoreError, match="made from other ratings, pairs, settings or seed"):
        StoreReader(tmp_path, fingerprint=other)


def test_folder_without_a_store(tmp_path):
    with pytest.raises(StoreError, match=r"there is no store in .* run igmc-extract first"):
        StoreReader(tmp_path / "nowhere")


def test_incomplete_store(tmp_path):
    make_store(tmp_path)
    manifest = read_manifest(tmp_path)
    write_manifest(tmp_path, Manifest(**{**vars(manifest), "content_digest": None}))
    with pytest.raises(StoreError, match="is not complete; to mend it: run igmc-extract"):
        StoreReader(tmp_path)


def test_shards_of_another_place_or_store_are_refused(tmp_path):
    make_store(tmp_path / "a", shard_size=20)
    make_store(tmp_path / "b", random_graph(12, 10, 5, 0.4, seed=4), shard_size=20)
    shutil.copy(tmp_path / "b" / "00002.h5", tmp_path / "a" / "00002.h5")
    with pytest.raises(StoreError, match=r"00002\.h5 does not belong to this store.*--repair"):
        StoreReader(tmp_path / "a")
    shutil.copy(tmp_path / "a" / "00001.h5", tmp_path / "a" / "00002.h5")
    with pytest.raises(StoreError, match=r"00002\.h5 does not belong to this store.*--repair"):
        StoreReader(tmp_path / "a")


def test_shard_that_changes_after_opening_is_noticed(tmp_path):
    make_store(tmp_path / "a", shard_size=20)
    make_store(tmp_path / "b", seed=9, shard_size=20)
    reader = StoreReader(tmp_path / "a")
    shutil.copy(tmp_path / "b" / "00001.h5", tmp_path / "a" / "00001.h5")
    with pytest.raises(StoreError, match=r"00001\.h5 is damaged: its commit record has changed"):
        reader.read([25])


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_unreadable_shard_is_not_called_damaged(tmp_path):
    make_store(tmp_path)
    (tmp_path / "00000.h5").chmod(0)
    with pytest.raises(Exception, match="cannot be read: Permission denied"):
        StoreReader(tmp_path)
