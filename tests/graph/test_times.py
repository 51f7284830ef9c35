"""Times are found by the pair that was rated then."""

import numpy as np

from igmc.config import DataConfig
from igmc.graph import RatingTimes, make_parts
from igmc.ratings import UNKNOWN_TIME, load_dataset, make_split

USER, ITEM = np.array([2, 0, 1], np.int32), np.array([7, 7, 3], np.int32)


def test_a_time_is_found_by_its_pair():
    times = RatingTimes.of(USER, ITEM, np.array([30, 10, UNKNOWN_TIME]))
    assert times.look_up(USER, ITEM).tolist() == [30, 10, UNKNOWN_TIME]
    assert times.look_up(ITEM, USER).tolist() == [UNKNOWN_TIME] * 3
    assert RatingTimes.of(USER, ITEM, np.full(3, UNKNOWN_TIME)) is None


def test_the_parts_of_a_run_know_the_times_of_what_is_known_and_of_no_test_rating():
    dataset = load_dataset("demo")
    split = make_split(dataset, DataConfig(dataset="demo"), 1)
    parts, table = make_parts(split, "validation"), split.table
    for rows, known in ((split.train, True), (split.validation, True), (split.test, False)):
        found = parts["test"].times.look_up(table.user[rows], table.item[rows])
        assert (found == (table.timestamp[rows] if known else UNKNOWN_TIME)).all()
    assert (parts["test"].pairs.time == table.timestamp[split.test]).all()
