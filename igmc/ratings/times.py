"""Conversion of timestamps in files, numbers in an unknown unit or dates, to seconds."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.table import UNKNOWN_TIME

__all__ = ["ALLOWED", "MAX_TIME", "date_seconds", "looks_like_date", "to_seconds"]

ALLOWED = (
    "seconds since 1970, such as 978300760 (nothing or -1 where unknown), milli-, micro- or nanoseconds, "
    "or ISO dates such as 2004-03-15 or 2004-03-15T10:20:30+01:00"
)
MAX_TIME = 1e20  # of any unit; nanoseconds of today are 1.8e18
_DATE = re.compile(r"\s*[0-9]{4}-[0-9]{2}-[0-9]{2}([T ].*)?", re.ASCII)
# From this number on a time since 1970 is in the finer unit: as seconds it would be after the year 5100.
_UNITS = ((1e11, 10**3, "milliseconds"), (1e14, 10**6, "microseconds"), (1e17, 10**9, "nanoseconds"))
_LIKELY = 1e8, 5e9  # seconds: from 1973 to 2128
_NAMES = ("seconds", *(name for _, _, name in _UNITS))


def looks_like_date(text: str) -> bool:
    """Whether a text is an ISO date or a datetime, well-formed or not.

    >>> looks_like_date("2004-03-15"), looks_like_date("978300760")
    (True, False)
    """
    return _DATE.fullmatch(text) is not None


def date_seconds(text: str) -> float:
    """The seconds since 1970 of an ISO date or datetime; without a zone it is UTC.

    Raises:
        ValueError: if it is none.

    >>> date_seconds("2004-03-15"), date_seconds("2004-03-15 01:00:00+01:00")
    (1079308800.0, 1079308800.0)
    """
    if not looks_like_date(text):
        raise ValueError(f"{text!r} is not an ISO date")
    found = datetime.datetime.fromisoformat(text.strip().removesuffix(" UTC"))
    return (found if found.tzinfo else found.replace(tzinfo=datetime.UTC)).timestamp()


def to_seconds(
    times: NDArray[np.float64], where: Callable[[int], str]
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Numbers that are times since 1970 in seconds or a finer unit, in whole seconds.

    The unit is that of the median; the calendar dates 19700102..20991231 written as numbers are dates, among
    which 0 is unknown.

    Args:
        times: float64 [n]; unknown where NaN or -1; negative before 1970.
        where: names the place of a row number.

    Returns:
        int64 [n], `UNKNOWN_TIME` where unknown, and what was guessed, for the report.

    Raises:
        DataError: naming the place, on a time that is in another unit than the others.
    """
    seconds = np.full(len(times), UNKNOWN_TIME, np.int64)
    known = np.flatnonzero((times != 0) & (times != UNKNOWN_TIME) & ~np.isnan(times))
    given = times[known]
    dates = _calendar(given)
    if dates is None:
        seconds[times == 0] = 0  # in any unit
    else:
        seconds[known] = dates
        return seconds, ("times are dates such as 20040315",)
    unit = np.searchsorted([start for start, _, _ in _UNITS], np.abs(given), side="right")
    usual = int(np.median(unit)) if given.size else 0
    factor = np.array([1, *(divisor for _, divisor, _ in _UNITS)])[unit]
    low, high = _LIKELY
    likely = (np.abs(given) >= low * factor) & (np.abs(given) < high * factor)
    # What is smaller than the others is a time near 1970, unless it is a likely one in a coarser unit.
    strange = np.flatnonzero((unit > usual) | ((unit < usual) & likely))
    if strange.size:
        row = int(strange[0])
        raise DataError(
            f"{where(int(known[row]))}: the timestamp is in {_NAMES[unit[row]]}, others in {_NAMES[usual]}",
            got=float(given[row]),
            allowed="one unit throughout",
            remedy="fix the times, or omit them with --columns user,item,rating",
        )
    divisor = 1 if usual == 0 else _UNITS[usual - 1][1]
    seconds[known] = (given // divisor).astype(np.int64)
    return seconds, () if usual == 0 else (f"times are {_NAMES[usual]}",)


def _calendar(given: NDArray[np.float64]) -> NDArray[np.int64] | None:
    """The seconds of numbers such as 20040315; None unless all of them are dates."""
    if not given.size or given.min() < 19700102 or given.max() > 20991231 or np.any(given % 1):
        return None
    whole = given.astype(np.int64)
    year, month, day = whole // 10_000, whole // 100 % 100, whole % 100
    if not np.all((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)):
        return None
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    if np.any(days.astype("datetime64[M]") != months):
        return None
    return days.astype("datetime64[s]").astype(np.int64)
