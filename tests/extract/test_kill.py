"""Extractions that are killed or interrupted as real processes, at random moments, and run again."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from igmc.extract.pool import extract_store
from igmc.store.reader import StoreReader
from tests.extract.job import CONFIG, SEED, make_part

REPO = Path(__file__).parents[2]
SHARDS = 50


@pytest.fixture(scope="module")
def digest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("unbroken")
    return extract_store(
        make_part(10_000), CONFIG, seed=SEED, folder=folder, workers=1, progress=False
    ).digest


def start(folder, workers):
    return subprocess.Popen(
        [sys.executable, "-m", "tests.extract.job", str(folder), str(workers)],
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


def finish(folder, workers):
    out, err = start(folder, workers).communicate(timeout=60)
    assert StoreReader(folder).verify() == []
    assert {path.suffix for path in folder.iterdir()} == {".h5", ".json"}, err
    return out.strip()


@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments_and_resumed(tmp_path, digest, workers):
    rng = np.random.default_rng(workers)
    for _ in range(4 - workers):
        process = start(tmp_path, workers)
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
    assert finish(tmp_path, workers) == digest


@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGINT, -signal.SIGINT, 1), (signal.SIGINT, -signal.SIGINT, 2), (signal.SIGTERM, 143, 2)],
)
def test_interrupted_cleanly_and_resumed(tmp_path, digest, number, code, workers):
    process = start(tmp_path, workers)
    wait_for_shards(process, tmp_path, more=2)
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does: the workers get it too
    else:
        process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert "the same command goes on from there" in err
    assert err.count("Traceback") <= (number == signal.SIGINT)  # none of a worker
    made = len(list(tmp_path.glob("*.h5")))
    assert 2 <= made < SHARDS
    assert {path.suffix for path in tmp_path.iterdir()} == {".h5", ".json"}
    assert finish(tmp_path, workers) == digest
