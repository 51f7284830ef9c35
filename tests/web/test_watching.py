"""Metrics and the access log, by real requests."""

import json

import pytest
from fastapi.testclient import TestClient

from igmc.config import ServeConfig
from igmc.files import LineFile
from igmc.live import LiveRatings
from igmc.web.app import make_app
from igmc.web.experiment import Experiment
from igmc.web.service import Service
from igmc.web.watching import Metrics
from tests.inference.small import GRAPH, make_scorer, predictor_of

LIMITS = ServeConfig(timeout=300)


@pytest.fixture(scope="module")
def small():
    return predictor_of(GRAPH, make_scorer())


def values(text):
    lines = [line.rsplit(" ", 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, value in lines}


def test_requests_are_counted_by_their_address_without_ids(small, tmp_path):
    path = tmp_path / "access.log"
    with LiveRatings(small, str(tmp_path / "a.db")) as live, LineFile(path) as log:
        app = make_app(Experiment.of(Service(lambda: live.predictor, LIMITS), live), LIMITS, access_log=log)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            body = {"ratings": [{"item_id": 3, "rating": 5}]}
            position = client.put("/api/users/77/ratings", json=body).json()["position"]
            assert live.reached(position, 20)
            client.put("/api/users/77/ratings", json={})
            client.get("/api/health")
            client.get("/nowhere/77")
            found = values(client.get("/metrics").text)
    put = 'method="PUT",path="/api/users/{user_id}/ratings"'
    assert found[f'igmc_requests_total{{arm="",{put},status="200"}}'] == 1
    assert found[f'igmc_requests_total{{arm="",{put},status="422"}}'] == 1
    assert found['igmc_requests_total{arm="",method="other",path="other",status="404"}'] == 1
    assert found[f'igmc_request_seconds_count{{arm="",{put}}}'] == 2
    by_arm = found['igmc_applied{arm="A"}'], found['igmc_behind{arm="A"}']
    assert (*by_arm, found["igmc_database_up"], found["igmc_log_lines_lost"]) == (1, 0, 1, 0)
    assert (found["igmc_queue"], found["igmc_writes_waiting"]) == (0, 0)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["method"], line["status"]) for line in lines] == [
        ("PUT", 200),
        ("PUT", 422),
        ("GET", 200),
        ("other", 404),
        ("GET", 200),
    ]
    assert all(line["ms"] >= 0 and line["time"].startswith("20") for line in lines)
    assert "77" not in "".join(line["path"] for line in lines)


def test_without_a_store_there_is_nothing_to_tell_of_it(small):
    metrics = Metrics(lambda: 3, Experiment.of(Service(small, LIMITS)))
    found = values(metrics.text().decode())
    assert found["igmc_queue"] == 3
    assert not any("applied" in name for name in found)


def test_metrics_ask_for_the_token_and_wrong_ones_are_counted(small):
    token = "t" * 20
    app = make_app(Experiment.of(Service(small, LIMITS)), LIMITS, token=token)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert client.get("/metrics").status_code == 401
        answer = client.get("/metrics", headers={"Authorization": f"Bearer {token}"})
    assert 'igmc_requests_total{arm="",method="other",path="other",status="401"} 1.0' in answer.text
