"""Another run in place of the one that is served."""

import threading
import time

import pytest

from igmc.errors import CheckpointError
from igmc.live import Change, Draft
from igmc.web.swapping import Served
from tests.inference.small import GRAPH, make_scorer, predictor_of


def small():
    return predictor_of(GRAPH, make_scorer())


@pytest.mark.parametrize("stores", [False, True])
def test_a_new_run_answers_once_it_is_ready_with_what_was_stored(stores, tmp_path):
    runs = [small(), small()]
    served = Served(iter(runs).__next__, str(tmp_path / "a.db") if stores else None)
    if served.live is not None:
        served.live.start()
        receipt = served.live.write(Change((Draft("rate", 99, 3, 5.0, 0),))).result(20)
        assert served.live.reached(receipt.position, 20)
    assert served().scorer is runs[0].scorer
    assert served.reload()
    assert served().scorer is runs[1].scorer
    assert (served().users.encode([99])[0] >= 0) == stores
    if served.live is not None:
        served.live.close()


@pytest.mark.parametrize("error", [CheckpointError("no checkpoint yet"), ValueError("unforeseen")])
def test_a_run_that_cannot_be_used_leaves_the_old_one(error, caplog):
    runs = [small()]

    def load():
        if runs:
            return runs.pop()
        raise error

    served = Served(load)
    before = served()
    assert not served.reload()
    assert served() is before
    assert "the old one stays" in caplog.text


def test_a_second_signal_meanwhile_does_nothing():
    first, go, loads = small(), threading.Event(), []

    def load():
        loads.append(1)
        if len(loads) > 1:
            go.wait(20)
        return first if len(loads) == 1 else small()

    served = Served(load)
    served.on_signal(1, None)
    end = time.monotonic() + 20
    while len(loads) < 2 and time.monotonic() < end:
        time.sleep(0.005)
    assert not served.reload()
    go.set()
    while served() is first and time.monotonic() < end:
        time.sleep(0.005)
    assert served() is not first
    assert len(loads) == 2
