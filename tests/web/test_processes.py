"""``igmc-serve --processes``: several processes, one of them killed, one run swapped for another, one log."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from igmc.errors import ConfigError
from igmc.experiments.answers import hashed_id, read_answers
from igmc.web.processes import run_processes

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def asked(address, path, body=None, method="GET"):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Connection": "close"}
    request = urllib.request.Request(f"{address}{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.read().decode()


def children(process):
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def until(true, seconds=60):
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end
        time.sleep(0.05)
    return found


@pytest.fixture
def server(demo_run, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"}
    command = [sys.executable, "-m", "igmc", "serve", "--run", demo_run, "--port", "0", "--device", "cpu"]
    command += ["--processes", "2", "--store", tmp_path / "ratings.db"]
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        yield process, process.stdout.readline().split()[1]
    finally:
        process.terminate()
        assert process.wait(60) in (0, -signal.SIGKILL), (tmp_path / "log").read_text()


def test_processes_are_replaced_share_the_log_and_are_counted_together(server):
    process, address = server
    until(lambda: len(children(process.pid)) == 2)
    first = children(process.pid)
    body = {"ratings": [{"item_id": f"f00{k}", "rating": 5} for k in (1, 2, 3)]}
    asked(address, "api/users/9001/ratings", body, "PUT")

    def seen():
        found = [json.loads(asked(address, "api/users?q=9001"))["users"] for _ in range(8)]
        return all(users and users[0]["ratings"] == 3 for users in found)

    until(seen)
    before = 'path="/api/users",status="200"} '
    counts = [float(asked(address, "metrics").partition(before)[2].split()[0]) for _ in range(6)]
    assert len(set(counts)) == 1
    assert counts[0] % 8 == 0

    victim = sorted(first)[0]
    os.kill(victim, signal.SIGKILL)
    until(lambda: victim not in children(process.pid) and len(children(process.pid)) == 2)
    second = children(process.pid)
    until(seen)

    process.send_signal(signal.SIGHUP)
    until(lambda: len(now := children(process.pid)) == 2 and not now & second)
    until(seen)
    answer = asked(address, "api/recommendations", {"user_id": 9001}, "POST")
    assert len(json.loads(answer)["items"]) == 10


def test_no_process_outlives_the_first(server):
    process, address = server
    until(lambda: len(children(process.pid)) == 2)
    others = children(process.pid)
    assert json.loads(asked(address, "api/health"))["status"] == "ok"
    process.kill()
    process.wait(60)
    until(lambda: not any(Path(f"/proc/{one}").exists() for one in others))


def test_processes_that_cannot_start_end_the_server():
    code = (
        "import sys\n"
        "from igmc.errors import IgmcError\n"
        "from igmc.web.processes import run_processes\n"
        "try:\n"
        "    run_processes(2, lambda: sys.exit(3), lambda: True)\n"
        "except IgmcError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert "end as soon as they start; got 'exit code 1'; hint: serve with --processes 1" in done.stdout


def test_without_fork_there_is_one_process(monkeypatch):
    monkeypatch.delattr(os, "fork")
    with pytest.raises(ConfigError, match="cannot fork; got '--processes 2'; allowed: --processes 1"):
        run_processes(2, lambda: None, lambda: True)


def test_two_runs_and_two_processes_answer_each_user_by_one_run_and_are_swapped(demo_run, tmp_path):
    for name in "ab":
        (tmp_path / name).symlink_to(demo_run)
    answers = tmp_path / "answers.jsonl"
    command = [sys.executable, "-m", "igmc", "serve", "--run", tmp_path / "a", "--run", tmp_path / "b"]
    command += ["--split", "50", "--store", tmp_path / "ratings.db", "--answer-log", answers, "--port", "0"]
    command += ["--log-ids", "hashed", "--device", "cpu", "--processes", "2"]
    environment = {name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"}
    environment["IGMC_LOG_KEY"] = "k" * 16
    with open(tmp_path / "log", "w") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment)
    try:
        address = process.stdout.readline().split()[1]
        until(lambda: len(children(process.pid)) == 2)
        body = {"ratings": [{"item_id": f"f00{k}", "rating": 5} for k in (1, 2, 3)]}
        for user in (9001, 9002, 9003, 9004, 9005, 9006):
            asked(address, f"api/users/{user}/ratings", body, "PUT")
        until(lambda: [json.loads(asked(address, "api/ready"))["position"] for _ in range(6)] == [18] * 6)

        def arms(user):
            lists = [asked(address, "api/recommendations", {"user_id": user}, "POST") for _ in range(4)]
            assert {json.loads(one)["rated"] for one in lists} == {3}
            (arm,) = {json.loads(one)["arm"] for one in lists}
            return arm

        first = {user: arms(user) for user in (9001, 9002, 9003, 9004, 9005, 9006)}
        assert set(first.values()) == {"A", "B"}
        old = children(process.pid)
        answers.rename(tmp_path / "answers.jsonl.1")
        process.send_signal(signal.SIGHUP)
        until(lambda: len(now := children(process.pid)) == 2 and not now & old)
        assert {user: arms(user) for user in first} == first
        said = (tmp_path / "log").read_text()
        assert "A: another run is served" in said
        assert "B: another run is served" in said
    finally:
        process.terminate()
        assert process.wait(60) == 0, (tmp_path / "log").read_text()
    found = read_answers([answers, tmp_path / "answers.jsonl.1"])
    assert (len(found.answers), found.torn) == (48, 0)
    assert {(one.user, one.arm) for one in found.answers} == {
        (hashed_id(user, "k" * 16), arm) for user, arm in first.items()
    }
