"""Damage is listed, and cleared away to be made again."""

import h5py
import numpy as np
import pytest

from igmc.errors import StoreError
from igmc.store.shard import shard_name
from igmc.store.verify import repair_store, verify_store
from tests.store.small_stores import make_store


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
