"""Extractions make what is missing and nothing else, whether interrupted, killed or left in peace."""

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import active_children
from pathlib import Path

import numpy as np
import pytest

from igmc.config import ExtractConfig
from igmc.errors import ConfigError, IgmcError, StoreError
from igmc.extract.pool import extract_store
from igmc.extract.size import projected_bytes
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.parts import Part
from igmc.ratings.table import Pairs
from igmc.store.reader import StoreReader
from igmc.store.verify import repair_store, verify_store
from tests.extract.killable_extraction import CONFIG, SEED, make_part
from tests.store.small_stores import assert_equal

PART, ALL = make_part(700), make_part(10_000)
REPO = Path(__file__).parents[2]
SHARDS = 50  # of the extraction that is killed


def extract(folder, **options):
    options = {"seed": SEED, "workers": 1, "progress": False, "shard_size": 100} | options
    return extract_store(options.pop("part", PART), options.pop("config", CONFIG), folder=folder, **options)


def states(folder):
    return {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in folder.iterdir()}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    return extract(tmp_path_factory.mktemp("unbroken"))


def test_store_holds_what_the_kernel_extracts(unbroken):
    reader = StoreReader(unbroken.folder)
    assert (unbroken.pairs, unbroken.pairs_made) == (700, 700)
    assert (unbroken.shards_made, unbroken.shards_kept) == (7, 0)
    assert unbroken.digest == reader.content_digest
    assert unbroken.bytes == sum(path.stat().st_size for path in unbroken.folder.glob("*.h5"))
    order = np.random.default_rng(0).permutation(700)
    expected = extract_subgraphs(
        PART.graph, PART.pairs.user[order], PART.pairs.item[order], CONFIG, seed=SEED
    )
    assert_equal(reader.read(order), expected)
    np.testing.assert_array_equal(reader.ratings, PART.pairs.rating)
    assert reader.verify() == []


@pytest.mark.parametrize(
    "options",
    [
        {"workers": 3, "shard_size": 64},
        {"shard_size": 1000},
        {"shard_size": None},
        {"shard_size": 333, "compress": True},
    ],
    ids=str,
)
def test_digest_is_the_same_for_any_workers_shards_and_compression(tmp_path, unbroken, options):
    report = extract(tmp_path, **options)
    assert report.digest == unbroken.digest
    assert StoreReader(tmp_path).verify() == []
    assert not (tmp_path / ".work").exists()


@pytest.mark.parametrize(
    "options", [{"seed": 6}, {"config": ExtractConfig()}, {"part": make_part(699)}], ids=str
)
def test_digest_changes_with_what_is_extracted(tmp_path, unbroken, options):
    assert extract(tmp_path, **options).digest != unbroken.digest


def test_compression_makes_smaller_files(tmp_path, unbroken):
    assert extract(tmp_path, compress=True).bytes < 0.9 * unbroken.bytes


def test_complete_store_is_left_as_it_is(tmp_path, unbroken):
    first = extract(tmp_path)
    before = states(tmp_path)
    again = extract(tmp_path, workers=3, shard_size=5)  # the store keeps its own shard size
    assert states(tmp_path) == before
    assert (again.shards_made, again.shards_kept, again.pairs_made) == (0, 7, 0)
    assert again.digest == first.digest


def test_only_what_is_missing_is_made(tmp_path, unbroken):
    extract(tmp_path)
    (tmp_path / "00002.h5").unlink()
    (tmp_path / "00006.h5").unlink()
    (tmp_path / "00001.h5.99.partial").write_bytes(b"half")
    before = states(tmp_path)
    report = extract(tmp_path)
    assert (report.shards_made, report.shards_kept, report.pairs_made) == (2, 5, 200)
    assert report.digest == unbroken.digest
    after = states(tmp_path)
    assert set(after) == {*(f"0000{k}.h5" for k in range(7)), "manifest.json"}
    assert {name for name in before if after.get(name) == before[name]} == {
        *(f"0000{k}.h5" for k in (0, 1, 3, 4, 5)),
        "manifest.json",
    }


def test_lost_manifest_costs_no_shards(tmp_path, unbroken):
    extract(tmp_path, shard_size=90)
    (tmp_path / "manifest.json").unlink()
    report = extract(tmp_path, shard_size=None)
    assert (report.shards_made, report.shards_kept) == (0, 8)
    assert report.digest == unbroken.digest


def test_damaged_shard_is_named_then_repaired(tmp_path, unbroken):
    extract(tmp_path)
    (tmp_path / "00003.h5").write_bytes(b"not a shard")
    with pytest.raises(StoreError, match=r"00003\.h5 is damaged.*--repair"):
        extract(tmp_path)
    assert [file.path.name for file in repair_store(tmp_path)] == ["00003.h5"]
    assert extract(tmp_path).shards_made == 1
    assert verify_store(tmp_path) == []


def test_shards_of_other_code_are_not_mixed_in(tmp_path, monkeypatch):
    extract(tmp_path)
    (tmp_path / "00003.h5").unlink()
    other = extract_subgraphs
    monkeypatch.setattr(
        "igmc.extract.worker.extract_subgraphs", lambda *args, seed: other(*args, seed=seed + 1)
    )
    with pytest.raises(StoreError, match=r"changed after it was completed"):
        extract(tmp_path)


def test_store_of_something_else_is_an_error(tmp_path):
    extract(tmp_path)
    before = states(tmp_path)
    with pytest.raises(StoreError, match="made from other ratings, pairs, settings or seed"):
        extract(tmp_path, seed=6)
    assert states(tmp_path) == before


def test_part_without_pairs(tmp_path):
    empty = Part("validation", PART.graph, Pairs([], [], []))
    report = extract(tmp_path, part=empty, workers=2, shard_size=None)
    assert (report.pairs, report.shards_made, report.bytes) == (0, 0, 0)
    assert len(StoreReader(tmp_path)) == 0
    assert projected_bytes(empty, CONFIG, seed=1) == 0


@pytest.mark.parametrize(
    ("options", "what"), [({"workers": 0}, "workers"), ({"shard_size": 0}, "shard size")]
)
def test_numbers_below_one(tmp_path, options, what):
    with pytest.raises(ConfigError, match=f"the {what} of an extraction is too small.*1 or more"):
        extract(tmp_path, **options)


def test_of_two_runs_that_need_a_store_one_makes_it(tmp_path, unbroken):
    with ThreadPoolExecutor(2) as both:
        reports = list(both.map(lambda _: extract(tmp_path / "store"), range(2)))
    assert sorted(report.shards_made for report in reports) == [0, 7]
    assert {report.digest for report in reports} == {unbroken.digest}


def test_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(IgmcError, match=r"cannot write .*Not a directory"):
        extract(tmp_path / "file" / "store")


@pytest.mark.parametrize("workers", [1, 2])
def test_full_disk_ends_cleanly_and_is_resumed(tmp_path, unbroken, workers):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={unbroken.bytes // 2 + 600_000}", "tmpfs", str(disk)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("cannot mount a small disk here")
    try:
        with pytest.raises(IgmcError, match=r"No space left on device.*free some space.*resumes"):
            extract(disk, workers=workers)
        left = {path.name for path in disk.iterdir()}
        assert any(name.endswith(".h5") for name in left)  # whichever worker came first
        assert not {name for name in left if name.endswith("partial") or name == ".work"}
        subprocess.run(["mount", "-o", "remount,size=100m", str(disk)], check=True)
        report = extract(disk, workers=workers)
        assert report.shards_kept > 0
        assert report.digest == unbroken.digest
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def test_worker_that_is_killed_is_reported_not_waited_for(tmp_path):
    def kill_one() -> None:
        while not list(tmp_path.glob("*.h5")):
            time.sleep(0.01)
        os.kill(active_children()[0].pid, signal.SIGKILL)

    thread = threading.Thread(target=kill_one)
    thread.start()
    with pytest.raises(IgmcError, match=r"a worker process died.*fewer --workers.*resumes where it stopped"):
        extract(tmp_path, part=ALL, workers=2, shard_size=50)
    thread.join()
    assert not list(tmp_path.glob("*.partial"))
    assert not (tmp_path / ".work").exists()
    assert active_children() == []


def test_interrupt_finishes_the_shard_in_flight_and_says_how_to_go_on(
    tmp_path, monkeypatch, caplog, unbroken
):
    other = extract_subgraphs

    def interrupted(*args, seed):
        if len(list(tmp_path.glob("*.h5"))) == 3:
            os.kill(os.getpid(), signal.SIGINT)  # reaches the main thread
        return other(*args, seed=seed)

    monkeypatch.setattr("igmc.extract.worker.extract_subgraphs", interrupted)
    with caplog.at_level(logging.WARNING), pytest.raises(KeyboardInterrupt):
        extract(tmp_path)
    monkeypatch.undo()
    made = len(list(tmp_path.glob("*.h5")))
    assert 4 <= made < 7
    assert f"interrupted: {made} of 7 shards are stored; the same command resumes from there" in caplog.text
    report = extract(tmp_path)
    assert report.shards_kept == made
    assert report.digest == unbroken.digest


def test_no_bar_without_a_terminal(tmp_path, capfd):
    extract(tmp_path, progress=True)
    assert capfd.readouterr() == ("", "")


@pytest.fixture(scope="module")
def digest_of_all(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    return extract_store(ALL, CONFIG, seed=SEED, folder=folder, workers=1, progress=False).digest


def start_process(folder, workers):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.extract.killable_extraction", str(folder), str(workers)],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for_shards(process, folder, more):
    """Wait until the process has made a few shards; returns how many there are."""
    before = len(list(folder.glob("*.h5")))
    while process.poll() is None:
        count = len(list(folder.glob("*.h5")))
        if count >= before + more:
            return count
        time.sleep(0.005)
    return SHARDS


def children(process):
    listing = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return [int(pid) for pid in listing.read_text().split()] if listing.exists() else []


def alive(pid):
    stat = Path(f"/proc/{pid}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] not in "ZX"


def run_to_the_end(folder, workers):
    """The digest of what this process, or workers of it, completes."""
    report = extract(folder, part=ALL, workers=workers, shard_size=200)
    assert StoreReader(folder).verify() == []
    assert {path.suffix for path in folder.iterdir()} == {".h5", ".json"}
    return report.digest


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments_and_resumed(tmp_path, digest_of_all, workers):
    rng = np.random.default_rng(workers)
    for _ in range(4 - workers):
        process = start_process(tmp_path, workers)
        wait_for_shards(process, tmp_path, more=int(rng.integers(1, 8)))
        time.sleep(rng.uniform(0, 0.02))
        orphans = children(process)
        process.kill()
        process.communicate()
        deadline = time.monotonic() + 10
        while any(map(alive, orphans)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not any(map(alive, orphans)), "workers outlive their parent"
    assert 0 < len(list(tmp_path.glob("*.h5"))) < SHARDS
    assert run_to_the_end(tmp_path, workers) == digest_of_all


@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGINT, -signal.SIGINT, 1), (signal.SIGINT, -signal.SIGINT, 2), (signal.SIGTERM, 143, 2)],
)
def test_interrupted_cleanly_and_resumed(tmp_path, digest_of_all, number, code, workers):
    process = start_process(tmp_path, workers)
    wait_for_shards(process, tmp_path, more=2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "the same command resumes from there" in err
    assert err.count("Traceback") <= (number == signal.SIGINT)  # none of a worker
    made = len(list(tmp_path.glob("*.h5")))
    assert 2 <= made < SHARDS
    assert {path.suffix for path in tmp_path.iterdir()} == {".h5", ".json"}
    assert run_to_the_end(tmp_path, workers=1) == digest_of_all
