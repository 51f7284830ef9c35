"""Who sees which arm."""

import subprocess
import sys

import pytest

from igmc.errors import ConfigError
from igmc.experiments.allocation import Allocation, subject_of


def arms(shares, count, users=20_000):
    one = Allocation(shares, count)
    return [one.arm(subject_of(user, None)) for user in range(users)]


@pytest.mark.parametrize(
    ("shares", "count", "expected"),
    [([50], 2, [50, 50]), ([10], 2, [10, 90]), ([], 3, [100 / 3] * 3), ([20, 30, 50], 3, [20, 30, 50])],
)
def test_users_are_shared_as_said(shares, count, expected):
    seen = arms(shares, count)
    for arm, share in enumerate(expected):
        assert abs(100 * seen.count(arm) / len(seen) - share) < 1.5  # 4 standard errors


def test_the_arm_is_known_for_good_and_in_another_process():
    ids = [7, "7", 9007199254740993, "ann", "\ud800", ""]
    here = [Allocation([50], 2).arm(subject_of(user, None)) for user in ids]
    assert here == [0, 0, 1, 1, 1, 0]
    code = (
        "from igmc.experiments.allocation import Allocation, subject_of\n"
        f"print([Allocation([50], 2).arm(subject_of(user, None)) for user in {ids!a}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(here)


def test_who_saw_the_last_arm_sees_it_when_it_grows():
    small, large = arms([90], 2), arms([60], 2)
    assert small != large
    assert all(after == 1 for before, after in zip(small, large, strict=True) if before == 1)


def test_without_an_id_the_ratings_decide_in_any_order_and_a_number_is_not_a_text():
    assert subject_of(None, {1: 5, "a": 2.0}) == subject_of(None, {"a": 2, 1: 5.0})
    assert subject_of(None, {1: 5}) != subject_of(None, {"1": 5})
    assert subject_of(None, {1: 5}) != subject_of(None, {1: 4})
    assert subject_of(7, {1: 5}) == subject_of(7, None) != subject_of("7", None)
    assert subject_of(None, {}) == subject_of(None, None)


@pytest.mark.parametrize(
    ("shares", "count"),
    [([50], 3), ([50, 60], 2), ([101], 2), ([-1], 2), ([float("nan")], 2), ([10, 20, 70, 0], 3), ([], 27)],
)
def test_shares_that_do_not_fit_are_refused(shares, count):
    with pytest.raises(ConfigError, match=r"shares of users do not fit|too many runs"):
        Allocation(shares, count)
