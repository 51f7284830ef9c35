"""A run in the shadow: what it answers is logged and never shown, and it gives way to requests."""

import threading

import pytest
from fastapi.testclient import TestClient

from igmc.config import ServeConfig
from igmc.errors import DataError
from igmc.experiments import SHADOW, AnswerLog, read_answers
from igmc.web.app import make_app
from igmc.web.experiment import Arm, Experiment
from igmc.web.schemas import ListRequest
from igmc.web.service import Service
from igmc.web.shadow import WAITING, Shadow
from tests.inference.small import GRAPH, Telling, make_scorer, predictor_of

LIMITS = ServeConfig(timeout=300)


@pytest.fixture(scope="module")
def runs():
    return [predictor_of(GRAPH, make_scorer([Telling(level)])) for level in (1, 3)]


class Told:
    """What the shadow said of its answers."""

    def __init__(self):
        self.outcomes, self.moved = [], threading.Condition()

    def __call__(self, outcome, seconds):
        with self.moved:
            self.outcomes.append(outcome)
            self.moved.notify_all()

    def until(self, count):
        with self.moved:
            assert self.moved.wait_for(lambda: len(self.outcomes) >= count, 60)
        return self.outcomes


def test_its_answers_and_its_predictions_of_what_was_shown_are_logged(runs, tmp_path):
    told = Told()
    arms = [Arm(name, Service(run, LIMITS)) for name, run in zip(("A", SHADOW), runs, strict=True)]
    with AnswerLog(tmp_path / "log") as log:
        app = make_app(Experiment(arms[:1], shadow=arms[1], log=log), LIMITS)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            app.state.shadow._tell = told
            rated = [{"item_id": 3, "rating": 5}]
            listed = client.post("/api/recommendations", json={"user_id": 4, "k": 4}).json()
            told.until(1)
            scores = client.post("/api/scores", json={"ratings": rated, "item_ids": [2, 5]}).json()
            told.until(2)
            why = client.post("/api/explanations", json={"user_id": 4, "item_id": 6}).json()
            assert told.until(3) == ["answered"] * 3
            assert client.get("/api/about").json()["arms"] == ["A"]
    assert {listed["arm"], scores["arm"], why["arm"]} == {"A"}
    found = read_answers([tmp_path / "log"]).answers
    shown, shadows = found[::2], found[1::2]
    assert [one.arm for one in shadows] == [SHADOW] * 3
    assert [(one.answer, one.kind, one.user) for one in shown] == [
        (one.answer, one.kind, one.user) for one in shadows
    ]
    second = runs[1].recommend(4, k=4)
    assert [item for item, _ in shadows[0].items] == second["item_id"].tolist()
    again = runs[1].predict(4, [item for item, _ in shown[0].items])["score"]
    assert [item for item, _ in shadows[0].scored] == [item for item, _ in shown[0].items]
    assert [score for _, score in shadows[0].scored] == pytest.approx(again.tolist(), abs=2e-4)
    assert [item for item, _ in shadows[1].items] == [2, 5]
    assert [item for item, _ in shadows[2].items] == [6]
    assert shadows[1].items != shown[1].items
    assert shadows[1].scored == shadows[2].scored == ()


@pytest.fixture
def make(runs, tmp_path):
    """A shadow whose service does what is given."""
    opened = []

    def make(recommend, busy=lambda: False):
        service = Service(runs[1], LIMITS)
        service.recommend = recommend
        log = AnswerLog(tmp_path / "log")
        experiment = Experiment([Arm("A", Service(runs[0], LIMITS))], shadow=Arm(SHADOW, service), log=log)
        told = Told()
        found = Shadow(experiment, 10, busy, told)
        opened.append(found)
        choice = experiment.choice(ASKED, None)
        return found, told, experiment.record(choice, "list", [(1, 4.0)])

    yield make
    for one in opened:
        one.close()


ASKED = ListRequest(user_id=4)


def test_under_load_answers_are_dropped_at_once(make):
    found, told, shown = make(lambda *_: pytest.fail("it was asked"), busy=lambda: True)
    for _ in range(3):
        found.offer(shown, ASKED)
    assert told.outcomes == ["dropped"] * 3


def test_no_more_wait_than_may(make):
    go = threading.Event()

    def slow(*_):
        go.wait(60)
        raise DataError("no answer")

    found, told, shown = make(slow)
    for _ in range(WAITING + 3):
        found.offer(shown, ASKED)
    assert told.outcomes == ["dropped"] * 3
    go.set()
    told.until(WAITING + 3)
    found.offer(shown, ASKED)  # there is room again
    assert told.until(WAITING + 4) == ["dropped"] * 3 + ["failed"] * (WAITING + 1)


def test_an_answer_that_takes_too_long_is_dropped(make):
    def late(*_):
        raise TimeoutError

    found, told, shown = make(late)
    found.offer(shown, ASKED)
    assert told.until(1) == ["dropped"]


def test_what_it_cannot_answer_is_counted_and_logged_as_an_error_only_if_unforeseen(make, caplog):
    found, told, shown = make(lambda *_: 1 / 0)
    found.offer(shown, ASKED)
    assert told.until(1) == ["failed"]
    assert "the shadow failed" in caplog.text
    caplog.clear()
    found.offer(shown, ListRequest(user_id=4, ratings=[{"item_id": 99, "rating": 5.0}]))
    assert told.until(2) == ["failed"] * 2


def test_metrics_count_them(runs, tmp_path):
    arms = [Arm(name, Service(run, LIMITS)) for name, run in zip(("A", SHADOW), runs, strict=True)]
    with AnswerLog(tmp_path / "log") as log:
        app = make_app(Experiment(arms[:1], shadow=arms[1], log=log), LIMITS)
        with TestClient(app, base_url="http://127.0.0.1") as client:
            tell = app.state.shadow._tell
            tell("dropped", 0.0)
            tell("answered", 0.2)
            text = client.get("/metrics").text
    assert 'igmc_shadow_total{outcome="dropped"} 1.0' in text
    assert 'igmc_shadow_total{outcome="answered"} 1.0' in text
    assert "igmc_shadow_seconds_count 1.0" in text
