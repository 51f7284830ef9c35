"""What a request may take: beyond it there is an answer that says so, and the server goes on."""

import asyncio
import threading
import time

import pytest

from igmc.config import ServeConfig
from igmc.errors import ConfigError
from igmc.threads import away
from igmc.web.limits import BodyLimit, BusyError, Gate, LateError
from igmc.web.service import Service
from tests.web.conftest import FIVE


class SlowService(Service):
    """A search takes until `go` is set."""

    go = threading.Event()

    def search(self, *asked):
        self.go.wait(10)
        return super().search(*asked)


@pytest.fixture
def slow():
    SlowService.go = threading.Event()
    yield SlowService
    SlowService.go.set()


def in_threads(tasks):
    answers = [None] * len(tasks)

    def call(k):
        answers[k] = tasks[k]()

    threads = [threading.Thread(target=call, args=(k,)) for k in range(len(tasks))]
    for thread in threads:
        thread.start()
    return threads, answers


def wait_until(condition):
    until = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_body_that_is_too_large_is_refused(make_client):
    client = make_client(max_body=1024)
    answer = client.post("/api/recommendations", json={"ratings": FIVE, "genres": ["x" * 2000]})
    assert answer.status_code == 413
    assert answer.json()["detail"] == "the body of the request is too large; allowed: at most 1024 bytes"
    parts = (b" " * 200 for _ in range(10))  # sent in chunks, without a length
    answer = client.post("/api/recommendations", content=parts, headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert client.post("/api/recommendations", json={"ratings": FIVE, "order": "score"}).status_code == 200


def test_beyond_its_capacity_the_server_is_busy_and_answers_health(make_client, slow):
    client = make_client(threads=1, queue=1, service=slow)
    threads, answers = in_threads([lambda: client.get("/api/items")] * 2)
    wait_until(lambda: client.app.state.gate.taken == 2)
    busy = client.get("/api/items")
    assert (busy.status_code, busy.headers["retry-after"]) == (503, "1")
    assert "busy" in busy.json()["detail"]
    assert client.get("/api/health").status_code == 200
    slow.go.set()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200, 200]
    wait_until(lambda: client.app.state.gate.taken == 0)
    assert client.get("/api/items").status_code == 200


def test_a_late_answer_is_given_up_and_keeps_its_place_until_its_thread_is_free(make_client, slow):
    client = make_client(threads=1, queue=0, timeout=0.1, service=slow)
    late = client.get("/api/items")
    assert (late.status_code, late.headers["retry-after"]) == (503, "1")
    assert "took too long" in late.json()["detail"]
    assert "busy" in client.get("/api/items").json()["detail"]
    slow.go.set()
    wait_until(lambda: client.app.state.gate.taken == 0)
    assert client.get("/api/items").status_code == 200


def test_what_waits_too_long_is_never_begun():
    begun = []

    async def ask():
        gate = Gate(ServeConfig(threads=1, queue=1, timeout=0.2))
        go = threading.Event()
        first = asyncio.create_task(gate.run(lambda _: go.wait(5)))
        await asyncio.sleep(0.05)
        with pytest.raises(LateError):
            await gate.run(begun.append)
        with pytest.raises(LateError):
            await first
        assert gate.taken == 1
        go.set()
        gate.close()
        with pytest.raises(BusyError):
            await gate.run(begun.append)

    asyncio.run(ask())
    assert not begun


def test_the_task_is_told_its_deadline_and_its_errors_come_out():
    async def ask():
        gate = Gate(ServeConfig(timeout=5))
        left = await gate.run(lambda deadline: deadline - time.monotonic())
        assert 0 < left <= 5
        with pytest.raises(ZeroDivisionError):
            await gate.run(lambda _: 1 / 0)
        assert gate.taken == 0

    asyncio.run(ask())


def test_a_request_stays_in_the_thread_that_took_it():
    async def ask():
        gate = Gate(ServeConfig(threads=1))
        outer, inner = await gate.run(lambda _: (threading.get_ident(), away(threading.get_ident)))
        gate.close()
        return outer == inner

    assert asyncio.run(ask()), "a busy machine would have to find a thread for it once more"


def test_a_body_that_does_not_arrive_is_not_waited_for():
    sent = []

    async def app(scope, receive, send):
        raise AssertionError("the application must not be asked")

    async def receive():
        await asyncio.sleep(10)

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "headers": [(b"content-length", b"10")]}
    asyncio.run(BodyLimit(app, ServeConfig(timeout=0.05))(scope, receive, send))
    assert sent[0]["status"] == 408
    assert b"did not arrive within 0.05 s" in sent[1]["body"]


@pytest.mark.parametrize(
    "wrong", [{"threads": 0}, {"queue": -1}, {"timeout": 0}, {"timeout": float("nan")}, {"max_body": 10}]
)
def test_limits_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ConfigError, match=f"ServeConfig.{next(iter(wrong))} is out of range"):
        ServeConfig(**wrong)
