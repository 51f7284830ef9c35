import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.errors import StoreError
from igmc.graph.bipartite import BipartiteGraph
from igmc.ratings.table import Pairs
from igmc.store import shard as shard_module
from igmc.store.fingerprint import fingerprint
from igmc.store.manifest import Manifest, read_manifest, write_manifest
from igmc.store.reader import StoreReader
from tests.graph.any_graph import extract_configs, graphs
from tests.store.small_stores import CONFIG, GRAPH, assert_equal, make_store, pairs_of, take


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
    with pytest.raises(StoreError, match="is not complete; hint: run igmc-extract"):
        StoreReader(tmp_path)


def test_shard_that_changes_after_opening_is_noticed(tmp_path):
    make_store(tmp_path / "a", shard_size=20)
    make_store(tmp_path / "b", seed=9, shard_size=20)
    reader = StoreReader(tmp_path / "a")
    shutil.copy(tmp_path / "b" / "00001.h5", tmp_path / "a" / "00001.h5")
    with pytest.raises(StoreError, match=r"00001\.h5 is damaged: its commit record has changed"):
        reader.read([25])
