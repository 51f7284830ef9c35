"""Arms, asked over HTTP: each person gets one, all know the same stored ratings, each is named and logged."""

import json
from dataclasses import replace

import pytest
from fastapi.testclient import TestClient

from igmc.config import ServeConfig
from igmc.experiments import AnswerLog, read_answers
from igmc.files import LineFile
from igmc.live import LiveRatings
from igmc.web.app import make_app
from igmc.web.experiment import Arm, Experiment
from igmc.web.service import Service
from tests.inference.small import GRAPH, Telling, make_scorer, predictor_of

LIMITS = ServeConfig(timeout=300)  # kernels may be compiled first


@pytest.fixture(scope="module")
def runs():
    """Two runs that predict otherwise."""
    found = [predictor_of(GRAPH, make_scorer([Telling(level)])) for level in (1, 3)]
    one, other = (run.predict(0, [1, 2, 3])["score"].tolist() for run in found)
    assert one != other
    return found


@pytest.fixture
def client(runs, tmp_path):
    """Runs A and B on one store, with an access log and an answer log."""
    store = str(tmp_path / "a.db")
    with LiveRatings(runs[0], store) as a, LiveRatings(runs[1], store) as b:
        services = [Service(lambda live=live: live.predictor, LIMITS) for live in (a, b)]
        with AnswerLog(tmp_path / "answers") as log, LineFile(tmp_path / "access") as access:
            arms = [Arm("A", services[0], a), Arm("B", services[1], b)]
            app = make_app(Experiment(arms, [50], log=log), LIMITS, access_log=access)
            with TestClient(app, base_url="http://127.0.0.1") as client:
                client.lives = a, b
                yield client


def asked(client, path, visitor=None, **body):
    headers = {} if visitor is None else {"Visitor-Id": visitor}
    answer = client.post(f"/api/{path}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_each_answer_is_that_of_its_arm_and_names_it(client, runs):
    arms = {}
    for user in range(8):
        scores = asked(client, "scores", user_id=user, item_ids=[1, 2, 3])
        run = runs["AB".index(scores["arm"])]
        expected = run.predict(user, [1, 2, 3])["score"].round(4).tolist()
        assert [one["score"] for one in scores["scores"]] == pytest.approx(expected, abs=2e-4)
        listed = asked(client, "recommendations", user_id=user, k=2)
        why = asked(client, "explanations", user_id=user, item_id=1)
        arms[user] = {scores["arm"], listed["arm"], why["arm"]}
    assert all(len(one) == 1 for one in arms.values())
    assert set.union(*arms.values()) == {"A", "B"}
    assert client.get("/api/about").json()["arms"] == ["A", "B"]
    assert client.get("/api/health").json()["arms"] == client.get("/api/ready").json()["arms"] == ["A", "B"]


def test_what_is_stored_counts_in_both_arms(client):
    rated = {"ratings": [{"item_id": 3, "rating": 5}, {"item_id": 4, "rating": 1}]}
    for user in range(100, 106):
        before = asked(client, "recommendations", str(user), ratings=[], k=2)
        position = client.put(f"/api/users/{user}/ratings", json=rated).json()["position"]
        assert all(live.reached(position, 20) for live in client.lives)
        after = asked(client, "recommendations", user_id=user, k=2)
        assert after["rated"] == 2
        assert after["arm"] == before["arm"]  # a visitor who becomes the user of this id stays
    assert client.get("/api/ready").json()["position"] == position


def test_the_logs_and_the_metrics_name_the_arm(client, tmp_path):
    rated = {"ratings": [{"item_id": 3, "rating": 5}]}
    position = client.put("/api/users/300/ratings", json=rated).json()["position"]
    assert all(live.reached(position, 20) for live in client.lives)
    listed = asked(client, "recommendations", user_id=300, k=3)
    worst = asked(client, "recommendations", "301", k=3, bottom=True, **rated)
    scores = asked(client, "scores", item_ids=[2], **rated)
    why = asked(client, "explanations", user_id=300, item_id=5)
    client.post("/api/scores", json={"user_id": 999, "item_ids": [2]})
    text = client.get("/metrics").text

    answers = read_answers([tmp_path / "answers"]).answers
    shown = [
        ("list", listed, 300, [(one["item_id"], one["score"]) for one in listed["items"]]),
        ("worst", worst, 301, [(one["item_id"], one["score"]) for one in worst["items"]]),
        ("scores", scores, None, [(2, scores["scores"][0]["score"])]),
        ("explanation", why, 300, [(5, why["score"])]),
    ]
    assert [(one.kind, one.arm, one.user, list(one.items)) for one in answers] == [
        (kind, answer["arm"], user, items) for kind, answer, user, items in shown
    ]
    assert [one.position for one in answers] == [position] * 4
    lines = [json.loads(line) for line in (tmp_path / "access").read_text().splitlines()]
    expected = ["", *(answer["arm"] for _, answer, _, _ in shown)]
    assert [line["arm"] for line in lines][:5] == expected
    assert "300" not in json.dumps([line["path"] for line in lines])
    arm, labels = listed["arm"], 'method="POST",path="/api/recommendations"'
    count = expected.count(arm) - (scores["arm"] == arm) - (why["arm"] == arm)
    assert f'igmc_request_seconds_count{{arm="{arm}",{labels}}} {count}.0' in text
    for name in "AB":
        assert f'igmc_applied{{arm="{name}"}} {position}.0' in text
        assert f'igmc_behind{{arm="{name}"}} 0.0' in text


def test_a_visitor_id_that_is_too_long_or_empty_is_refused(client):
    for visitor in ("", "x" * 257):
        answer = client.post("/api/recommendations", json={"ratings": []}, headers={"Visitor-Id": visitor})
        assert answer.status_code == 422
        assert "Visitor-Id" in answer.json()["detail"]


def test_an_arm_that_cannot_go_on_is_not_ready(runs, tmp_path):
    lives = [LiveRatings(run, str(tmp_path / "a.db")) for run in runs]  # which do not follow the log yet
    arms = [Arm(name, Service(run, LIMITS), one) for name, run, one in zip("AB", runs, lives, strict=True)]
    with TestClient(make_app(Experiment(arms), LIMITS), base_url="http://127.0.0.1") as client:
        lives[0].state = lives[0].state._replace(position=7)
        assert client.get("/api/ready").json()["position"] == 0  # of what lags behind
        lives[1].away = "no connection"
        assert client.get("/api/ready").json()["database"] == "the database does not answer"
        lives[1].stuck = "an entry"
        assert client.get("/api/ready").status_code == 503


def test_one_run_answers_everybody_as_a(runs):
    app = make_app(Experiment.of(Service(replace(runs[0]), LIMITS)), LIMITS)
    with TestClient(app, base_url="http://127.0.0.1") as client:
        assert {asked(client, "scores", user_id=user, item_ids=[1])["arm"] for user in range(6)} == {"A"}
        assert client.get("/api/about").json()["arms"] == ["A"]
