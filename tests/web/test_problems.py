"""Each error has a status, and a text that says what to do."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from igmc.errors import ConfigError, DataError
from igmc.live import DatabaseAwayError, KeyReusedError
from igmc.web.limits import BusyError, LateError
from igmc.web.problems import described, tell_problems
from igmc.web.service import UnknownIdError


@pytest.mark.parametrize(
    ("error", "status", "detail"),
    [
        (DataError("what is wrong", got=1), 422, "what is wrong; got 1"),
        (ConfigError("what is wrong"), 422, "what is wrong"),
        (UnknownIdError("no such user"), 404, "no such user"),
        (KeyReusedError("twice"), 409, "twice"),
        (DatabaseAwayError("its name and its place"), 503, "cannot be stored now"),
        (BusyError(), 503, "the server is busy"),
        (LateError(), 503, "took too long"),
    ],
)
def test_an_error_is_told_with_its_status(error, status, detail):
    app = FastAPI()
    tell_problems(app)

    @app.get("/")
    async def fail():
        raise error

    answer = TestClient(app).get("/")
    assert answer.status_code == status
    assert detail in answer.json()["detail"]
    assert "its place" not in answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
    assert status in described(status)
