"""Rows whose values have types."""

import datetime
import decimal

import pytest

from igmc.errors import DataError
from igmc.ratings.readers.values import TypedRows


def gathered(*rows, timed=False):
    found = TypedRows(lambda k: f"x, row {k + 1}", timed=timed)
    for row in rows:
        found.add(*row)
    return found.finished()


def test_ids_stay_what_they_are():
    raw = gathered((1, "1", 4), ("u ", 2.0, "3.5"), (decimal.Decimal(7), "a", decimal.Decimal("2.5")))
    assert (raw.users, raw.items) == ([1, "u", 7], ["1", 2, "a"])
    assert raw.rating.tolist() == [4, 3.5, 2.5]
    assert raw.notes == ("blanks around 1 ids cut off", "2 ids such as 27.0 read as whole numbers")
    assert raw.timestamp is None


def test_times_of_any_type():
    day = datetime.date(2004, 3, 15)
    moment = datetime.datetime(2004, 3, 15, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1)))
    times = [day, moment, "2004-03-15", 1079308800, "1079308800", None, ""]
    raw = gathered(*((1, k, 3, time) for k, time in enumerate(times)), timed=True)
    assert raw.timestamp.tolist() == [1079308800] * 5 + [-1, -1]


@pytest.mark.parametrize(
    ("row", "match"),
    [
        ((None, 1, 3), "the user is missing"),
        ((1, "", 3), "the item is missing"),
        ((1, "  ", 3), "the item is not an id; got '  '"),
        ((True, 1, 3), "the user is not an id; got True; allowed: a whole number or a text"),
        ((1.5, 1, 3), r"the user is not an id; got 1\.5"),
        ((float("nan"), 1, 3), "the user is not an id"),
        (([1], 1, 3), "the user is not an id"),
        ((1, 1, None), "the rating is missing"),
        ((1, 1, "good"), "the rating is not a number; got 'good'"),
        ((1, 1, float("inf")), "the rating is not a number"),
        (
            (1, 1, 3, "yesterday"),
            "the timestamp is not a number; got 'yesterday'; allowed: seconds since 1970",
        ),
        ((1, 1, 3, "2004-02-30"), "the timestamp is not an ISO date"),
        ((1, 1, 3, 1e30), "the timestamp is too large"),
    ],
)
def test_a_bad_value_is_named(row, match):
    with pytest.raises(DataError, match=f"x, row 2: {match}"):
        gathered((1, 2, 3, 4), row, timed=True)


def test_no_rows():
    with pytest.raises(DataError, match="x, row 1: there are no ratings"):
        gathered()
