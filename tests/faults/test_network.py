"""Clients that are slow, silent, too many or lying: the server goes on answering the others."""

import http.client
import os
import resource
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, suppress

import pytest

DESCRIPTORS = 180  # of which the server leaves 128 to files


@pytest.fixture(scope="module")
def server(demo_run):
    """The port of an igmc-serve with few descriptors that gives two seconds to a request, and its process."""
    environment = {name: value for name, value in os.environ.items() if name != "IGMC_TOKEN"}
    process = subprocess.Popen(
        [sys.executable, "-m", "igmc", "serve", "--run", demo_run, "--port", "0", "--timeout", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, DESCRIPTORS)),
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("serving http://127.0.0.1:"), process.stderr.read()
        yield int(line.split(":")[2].split("/")[0]), process
    finally:
        process.terminate()
        _, log = process.communicate(timeout=60)
        assert "Traceback" not in log
        assert len(log.splitlines()) < 20


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def answer(port: int, request: bytes) -> bytes:
    """All that the server sends before it closes."""
    with connect(port) as client:
        client.sendall(request)
        found = b""
        try:
            while chunk := client.recv(65536):
                found += chunk
        except ConnectionResetError:
            pass
        return found


def health(port: int) -> int:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    client.request("GET", "/api/health")
    return client.getresponse().status


def closed(client: socket.socket, seconds: float) -> bool:
    client.settimeout(seconds)
    try:
        return client.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False


def test_who_says_nothing_is_hung_up_on(server):
    port, _ = server
    with connect(port) as client:
        assert closed(client, 10)


def test_who_sends_a_head_byte_by_byte_is_hung_up_on(server):
    port, _ = server
    with connect(port) as client:
        start = time.monotonic()
        client.sendall(b"G")
        while not closed(client, 0.2):
            assert time.monotonic() - start < 10
            with suppress(OSError):
                client.sendall(b"x")


def test_who_has_had_an_answer_may_ask_again_but_not_dawdle(server):
    port, _ = server
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    for _ in range(2):
        client.request("GET", "/api/health")
        found = client.getresponse()
        assert (found.status, found.read()) == (200, b'{"status":"ok","arms":["A"]}')
    client.sock.sendall(b"GET /api/hea")
    assert closed(client.sock, 10)
    client.close()


def test_idle_connections_beyond_the_descriptors_leave_room_for_others(server):
    port, process = server
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(DESCRIPTORS + 50)]
        turned_away = 0
        for client in clients[DESCRIPTORS - 128 :]:
            client.settimeout(10)
            turned_away += client.recv(65536).startswith(b"HTTP/1.1 503")
        assert turned_away >= 100
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if health(port) == 200:
                    break
            except OSError:
                pass
            time.sleep(0.1)
        assert health(port) == 200
        assert process.poll() is None


def test_a_body_without_end_is_refused_and_not_read_on(server):
    port, process = server
    before = resident(process.pid)
    head = b"POST /api/recommendations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    sent = 0
    with connect(port) as client:
        client.sendall(head)
        try:
            while sent < 64 * 2**20:
                client.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
    assert sent < 32 * 2**20
    assert resident(process.pid) - before < 32 * 2**20
    length = b"POST /api/recommendations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
    refused = answer(port, length)
    assert refused.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in refused.lower()


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("[::1]:80", 200),
        ("[::1].evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("127.0.0.1:80:80", 421),
        ("", 421),
    ],
)
def test_only_names_of_this_machine_are_answered(server, host, status):
    request = f"GET /api/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    assert answer(server[0], request.encode()).startswith(f"HTTP/1.1 {status}".encode())


def test_the_page_answers_head(server):
    found = answer(server[0], b"HEAD / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    assert found.startswith(b"HTTP/1.1 200")
    assert found.endswith(b"\r\n\r\n")
