"""The manifest says what a store is, and is believed only when it is whole."""

import json
import shutil

import numpy as np
import pytest

from igmc.errors import IgmcError, StoreError
from igmc.store.manifest import read_manifest
from igmc.store.reader import StoreReader
from igmc.store.verify import repair_store, verify_store
from tests.graph.graphs import random_graph
from tests.store.small_stores import assert_equal, make_store


def test_damaged_manifest(tmp_path):
    make_store(tmp_path, random_graph(4, 4, 2, 0.5, seed=1))
    path = tmp_path / "manifest.json"
    record = json.loads(path.read_text())
    bad = [b"", b"{", b"[]", b"\xff\xfe", json.dumps(record | {"pairs": "16"}).encode()]
    bad += [json.dumps(record | change).encode() for change in ({"shard_size": 0}, {"pairs": -1}, {"x": 1})]
    for text in bad:
        path.write_bytes(text)
        with pytest.raises(StoreError, match=r"manifest.*--repair"):
            StoreReader(tmp_path)
    assert [file.path.name for file in repair_store(tmp_path)] == ["manifest.json"]
    assert not path.exists()
    assert [file.reason for file in verify_store(tmp_path)] == ["it is missing"]


def test_flipped_bits_in_the_manifest(tmp_path):
    stored = make_store(tmp_path, random_graph(6, 6, 2, 0.5, seed=1), shard_size=7)
    path = tmp_path / "manifest.json"
    whole = path.read_bytes()
    fingerprint = read_manifest(tmp_path).fingerprint
    origin = range(whole.index(b'"origin"'), whole.index(b'"pairs": 36'))  # kept for people to read
    for position in set(range(len(whole))) - set(origin):
        bad = bytearray(whole)
        bad[position] ^= 1 << (position % 5)
        path.write_bytes(bad)
        try:
            reader = StoreReader(tmp_path, fingerprint=fingerprint)
            assert_equal(reader.read(np.arange(len(reader))), stored)
            assert reader.content_digest == json.loads(whole)["content_digest"] or reader.verify()
        except IgmcError:
            pass


@pytest.mark.parametrize("key", ["version", "format"])
def test_another_version_is_refused(tmp_path, key):
    make_store(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: 2}))
    with pytest.raises(StoreError, match=r"has another format.*allowed: igmc-store version 1"):
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
