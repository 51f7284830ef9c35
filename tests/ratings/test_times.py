"""Times in any unit, and dates in words."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import DataError
from igmc.ratings.times import date_seconds, looks_like_date, to_seconds


def place(row: int) -> str:
    return f"x, line {row + 1}"


@pytest.mark.parametrize(
    ("factor", "notes"),
    [
        (1, ()),
        (10**3, ("times are milliseconds",)),
        (10**6, ("times are microseconds",)),
        (10**9, ("times are nanoseconds",)),
    ],
)
def test_the_unit_is_recognised_and_said(factor, notes):
    times = np.array([1_420_167_845.0, np.nan, 0, -86_400, 883_612_800]) * factor
    seconds, said = to_seconds(times, place)
    assert (seconds.tolist(), said) == ([1_420_167_845, -1, 0, -86_400, 883_612_800], notes)


def test_a_time_in_another_unit_is_refused_with_its_place():
    with pytest.raises(
        DataError, match=r"x, line 2: the timestamp is in seconds, others in milliseconds; got 14"
    ):
        to_seconds(np.array([1.42e12, 1.42e9, 1.43e12]), place)


def test_nothing_known_is_nothing_known():
    assert to_seconds(np.array([np.nan, -1, -1]), place)[0].tolist() == [-1, -1, -1]
    assert to_seconds(np.empty(0), place)[0].tolist() == []


def test_dates_written_as_numbers():
    seconds, said = to_seconds(np.array([20040315, 0, 19991231]), place)
    assert (seconds.tolist(), said) == ([1079308800, -1, 946598400], ("times are dates such as 20040315",))
    for no_date in (20040230, 20041301, 20040315.5, 20040300):
        assert to_seconds(np.array([no_date, 19991231]), place)[1] == ()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2004-03-15", 1079308800),
        (" 2004-03-15 ", 1079308800),
        ("2004-03-15T10:20:30", 1079346030),
        ("2004-03-15 10:20:30.75", 1079346030.75),
        ("2004-03-15T10:20:30Z", 1079346030),
        ("2004-03-15 10:20:30 UTC", 1079346030),
        ("2004-03-15T10:20:30+02:00", 1079338830),
        ("2004-03-15 10:20:30.123456789-0500", 1079364030.123456),
    ],
)
def test_iso_dates(text, seconds):
    assert looks_like_date(text)
    assert date_seconds(text) == seconds


@pytest.mark.parametrize("text", ["2004-02-30", "2004-03-15 25:00", "2004-03-15 noon"])
def test_what_looks_like_a_date_may_be_none(text):
    assert looks_like_date(text)
    with pytest.raises(ValueError):  # noqa: PT011
        date_seconds(text)


@pytest.mark.parametrize("text", ["978300760", "15/03/2004", "", "2004", "2004-3-15", "March 2004"])
def test_what_is_no_iso_date(text):
    assert not looks_like_date(text)
    with pytest.raises(ValueError, match="is not an ISO date"):
        date_seconds(text)


@given(st.datetimes(timezones=st.just(datetime.UTC)))
def test_every_datetime_comes_back(moment):
    assert date_seconds(moment.isoformat()) == moment.timestamp()
