"""Too little memory: an error of ours that names what took it, never an abort."""

import gzip
import os
import resource
import subprocess
import sys

import pytest

from igmc import compiled
from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.memory import require_room
from igmc.ratings import load_dataset
from igmc.ratings.readers import files, text

MIB = 2**20


def limited(mib: int, *arguments: str, home, timeout: int = 200) -> subprocess.CompletedProcess:
    """An igmc command in so much address space, with kernels of its own and none compiled before."""
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    return subprocess.run(
        [sys.executable, "-m", "igmc", *map(str, arguments)],
        env={**environment, "IGMC_HOME": str(home), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},
        cwd=home,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (mib * MIB, mib * MIB)),
        capture_output=True,
        text=True,
        timeout=timeout,
    )


@pytest.mark.parametrize("mib", [900, 1200])
def test_a_limit_on_memory_ends_in_an_error(tmp_path, mib):
    """Without the question for room 900 to 1300 MiB end in an abort of LLVM or of the C++ library."""
    done = limited(
        mib, "train", "--dataset", "demo", "--network", "neighbours", "--out", "run", home=tmp_path
    )
    assert done.returncode == 1, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last.startswith("igmc: error: there is not enough memory: ")
    assert "MiB of addresses; hint: give it more" in last
    assert "Traceback" not in done.stderr


def test_help_needs_no_room(tmp_path):
    assert limited(400, "train", "-h", home=tmp_path).returncode == 0


@pytest.mark.parametrize("kept", [True, False])
def test_kernels_ask_for_room_whether_their_code_is_kept_or_not(monkeypatch, tmp_path, kept):
    monkeypatch.setattr(compiled, "kernel_folder", lambda: tmp_path if kept else None)
    monkeypatch.setattr(compiled, "ROOM", 1 << 60)
    with pytest.raises(MemoryError, match=r"^compiling a kernel takes up to \d+ MiB of addresses$"):
        compiled.kernel(lambda x: x + 1)(1)


def test_room_is_asked_for_and_given_back():
    for _ in range(1000):
        require_room(1 << 40, "nothing that is touched")
    with pytest.raises(MemoryError, match=r"^this takes up to 1073741824 MiB of addresses$"):
        require_room(1 << 50, "this")


@pytest.fixture
def one_line(tmp_path):
    """A gzip of a few kilobytes whose second line has 100 million characters."""
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"user,item,rating\n")
        for _ in range(100):
            file.write(b"1" * 1_000_000)
        file.write(b",2,3\n1,2,3\n")
    return path


def test_a_line_without_end_is_named_and_not_read_to_its_end(one_line, tmp_path):
    done = limited(1400, "data", "describe", one_line, home=tmp_path)
    assert done.returncode == 3
    assert f"{one_line}, line 2: the line is too long; got '1111" in done.stderr
    assert "allowed: at most 16,777,216 characters" in done.stderr
    assert len(done.stderr) < 1000


@pytest.mark.parametrize("place", [0, 1, 40])
@pytest.mark.parametrize("delimiter", [",", "::"])
def test_lines_that_are_too_long_are_found_anywhere(tmp_path, monkeypatch, place, delimiter):
    for module in (files, text):
        monkeypatch.setattr(module, "LONGEST", 300_000)
    lines = [delimiter.join((str(k), str(k % 7), "3")) for k in range(1, 60)]
    path = tmp_path / "x.csv"
    path.write_text("\n".join(lines))
    config = DataConfig(dataset=str(path), columns="1,2,3")
    load_dataset(config)
    lines[place] += " " * 300_000
    path.write_text("\n".join(lines))
    with pytest.raises(DataError, match=rf"x\.csv, line {place + 1}: the line is too long"):
        load_dataset(config)


def test_a_file_that_takes_more_than_there_is_is_named(tmp_path, monkeypatch):
    def full(*_, **__):
        raise MemoryError("Unable to allocate 9.0 GiB")

    monkeypatch.setattr(text.pd, "read_csv", full)
    (tmp_path / "x.csv").write_text("user,item,rating\n1,2,3\n")
    with pytest.raises(MemoryError, match=r"^while reading .*x\.csv$"):
        load_dataset(str(tmp_path / "x.csv"))
