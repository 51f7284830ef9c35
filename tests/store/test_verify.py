"""Damage is listed, and cleared away to be made again."""

from dataclasses import replace

import h5py
import numpy as np
import pytest

from igmc.errors import IgmcError, StoreError
from igmc.files import locked
from igmc.store.manifest import Manifest, read_manifest, write_manifest
from igmc.store.shard import shard_name
from igmc.store.verify import repair_store, verify_store
from igmc.store.writer import write_shard
from tests.store.small_stores import CONFIG, GRAPH, make_store, pairs_of, subgraphs_of


def test_verify_names_every_bad_shard_and_repair_removes_them_only(tmp_path):
    make_store(tmp_path, shard_size=20)
    assert verify_store(tmp_path) == []
    (tmp_path / shard_name(1)).unlink()
    bad = bytearray((tmp_path / shard_name(3)).read_bytes())
    with h5py.File(tmp_path / shard_name(3)) as file:
        bad[file["edge/item"].id.get_chunk_info(0).byte_offset] ^= 4
    (tmp_path / shard_name(3)).write_bytes(bad)
    (tmp_path / shard_name(4)).write_bytes(b"")
    (tmp_path / "00002.h5.123.partial").write_bytes(b"half")
    damage = verify_store(tmp_path)
    assert [file.path.name for file in damage] == ["00001.h5", "00003.h5", "00004.h5"]
    assert "missing" in damage[0].reason
    assert repair_store(tmp_path) == damage
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "00000.h5",
        "00002.h5",
        "00005.h5",
        "manifest.json",
    ]


def test_verify_recomputes_the_digest_of_each_pair(tmp_path, monkeypatch):
    make_store(tmp_path)
    monkeypatch.setattr(
        "igmc.store.verify.pair_digests", lambda columns: np.zeros_like(columns["pair/digest"])
    )
    assert "its pairs do not match their digests" in verify_store(tmp_path)[0].reason


def test_repair_leaves_a_store_of_something_else_alone(tmp_path):
    make_store(tmp_path)
    (tmp_path / "00000.h5").write_bytes(b"")
    with pytest.raises(StoreError, match="made from other"):
        repair_store(tmp_path, fingerprint="0" * 64)
    assert (tmp_path / "00000.h5").exists()


def test_shards_that_are_not_those_of_the_manifest_are_its_damage(tmp_path):
    make_store(tmp_path)
    manifest = read_manifest(tmp_path)
    write_manifest(tmp_path, replace(manifest, content_digest="0" * 64))
    (damage,) = repair_store(tmp_path)
    assert damage.path == tmp_path / "manifest.json"
    assert damage.reason == f"its content digest is {'0' * 64}, that of the shards {manifest.content_digest}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"0000{k}.h5" for k in range(4)]


def test_a_store_that_is_not_complete_is_damaged_only_where_shards_lack(tmp_path):
    make_store(tmp_path)
    write_manifest(tmp_path, replace(read_manifest(tmp_path), content_digest=None))
    assert verify_store(tmp_path) == []
    (tmp_path / "00003.h5").unlink()
    assert [file.path.name for file in verify_store(tmp_path)] == ["00003.h5"]


def test_a_folder_without_a_store_lacks_its_manifest(tmp_path):
    (damage,) = verify_store(tmp_path)
    assert (damage.path, damage.reason) == (tmp_path / "manifest.json", "it is missing")


def test_subgraphs_that_break_their_own_rules_are_found_though_all_digests_match(tmp_path):
    pairs = pairs_of(GRAPH, 10)
    stored = subgraphs_of(GRAPH, pairs, CONFIG)
    beyond = stored.edge_item.copy()
    beyond[0] = 200  # no such item node
    manifest = Manifest("f", {}, 10, 10)
    write_manifest(tmp_path, manifest)
    for subgraphs, found in ((stored, []), (replace(stored, edge_item=beyond), ["00000.h5"])):
        blocks = [(subgraphs, pairs.rating)]
        write_shard(tmp_path / "00000.h5", blocks, fingerprint="f", first=0, shard_size=10)
        assert [file.path.name for file in verify_store(tmp_path)] == found


def test_another_version_is_an_error_and_is_never_repaired_away(tmp_path):
    make_store(tmp_path)
    path = tmp_path / "manifest.json"
    path.write_text(path.read_text().replace('"version": 1', '"version": 9'))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StoreError, match="has another format"):
        repair_store(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_a_store_that_is_being_written_is_not_repaired(tmp_path):
    make_store(tmp_path)
    (tmp_path / "00000.h5").write_bytes(b"")
    with locked(tmp_path), pytest.raises(IgmcError, match="another process is writing to"):
        repair_store(tmp_path)
    assert (tmp_path / "00000.h5").exists()
