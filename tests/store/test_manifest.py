"""The manifest says what a store is, and is believed only when it is whole."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import IgmcError, StoreError
from igmc.store.manifest import (
    DamagedManifestError,
    Manifest,
    check_fingerprint,
    read_manifest,
    write_manifest,
)
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


def manifest(**changes) -> Manifest:
    return Manifest(**{"fingerprint": "f" * 64, "origin": {"seed": 1}, "pairs": 9, "shard_size": 4} | changes)


def test_what_is_written_is_read(tmp_path):
    assert read_manifest(tmp_path) is None
    for made in (manifest(), manifest(pairs=0), manifest(content_digest="c" * 64)):
        write_manifest(tmp_path, made)
        assert read_manifest(tmp_path) == made
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]


@given(pairs=st.integers(0, 200), shard_size=st.integers(1, 250))
def test_shards_hold_every_pair_once_and_all_but_the_last_are_full(pairs, shard_size):
    made = manifest(pairs=pairs, shard_size=shard_size)
    rows = [range(pairs)[made.rows(shard)] for shard in range(made.shards)]
    assert [pair for run in rows for pair in run] == list(range(pairs))
    assert all(len(run) == shard_size for run in rows[:-1])
    assert all(len(run) > 0 for run in rows)


def test_a_manifest_that_cannot_be_read_is_told_from_one_that_is_not_there(tmp_path):
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(
        DamagedManifestError, match=r"the manifest .*manifest\.json cannot be read: .*directory"
    ):
        read_manifest(tmp_path)


@pytest.mark.parametrize(
    "change",
    [
        {"fingerprint": 1},
        {"origin": "x"},
        {"pairs": 9.0},
        {"pairs": True},
        {"shard_size": None},
        {"content_digest": 5},
    ],
)
def test_a_key_of_the_wrong_type_is_damage(tmp_path, change):
    write_manifest(tmp_path, manifest(content_digest="c"))
    path = tmp_path / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(DamagedManifestError, match=r"the manifest .* is damaged; hint: run igmc-extract"):
        read_manifest(tmp_path)


def test_a_key_that_is_missing_is_damage(tmp_path):
    for key in ("fingerprint", "origin", "pairs", "shard_size", "content_digest"):
        write_manifest(tmp_path, manifest())
        record = json.loads((tmp_path / "manifest.json").read_text())
        del record[key]
        (tmp_path / "manifest.json").write_text(json.dumps(record))
        with pytest.raises(DamagedManifestError, match="is damaged"):
            read_manifest(tmp_path)


def test_the_fingerprint_of_something_else_is_shown_beside_the_one_wanted(tmp_path):
    check_fingerprint(tmp_path, manifest(), "f" * 64)
    with pytest.raises(
        StoreError, match=r"made from other ratings.*; got 'f{64}'; allowed: e{64}; .*extract again"
    ):
        check_fingerprint(tmp_path, manifest(), "e" * 64)


def test_a_shard_of_another_size_does_not_belong_here(tmp_path):
    make_store(tmp_path, shard_size=20)
    read = read_manifest(tmp_path)
    assert read.commit(tmp_path, 1).first == 20
    with pytest.raises(
        StoreError, match=r"00001\.h5 does not belong to this store; got \(.*, 20, 20, 20\); allowed"
    ):
        replace(read, shard_size=40).commit(tmp_path, 1)
    with pytest.raises(StoreError, match=r"00006\.h5 is missing"):
        read.commit(tmp_path, 6)
