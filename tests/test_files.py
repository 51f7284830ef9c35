"""Files are there whole or not at all, and whatever keeps them from being written says what to do."""

import errno
import logging
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from igmc import files
from igmc.errors import ConfigError, IgmcError
from igmc.files import LineFile, home_dir, locked, replace_file, replacing, sweep, writing
from tests.store.small_stores import make_store


def test_home_dir(monkeypatch, tmp_path):
    monkeypatch.delenv("IGMC_HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert home_dir() == tmp_path / ".cache" / "igmc"
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert home_dir() == Path("/x/igmc")
    monkeypatch.setenv("IGMC_HOME", "~/own")
    assert home_dir() == tmp_path / "own"


@pytest.mark.parametrize("setting", ["", "~/own"])
def test_an_account_without_a_home_is_told_to_name_one(monkeypatch, setting):
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("IGMC_HOME", setting)
    monkeypatch.setattr("pwd.getpwuid", dict[int, str]().__getitem__)  # knows nobody
    with pytest.raises(ConfigError, match="this account has no home folder; hint: set IGMC_HOME"):
        home_dir()


def test_file_is_replaced_whole(tmp_path):
    path = tmp_path / "x"
    replace_file(path, b"one")
    replace_file(path, b"two")
    assert path.read_bytes() == b"two"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_full_disk_for_real(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        replace_file(disk / "fits", bytes(1000))
        with pytest.raises(IgmcError, match=r"cannot write .*/big: No space left on device.*free some space"):
            replace_file(disk / "big", bytes(10**6))
        assert [p.name for p in disk.iterdir()] == ["fits"]
        with pytest.raises(IgmcError, match="No space left on device"):
            make_store(disk / "store", shard_size=4)
        assert not list(disk.rglob("*.partial"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(IgmcError, match=r"Read-only file system.*can be written"):
            replace_file(disk / "new", b"x")
        assert not (disk / "new").exists()
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_limit_on_file_sizes(tmp_path):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, old[1]))
    try:
        with pytest.raises(IgmcError, match=r"cannot write .*: File too large.*ulimit -f"):
            replace_file(tmp_path / "x", np.random.default_rng(0).bytes(200_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(errno.ENOSPC, "free some space"), (errno.EROFS, "can be written"), (errno.EIO, "check the disk")],
)
def test_every_refusal_says_what_to_do(tmp_path, monkeypatch, code, remedy):
    def refuse(handle):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr("os.fsync", refuse)
    with pytest.raises(IgmcError, match=f"{os.strerror(code)}.*{remedy}"):
        replace_file(tmp_path / "x", b"x")
    assert list(tmp_path.iterdir()) == []


def test_interrupt_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(handle):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        replace_file(tmp_path / "x", b"x")
    assert list(tmp_path.iterdir()) == []


def test_one_extraction_a_folder(tmp_path):
    with locked(tmp_path), pytest.raises(IgmcError, match="another process is writing"), locked(tmp_path):
        pass
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_waiting_for_a_folder(tmp_path, caplog):
    caplog.set_level(logging.INFO, "igmc")
    code = "import sys, pathlib\nfrom igmc.files import locked\n"
    code += "with locked(pathlib.Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        threading.Timer(0.2, other.stdin.close).start()
        with locked(tmp_path, wait=True):
            assert other.stdin.closed, "it let go first"
            assert other.wait() == 0
    assert f"waiting for another process to finish writing to {tmp_path}" in caplog.text


def test_sweep_removes_leftovers_only(tmp_path):
    make_store(tmp_path)
    before = sorted(tmp_path.iterdir())
    (tmp_path / "00001.h5.77.partial").write_bytes(b"half")
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "graph-user_ptr.npy").write_bytes(b"x")
    sweep(tmp_path)
    assert sorted(tmp_path.iterdir()) == before


def test_errors_without_a_number_are_reported_too(tmp_path):
    with pytest.raises(IgmcError, match=r"cannot write .*: odd"), writing(tmp_path):
        raise OSError("odd")


def test_a_file_appears_under_its_name_only_when_it_is_whole(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
        assert sorted(p.name for p in tmp_path.iterdir()) == ["x", f"x.{files._HOST}-{os.getpid()}.partial"]
    assert path.read_bytes() == b"new"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_an_error_while_a_file_is_filled_leaves_the_old_one(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"old")
    with pytest.raises(TypeError, match="bytes-like"), replacing(path) as file:
        file.writelines([b"half", "no bytes"])
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_chunks_are_written_one_after_the_other(tmp_path):
    replace_file(tmp_path / "x", b"one ", b"", b"two")
    assert (tmp_path / "x").read_bytes() == b"one two"


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("no/such/x", r"cannot write .*x: No such file or directory; hint: check the path"),
        (
            "file/x",
            r"cannot write .*x: Not a directory; hint: choose another folder: a file stands in its",
        ),
    ],
)
def test_a_place_where_no_file_can_be(tmp_path, place, message):
    (tmp_path / "file").touch()
    with pytest.raises(IgmcError, match=message) as caught:
        replace_file(tmp_path / place, b"x")
    assert caught.value.exit_code == 1
    assert isinstance(caught.value.__cause__, OSError)


def test_a_folder_is_free_again_after_an_error(tmp_path):
    with pytest.raises(ValueError, match="mine"), locked(tmp_path):
        raise ValueError("mine")
    (tmp_path / "below").mkdir()
    with locked(tmp_path), locked(tmp_path / "below"):
        pass


def test_lines_of_threads_and_processes_do_not_mix(tmp_path):
    path = tmp_path / "log"
    with LineFile(path) as file:

        def append(name):
            for _ in range(50):
                file.append(name * 20_000)

        child = os.fork()
        if not child:
            append("c")
            os._exit(0)
        threads = [threading.Thread(target=append, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        os.waitpid(child, 0)
    lines = path.read_text().splitlines()
    assert sorted(lines) == sorted(name * 20_000 for name in "abc" for _ in range(50))


def test_a_file_of_lines_follows_its_name_when_it_is_rotated(tmp_path):
    path = tmp_path / "log"
    with LineFile(path) as file:
        file.append("first")
        path.rename(tmp_path / "log.1")
        file.append("second")
        path.unlink()
        file.append("third")
    assert (tmp_path / "log.1").read_text() == "first\n"
    assert path.read_text() == "third\n"


def test_a_torn_line_spoils_no_other(tmp_path):
    path = tmp_path / "log"
    path.write_text("tor")
    with LineFile(path) as file:
        file.append("whole")
    assert path.read_text() == "tor\nwhole\n"


def test_a_full_disk_loses_lines_and_says_so_once(tmp_path, caplog):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    path = tmp_path / "log"
    with LineFile(path) as file:
        file.append("first")
        resource.setrlimit(resource.RLIMIT_FSIZE, (9, before[1]))
        try:
            file.append("cut")  # three bytes of it fit
            file.append("lost")
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        file.append("after")
        assert file.lost == 2
    assert path.read_text() == "first\ncut\nafter\n"
    assert caplog.text.count("lines are lost") == 1


def test_a_file_of_lines_that_cannot_be_opened_says_why(tmp_path):
    with pytest.raises(IgmcError, match="cannot write"):
        LineFile(tmp_path / "missing" / "log")
