"""Whatever happens to a store, its reader says so or returns what was written: never silently other data."""

import errno
import json
import os
from dataclasses import replace

import h5py
import numpy as np
import pytest

from igmc.errors import IgmcError, StoreError
from igmc.store.reader import StoreReader
from igmc.store.shard import read_column, read_commit, read_shard, shard_name
from tests.store.small_stores import assert_equal, make_store


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


def test_shard_of_another_version_is_refused(tmp_path):
    make_store(tmp_path)
    with h5py.File(tmp_path / "00001.h5", "r+") as file:
        commit = json.loads(file.attrs["commit"]) | {"version": 2}
        file.attrs["commit"] = np.bytes_(json.dumps(commit).encode())
    with pytest.raises(StoreError, match=r"00001\.h5.*another format.*igmc-store version 1"):
        StoreReader(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="permission bits do not bind root")
def test_unreadable_shard_is_not_called_damaged(tmp_path):
    make_store(tmp_path)
    (tmp_path / "00000.h5").chmod(0)
    with pytest.raises(Exception, match="cannot be read: Permission denied"):
        StoreReader(tmp_path)


@pytest.mark.parametrize(("number", "name"), [(0, "00000.h5"), (42, "00042.h5"), (123_456, "123456.h5")])
def test_names_sort_as_numbers_up_to_five_digits(number, name):
    assert shard_name(number) == name


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"first": "0"}, "its commit record has values of the wrong type"),
        ({"pairs": 1.0}, "its commit record has values of the wrong type"),
        ({"format": "other"}, r"it has another format"),
        ({"surprise": 1}, "unexpected keyword argument 'surprise'"),
    ],
)
def test_a_commit_record_that_is_not_as_agreed(tmp_path, record, message):
    make_store(tmp_path)
    path = tmp_path / "00001.h5"
    with h5py.File(path, "r+") as file:
        commit = json.loads(file.attrs["commit"]) | record
        file.attrs["commit"] = np.bytes_(json.dumps(commit).encode())
    with pytest.raises(StoreError, match=rf"00001\.h5 is damaged: .*{message}.*--repair"):
        read_commit(path)


def test_a_shard_is_checked_against_the_record_that_is_expected(tmp_path):
    make_store(tmp_path, shard_size=20)
    path = tmp_path / "00001.h5"
    commit = read_commit(path)
    shard = read_shard(path, commit)
    assert (commit.first, commit.pairs) == (20, len(shard.columns["pair/user"])) == (20, 20)
    assert shard.nbytes == commit.data_bytes + 3 * 8 * 21, (
        "columns, and three pointers for each pair and the end"
    )
    with pytest.raises(StoreError, match=r"00001\.h5 is damaged: its commit record has changed"):
        read_shard(path, replace(commit, first=40))


def test_one_column_is_read_without_the_others(tmp_path):
    stored = make_store(tmp_path, shard_size=20)
    assert read_column(tmp_path / "00002.h5", "pair/user").tolist() == stored.user[40:60].tolist()
    with pytest.raises(StoreError, match=r"00002\.h5 is damaged: .*'users2' doesn't exist"):
        read_column(tmp_path / "00002.h5", "pair/users2")
    with pytest.raises(StoreError, match=r"00077\.h5 is missing"):
        read_column(tmp_path / "00077.h5", "pair/user")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EMFILE, errno.ENOMEM])
def test_trouble_of_the_machine_is_not_called_damage(tmp_path, monkeypatch, code):
    make_store(tmp_path)

    def refuse(*args, **options):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("igmc.store.shard.h5py.File", refuse)
    with pytest.raises(
        IgmcError, match=rf"cannot be read: {os.strerror(code)}; .*run the same command again"
    ) as caught:
        read_commit(tmp_path / "00000.h5")
    assert not isinstance(caught.value, StoreError), "or a repair would remove it"
