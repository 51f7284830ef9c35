"""``igmc-serve`` as a process: it answers, and on SIGTERM it finishes what is in flight and ends with 0."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from igmc.errors import IgmcError
from igmc.web.server import listen

# A search takes half a second, so that there is a request in flight.
CODE = """
import sys, time
from igmc.web.service import Service
fast = Service.search
def slow(self, *asked):
    print("begun", flush=True)
    time.sleep(0.5)
    return fast(self, *asked)
Service.search = slow
from igmc.cli.main import serve
sys.argv = ["igmc-serve", "--run", sys.argv[1], "--port", "0", "--device", "cpu", "--quiet"]
serve()
"""


def test_it_finishes_what_is_in_flight_and_ends_with_0(demo_run):
    environment = {name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, str(demo_run)], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:")
        address = line.split()[1]
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(
                json.load(urllib.request.urlopen(f"{address}api/items?limit=3", timeout=30))
            )
        )
        thread.start()
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGTERM)
        thread.join(30)
        assert process.wait(60) == 0
        assert len(answers[0]["items"]) == 3
    finally:
        process.kill()
        process.wait()


def asked(address, path, body=None, method="GET"):
    headers = {"Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}api/{path}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_what_it_stored_is_there_after_a_new_run_and_after_a_restart(demo_run, tmp_path):
    code = "from igmc.cli.main import serve; serve()"
    store, log = tmp_path / "ratings.db", tmp_path / "access.log"
    (tmp_path / "served").symlink_to(demo_run)
    command = [sys.executable, "-c", code, "--run", tmp_path / "served", "--port", "0", "--device", "cpu"]
    command += ["--store", store, "--access-log", log]
    environment = {name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"}
    for start in (1, 2):
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        try:
            address = process.stdout.readline().split()[1]
            if start == 1:
                body = {"ratings": [{"item_id": "f001", "rating": 5}, {"item_id": "f002", "rating": 1}]}
                assert asked(address, "users/9001/ratings", body, "PUT")["position"] == 2
                process.send_signal(signal.SIGHUP)
                assert any("another run is served" in line for line in process.stderr)
            assert asked(address, "recommendations", {"user_id": 9001}, "POST")["rated"] == 2
            assert asked(address, "ready")["position"] == 2
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        finally:
            process.kill()
            process.wait()
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["path"] for line in lines] == [
        "/api/users/{user_id}/ratings",
        *["/api/recommendations", "/api/ready"] * 2,
    ]


def test_an_address_that_is_taken_is_told():
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(IgmcError, match=rf"cannot listen on 127.0.0.1, port {port}: .*in use.*--port"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_there_is_told():
    started = time.monotonic()
    with pytest.raises(IgmcError, match=r"cannot listen on 192\.0\.2\.1.*--host"):
        listen("192.0.2.1", 0)
    assert time.monotonic() - started < 5
