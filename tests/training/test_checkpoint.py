import hashlib
import os
import resource
import signal
from fractions import Fraction

import numpy as np
import pytest
import torch

from igmc.errors import CheckpointError, IgmcError
from igmc.training.checkpoint import MAGIC, load_checkpoint, save_checkpoint


def make_state(seed=0):
    generator = torch.Generator().manual_seed(seed)
    return {
        "model": {"weight": torch.randn(5, 3, generator=generator), "bias": torch.zeros(3)},
        "optimizer": {"state": {0: {"step": torch.tensor(7.0)}}, "param_groups": [{"lr": 1e-3}]},
        "history": [{"epoch": 1, "mse": 0.1 + 0.2, "validation_rmse": None}],
    }


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "epoch-0001.ckpt"
    save_checkpoint(path, make_state())
    return path


def test_what_is_saved_is_loaded(path):
    loaded, expected = load_checkpoint(path), make_state()
    assert loaded["history"] == expected["history"]
    assert loaded["optimizer"]["param_groups"] == expected["optimizer"]["param_groups"]
    for name, tensor in expected["model"].items():
        assert torch.equal(loaded["model"][name], tensor)
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_any_flipped_bit_is_noticed(path):
    whole = path.read_bytes()
    header = range(8 * (len(MAGIC) + 66))
    anywhere = np.random.default_rng(0).integers(8 * len(whole), size=400)
    for bit in [*header, *anywhere.tolist()]:
        damaged = bytearray(whole)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load_checkpoint(path)
    path.write_bytes(whole)
    load_checkpoint(path)


def test_any_missing_end_is_noticed(path):
    whole = path.read_bytes()
    for length in [*range(100), *range(100, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            load_checkpoint(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(CheckpointError, match=r"epoch-0001.ckpt is damaged: its checksum differs"):
        load_checkpoint(path)


def test_damage_is_reported_with_what_to_do(path):
    path.write_bytes(path.read_bytes()[:-1])
    remedy = (
        "delete epoch-0001.ckpt and all later ones, and metrics.json, if there is one; then run igmc-train"
    )
    with pytest.raises(CheckpointError, match=remedy) as caught:
        load_checkpoint(path)
    assert caught.value.exit_code == 3


def test_a_foreign_file_is_no_checkpoint(path):
    torch.save(make_state(), path)
    with pytest.raises(CheckpointError, match="is not a checkpoint of igmc"):
        load_checkpoint(path)


@pytest.mark.parametrize("number", [2, 10])
def test_another_version_is_told_from_damage(path, number):
    path.write_bytes(path.read_bytes().replace(MAGIC, f"igmc checkpoint {number}\n".encode(), 1))
    with pytest.raises(
        CheckpointError, match=r"a checkpoint of another version.*the version of igmc that wrote"
    ):
        load_checkpoint(path)


def test_objects_are_not_unpickled(path):
    save_checkpoint(path, {"history": Fraction(1, 3)})
    with pytest.raises(CheckpointError, match="holds more than tensors and plain types"):
        load_checkpoint(path)


def test_a_payload_that_torch_cannot_read_is_refused_though_its_checksum_agrees(path):
    for content in (b"", b"not a torch file", b"\x80\x02}q\x00."[:3]):
        path.write_bytes(MAGIC + hashlib.sha256(content).hexdigest().encode() + b"\n" + content)
        with pytest.raises(CheckpointError, match="tensors and plain types"):
            load_checkpoint(path)


def test_a_path_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(CheckpointError, match=r"cannot read the checkpoint .*gone.ckpt: No such file"):
        load_checkpoint(tmp_path / "gone.ckpt")
    with pytest.raises(CheckpointError, match="Is a directory"):
        load_checkpoint(tmp_path)


def test_a_full_disk_leaves_the_old_checkpoint(path):
    whole = path.read_bytes()
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(IgmcError, match=r"cannot write .*epoch-0001.ckpt: File too large"):
            save_checkpoint(path, make_state(seed=1))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert path.read_bytes() == whole
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_write_that_never_reached_the_disk_leaves_the_old_checkpoint(path, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    whole = path.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(IgmcError, match=r"No space left on device.*free some space and run the same command"):
        save_checkpoint(path, make_state(seed=1))
    assert path.read_bytes() == whole
    assert [p.name for p in path.parent.iterdir()] == [path.name]
