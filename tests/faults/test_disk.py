"""Disks that are full, and files that others are writing: nothing is half done, and no model is blamed."""

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import igmc.files
from igmc.cli.main import _exit_code
from igmc.config import RunConfig
from igmc.errors import WriteError
from igmc.evaluation import evaluate
from igmc.files import replace_file, sweep, sweep_shared
from igmc.inference.lists import recommend
from igmc.run import train
from tests.cli.commands import COMMANDS
from tests.conftest import SMALL_RUN


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_an_evaluation_and_is_no_failure_of_the_model(small_disk):
    (small_disk / "filler").write_bytes(bytes(60_000))
    with pytest.raises(WriteError, match="No space left on device"):
        evaluate(["global_mean"], ["demo"], out=small_disk / "out")
    assert not list(small_disk.rglob("*.partial"))


def test_a_finished_run_is_reported_and_asked_where_nothing_can_be_written(demo_run, tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("cannot mount a disk here")
    try:
        shutil.copytree(demo_run, disk / "run")
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        report = train(RunConfig.from_dict(SMALL_RUN), out=disk / "run", device="cpu", progress=False)
        assert report.ensemble == train(RunConfig.from_dict(SMALL_RUN), out=demo_run, device="cpu").ensemble
        assert len(recommend(disk / "run", user_id=1, k=3)) == 3
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_the_folder_is_on_the_disk_too_before_a_file_counts_as_written(tmp_path, monkeypatch):
    synced, sizes = [], []
    whole = os.fsync

    def fsync(handle):
        synced.append(Path(os.readlink(f"/proc/self/fd/{handle}")))
        sizes.append(os.fstat(handle).st_size)
        whole(handle)

    monkeypatch.setattr(igmc.files.os, "fsync", fsync)
    replace_file(tmp_path / "x", b"one")
    assert [path.name.split(".")[0] for path in synced] == ["x", tmp_path.name]
    assert sizes[0] == len(b"one"), "what Python still buffers is not on the disk"


def test_a_shared_folder_is_swept_of_what_the_dead_left_alone(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    elsewhere = tmp_path / f"x.json.another-{ended.pid}.partial"
    alive, dead = tmp_path / f"x.json.{os.getpid()}.partial", tmp_path / f"x.json.{ended.pid}.partial"
    odd, other = tmp_path / "x.json.word.partial", tmp_path / f"y.json.{ended.pid}.partial"
    for path in (alive, dead, odd, other, elsewhere):
        path.touch()
    (tmp_path / ".work").mkdir()
    sweep_shared(tmp_path, "x.json")
    assert set(tmp_path.iterdir()) == {alive, other, odd, elsewhere, tmp_path / ".work"}
    sweep_shared(tmp_path)
    kept = {alive, odd, elsewhere, tmp_path / ".work"}
    assert set(tmp_path.iterdir()) == kept, "what is not ours is left alone"
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_second_evaluation_leaves_what_the_first_is_writing_to_it(tmp_path):
    """The first stops in the middle of a file; the second begins and ends; the first goes on."""
    code = """
    import sys
    from igmc.evaluation import cells, evaluate
    whole = cells.replacing
    class Slow:
        def __init__(self, path): self.inner = whole(path)
        def __enter__(self):
            file = self.inner.__enter__()
            print("writing", flush=True)
            sys.stdin.readline()
            return file
        def __exit__(self, *error): return self.inner.__exit__(*error)
    cells.replacing = Slow
    report = evaluate(["user_mean"], ["demo"], out="out")
    print(len(report.evaluations), flush=True)
    """
    first = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert first.stdout.readline() == "writing\n"
        report = evaluate(["item_mean"], ["demo"], out=tmp_path / "out")
        assert len(report.evaluations) == 1
        first.stdin.write("go on\n")
        first.stdin.flush()
        assert first.stdout.readline() == "1\n"
        assert first.wait(60) == 0
    finally:
        first.kill()
        first.wait()
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 2
    assert not list((tmp_path / "out").rglob("*.partial"))


def test_lists_that_were_cut_short_leave_nothing_for_the_next(demo_run, tmp_path, monkeypatch):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"lists.csv.{ended.pid}.partial"
    left.write_bytes(b"half")
    asked = ["--run", demo_run, "--all-users", "--out", tmp_path / "lists.csv", "-k", 1, "--order", "score"]
    monkeypatch.setattr(sys, "argv", ["igmc-recommend", *map(str, asked)])
    assert _exit_code(COMMANDS["igmc-recommend"], "igmc-recommend") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["lists.csv"]
