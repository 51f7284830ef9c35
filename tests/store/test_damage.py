"""Whatever happens to a store, its reader says so or returns what was written: never silently other data."""

import json

import h5py
import numpy as np
import pytest

from igmc.errors import IgmcError, StoreError
from igmc.store.manifest import read_manifest
from igmc.store.reader import StoreReader
from igmc.store.shard import shard_name
from igmc.store.verify import repair_store, verify_store
from tests.graph.graphs import random_graph
from tests.store.stores import assert_equal, make_store


def outcome(folder, stored) -> str:
    """What a reader of the whole store meets: an error that names shard and remedy, or the old data."""
    try:
        got = StoreReader(folder).read(np.arange(len(stored)))
    except StoreError as error:
        return "noticed" if "00001.h5" in str(error) and "--repair" in str(error) else str(error)
    assert_equal(got, stored)
    return "unharmed"


@pytest.fixture(params=[False, True], ids=["plain", "gzip"])
def store(request, tmp_path):
    stored = make_store(tmp_path, shard_size=40, compress=request.param)
    return tmp_path, stored, tmp_path / "00001.h5"


def test_flipped_bits(store):
    folder, stored, path = store
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    outcomes = []
    for position in rng.choice(len(whole), size=250, replace=False).tolist():
        bad = bytearray(whole)
        bad[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        outcomes.append(outcome(folder, stored))
    assert set(outcomes) == {"noticed", "unharmed"}
    assert outcomes.count("noticed") > 100  # the others hit bytes that hold nothing


def test_flipped_bits_in_data_are_always_noticed(store):
    folder, stored, path = store
    whole = path.read_bytes()
    with h5py.File(path) as file:
        chunks = [file[name].id.get_chunk_info(0) for name in ("edge/item", "edge/level", "pair/rating")]
    rng = np.random.default_rng(1)
    for chunk in chunks:
        for _ in range(20):
            bad = bytearray(whole)
            bad[chunk.byte_offset + int(rng.integers(chunk.size))] ^= 1 << int(rng.integers(8))
            path.write_bytes(bad)
            assert outcome(folder, stored) == "noticed"


@pytest.mark.parametrize("block", [16, 512, 4096])
def test_zero_filled_blocks(store, block):
    folder, stored, path = store
    whole = path.read_bytes()
    outcomes = []
    for start in range(0, len(whole), max(block, len(whole) // 40)):
        path.write_bytes(whole[:start] + bytes(len(whole[start : start + block])) + whole[start + block :])
        outcomes.append(outcome(folder, stored))
    assert {"noticed"} <= set(outcomes) <= {"noticed", "unharmed"}


def test_zeros_that_pass_the_checksum_filter_are_noticed(tmp_path):
    stored = make_store(tmp_path, shard_size=40)
    path = tmp_path / "00001.h5"
    with h5py.File(path) as file:
        chunk = file["edge/level"].id.get_chunk_info(0)
    whole = path.read_bytes()
    end = chunk.byte_offset + chunk.size
    path.write_bytes(whole[: chunk.byte_offset] + bytes(chunk.size) + whole[end:])
    with h5py.File(path) as file:
        assert not file["edge/level"][()].any()  # HDF5 itself has nothing to say
    with pytest.raises(StoreError, match="its data do not match its digest"):
        StoreReader(tmp_path).read(np.arange(len(stored)))


def test_truncation(store):
    folder, stored, path = store
    whole = path.read_bytes()
    for length in [0, 1, 8, 100, *range(0, len(whole), len(whole) // 50)]:
        path.write_bytes(whole[:length])
        assert outcome(folder, stored) == "noticed"


def test_missing_and_foreign_files(store):
    folder, stored, path = store
    path.unlink()
    with pytest.raises(StoreError, match=r"00001\.h5 is missing.*--repair"):
        StoreReader(folder)
    path.write_text("user,item,rating\n1,2,3\n")
    assert outcome(folder, stored) == "noticed"
    path.unlink()
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(10)
    with pytest.raises(StoreError, match=r"00001\.h5 is damaged: it has no commit record"):
        StoreReader(folder)
    for attribute in (7, np.arange(3), np.bytes_(b"[]"), np.bytes_(b"{"), np.bytes_(b'{"x": 1}'), "text"):
        with h5py.File(path, "w") as file:
            file.attrs["commit"] = attribute
        assert outcome(folder, stored) == "noticed"


@pytest.mark.parametrize("name", ["edge/level", "pair/users", "user/degree"])
def test_columns_that_are_missing_or_do_not_fit(store, name):
    folder, stored, path = store
    with h5py.File(path, "r+") as file:
        values = file[name][()]
        del file[name]
    assert outcome(folder, stored) == "noticed"
    for other in (values[:-1], values.astype(np.float32), values.reshape(-1, 1)):
        with h5py.File(path, "r+") as file:
            file.pop(name, None)
            file[name] = other
        assert outcome(folder, stored) == "noticed"


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
