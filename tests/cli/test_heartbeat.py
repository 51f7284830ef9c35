"""A long work that says nothing says now and then that it goes on."""

import io
import logging
import sys
import time

import pytest

from igmc.cli.heartbeat import SILENCE, Heartbeat
from igmc.cli.logs import start_logging, stop_logging
from igmc.progress import current_work, step, working_on
from igmc.ratings.demo import make_demo
from igmc.ratings.split import make_split
from igmc.recommenders import TrainingData, make_recommender


def test_a_line_comes_after_thirty_seconds_without_one(caplog):
    heart = Heartbeat(0.0)
    working_on("mf on demo")
    step("epoch 7")
    with caplog.at_level(logging.INFO, logger="igmc"):
        assert heart.beat(SILENCE - 1) == 1
        assert caplog.messages == []
        assert heart.beat(SILENCE) == SILENCE
        assert heart.beat(SILENCE + 10) == SILENCE - 10, "one line for thirty seconds"
        heart.beat(95.0)
    assert caplog.messages == [
        "still at work after 30 s: mf on demo, epoch 7",
        "still at work after 1 min 35 s: mf on demo, epoch 7",
    ]


def test_who_has_just_spoken_is_not_silent(caplog):
    heart = Heartbeat(time.monotonic() - 1000)
    heart.emit(logging.makeLogRecord({"msg": "an epoch"}))
    with caplog.at_level(logging.INFO, logger="igmc"):
        assert heart.beat(time.monotonic()) > 0
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("quiet", "terminal", "beats"), [(False, False, 1), (True, False, 0), (False, True, 0)]
)
def test_it_beats_where_nobody_sees_a_bar(monkeypatch, quiet, terminal, beats):
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    start_logging(verbose=False, quiet=quiet)
    handlers = logging.getLogger("igmc").handlers
    assert sum(isinstance(one, Heartbeat) for one in handlers) == beats
    stop_logging()
    assert not any(isinstance(one, Heartbeat) for one in handlers)


def test_every_training_tells_its_epochs():
    data = TrainingData.from_split(make_split(make_demo()))
    working_on("it")
    make_recommender("mf", {"burn_in": 2, "draws": 1}).fit(data.merged())
    assert current_work() == "it, epoch 6"


def test_a_server_that_waits_says_nothing(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    start_logging(verbose=False, quiet=False, heartbeat=False)
    assert not any(isinstance(one, Heartbeat) for one in logging.getLogger("igmc").handlers)
    stop_logging()
