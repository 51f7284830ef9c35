import time

import torch

from igmc.training.stopwatch import Stopwatch, shares


def test_laps_add_up_by_stage():
    watch = Stopwatch(torch.device("cpu"))
    time.sleep(0.02)
    watch.start()  # what went before does not count
    for _ in range(2):
        watch.lap("nothing")
        time.sleep(0.01)
        watch.lap("sleep")
    assert watch.seconds["sleep"] >= 0.02
    assert watch.seconds["nothing"] < 0.01


def test_a_stage_is_divided_by_a_part_that_was_timed_on_a_sample():
    watch = Stopwatch(torch.device("cpu"))
    watch.seconds.update({"first": 1.0, "both": 8.0, "part": 1.5, "last": 2.0})
    watch.laps.update({"first": 4, "both": 4, "part": 2, "last": 4})
    divided = watch.divided("both", "part", "rest")
    assert list(divided.items()) == [("first", 1.0), ("part", 3.0), ("rest", 5.0), ("last", 2.0)]
    watch.seconds["part"] = 99.0  # no more than there was
    assert watch.divided("both", "part", "rest")["rest"] == 0.0


def test_without_a_device_nothing_is_measured():
    watch = Stopwatch(None)
    watch.lap("anything")
    assert not watch.seconds
    assert not watch.on


def test_shares_are_of_the_step_not_of_the_background():
    table = shares({"forward": 1.0, "backward": 3.0}, {"extraction": 2.0})
    assert "forward                    1.0   25.0 %" in table
    assert "extraction                 2.0   50.0 %, in the background" in table
