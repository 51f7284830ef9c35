"""A server that is killed at random moments under load: what it acknowledged is stored once and applied."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


def test_what_was_acknowledged_is_stored_once_whenever_the_server_is_killed(demo_run, store, tmp_path):
    """In a process of its own, which others are forked from."""
    command = [sys.executable, SCRIPTS / "live_kills.py", "--run", demo_run, "--store", store]
    more = ["--kills", "4", "--clients", "4", "--longest", "0.6", "--out", tmp_path / "result.json"]
    done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"lost": 0' in done.stdout
    assert '"acknowledged": 0' not in done.stdout


def test_what_is_wrong_would_be_noticed(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(SCRIPTS))
    spec = importlib.util.spec_from_file_location("live_kills", SCRIPTS / "live_kills.py")
    kills = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(kills)
    pytest.importorskip("fastapi")
    from igmc.live import Change, Draft, RatingLog
    from tests.inference.small import GRAPH, make_scorer, predictor_of

    path = str(tmp_path / "a.db")
    with RatingLog(path) as log:
        for number in (1, 2, 2, 4, 3):
            log.append([Change((Draft("rate", 99, 1, 3.0, number),))])
    rating = {"item_id": 1, "rating": 3.0}
    receipts = [(1, 1, rating), (2, 3, rating), (3, 5, {**rating, "rating": 4.0}), (5, 6, rating)]
    load = {"acknowledged": {99: receipts}}
    found = kills.judge(predictor_of(GRAPH, make_scorer()), path, load)
    assert found == {"stored": 5, "lost": 1, "twice": 1, "out_of_order": 1, "elsewhere": 1, "not_applied": 0}
