"""A small run behind the application, called directly, and behind a real server for a browser."""

import contextlib
import threading
import time

import pytest
import uvicorn
from fastapi.testclient import TestClient

from igmc.config import ServeConfig
from igmc.web.app import make_app
from igmc.web.experiment import Experiment
from igmc.web.service import Service
from tests.clicks import click_run

# What a newcomer gave.
FIVE = [{"item_id": f"f00{k}", "rating": rating} for k, rating in enumerate((5, 1, 4, 5, 2), start=1)]


@pytest.fixture(scope="module", autouse=True)
def brief(brief_training):
    """How good lists are is not the point here."""


@pytest.fixture(scope="session")
def app(predictor):
    limits = ServeConfig()
    return make_app(Experiment.of(Service(predictor, limits)), limits)


@pytest.fixture(scope="session")
def client(app):
    with TestClient(app, base_url="http://127.0.0.1") as client:
        yield client


@pytest.fixture
def make_client(predictor):
    """A client of a server with other limits, a token, or another service."""
    opened = []

    def make(*, token=None, service=Service, **limits):
        config = ServeConfig(**limits)
        client = TestClient(
            make_app(Experiment.of(service(predictor, config)), config, token=token),
            base_url="http://127.0.0.1",
        )
        opened.append(client.__enter__())
        return client

    yield make
    for client in opened:
        client.__exit__(None, None, None)


@contextlib.contextmanager
def serving(predictor, **limits):
    """Where a real server answers; `limits` as in `ServeConfig`."""
    limits = ServeConfig(**limits)
    application = make_app(Experiment.of(Service(predictor, limits)), limits)
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_config=None))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until = time.monotonic() + 30
    while not server.started and time.monotonic() < until:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


@pytest.fixture(scope="session")
def address(predictor):
    """Where a real server answers."""
    with serving(predictor) as place:
        yield place


@pytest.fixture(scope="session")
def clicks(tmp_path_factory):
    """A predictor that makes lists alone."""
    return click_run(tmp_path_factory.mktemp("clicks") / "run").predictor(device="cpu")
