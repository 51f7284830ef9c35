"""Date inputs: the formula by plain loops, nothing from after the time that is asked, patches as rebuilt."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.ratings import UNKNOWN_TIME
from igmc.statistics import DATE_WIDTH, RatingDates
from tests.statistics.graphs import known_ratings

DAY = 86_400
KNOWN = known_ratings()
TIME = np.random.default_rng(1).integers(0, 60 * DAY, len(KNOWN))
TIME[::7] = TIME[1::7][: len(TIME[::7])]  # some of the very same second
STATISTICS = KNOWN.statistics()


def dates(time=TIME, past=True, rows=slice(None)):
    columns = KNOWN.user[rows], KNOWN.item[rows], KNOWN.rating[rows], time[rows]
    return RatingDates.of_ratings(STATISTICS, *columns, past=past)


def reference(user, item, at, *, past):
    """`RatingDates.read` for one pair, by its formulas."""
    if at == UNKNOWN_TIME:
        return np.zeros(DATE_WIDTH)
    residual, found = STATISTICS.residuals(KNOWN.user, KNOWN.item, KNOWN.rating), [1.0]
    timed = TIME != UNKNOWN_TIME
    for nodes, node, spans, damping in (
        (KNOWN.user, user, (300, 3600, DAY, 20 * DAY), 3),
        (KNOWN.item, item, (20 * DAY, 200 * DAY), 10),
    ):
        mine = (nodes == node) & timed
        seen = mine & (at > TIME) if past else mine
        for span in spans:
            far = np.abs(TIME[seen] - at)
            weight = np.exp(-far / span) * (far <= 8 * span)
            found += [(weight * residual[seen]).sum() / (weight.sum() + damping), np.log1p(weight.sum())]
        before = TIME[mine & (at > TIME)]
        if damping == 3:
            found += [np.log1p(len(before)), len(before) / max(np.count_nonzero(seen), 1)]
        found.append(np.log1p((at - before.min()) / DAY) if len(before) else 0.0)
    return np.array(found)


@pytest.mark.parametrize("past", [True, False])
@given(
    pairs=st.lists(
        st.tuples(st.integers(0, 59), st.integers(0, 39), st.integers(0, 70 * DAY)), min_size=1, max_size=8
    )
)
@settings(max_examples=40, deadline=None)
def test_inputs_are_those_of_the_formulas(past, pairs):
    user, item, at = (
        np.array(column, dtype) for column, dtype in zip(zip(*pairs, strict=True), "iil", strict=True)
    )
    found = dates(past=past).read(user, item, at)
    expected = [reference(*pair, past=past) for pair in zip(user, item, at, strict=True)]
    assert found == pytest.approx(np.array(expected), abs=2e-5)


def test_a_pair_that_is_asked_at_no_time_has_no_date_inputs():
    ask = np.array([3], np.int32), np.array([5], np.int32)
    assert not dates().read(*ask, np.array([UNKNOWN_TIME])).any()
    assert dates().read(*ask, np.array([30 * DAY])).any()


def test_ratings_without_a_time_are_passed_over():
    some = TIME.copy()
    some[::2] = UNKNOWN_TIME
    ask = KNOWN.user[:50], KNOWN.item[:50], np.full(50, 30 * DAY)
    np.testing.assert_array_equal(dates(some).read(*ask), dates(rows=slice(1, None, 2)).read(*ask))
    nothing = dates(np.full(len(TIME), UNKNOWN_TIME))
    assert nothing.newest == UNKNOWN_TIME
    assert nothing.read(*ask)[:, 1:].sum() == 0


def test_the_past_knows_nothing_of_later_ratings():
    """Their times change, and which there are: the inputs at a time before stay, to the bit."""
    at, later = 30 * DAY, TIME >= 30 * DAY
    ask = KNOWN.user[:200], KNOWN.item[:200], np.full(200, at)
    moved = np.where(later, 59 * DAY, TIME)
    for other in (dates(moved), dates(rows=np.flatnonzero(~later))):
        np.testing.assert_array_equal(other.read(*ask), dates().read(*ask))
    assert (dates(moved, past=False).read(*ask) != dates(past=False).read(*ask)).any()


@pytest.mark.parametrize("past", [True, False])
def test_a_patch_equals_the_dates_made_anew(past):
    """Some users and items lose half of their ratings, once and then again."""
    rng = np.random.default_rng(2)
    users, items = np.array([3, 17, 59], np.int32), np.array([0, 8], np.int32)
    patched, kept = dates(past=past), np.ones(len(KNOWN), np.bool_)
    for _ in range(2):
        concerned = np.isin(KNOWN.user, users) | np.isin(KNOWN.item, items)
        kept &= ~concerned | (rng.random(len(KNOWN)) < 0.5)
        rows = np.flatnonzero(kept & concerned)
        columns = KNOWN.user[rows], KNOWN.item[rows], KNOWN.rating[rows], TIME[rows]
        patched = patched.with_ratings(STATISTICS, *columns, users=users, items=items)
        users = np.array([3, 30], np.int32)
        items = np.array([8, 21], np.int32)
        user, item = (x.ravel().astype(np.int32) for x in np.meshgrid([3, 17], [0, 8]))
        at = np.full(4, 40 * DAY)
        anew = dates(past=past, rows=np.flatnonzero(kept))
        np.testing.assert_array_equal(patched.read(user, item, at), anew.read(user, item, at))


def test_a_newcomers_patch_lies_beyond_the_graph():
    mine = np.full(2, 60, np.int32), np.array([1, 2], np.int32), np.array([5.0, 1.0]), np.full(2, 60 * DAY)
    users, nobody = np.array([60], np.int32), np.empty(0, np.int32)
    found = dates().with_ratings(STATISTICS, *mine, users=users, items=nobody)
    ask = np.array([60], np.int32), np.array([3], np.int32), np.array([60 * DAY + 1])
    assert found.read(*ask)[0, 2] == pytest.approx(np.log(3), abs=0.01)  # both count in full
    assert dates().read(*ask)[0, 2] == 0


def test_hubs_cost_no_more_than_their_nearest_ratings():
    """A node of many ratings looks at 256 on each side: what those beyond are is of no account."""
    n = 1000
    user, item, time = np.zeros(n, np.int32), np.arange(n, dtype=np.int32), np.arange(n, dtype=np.int64)
    rating = np.tile(np.array([1, 5], np.float32), n // 2)
    known = dataclasses.replace(KNOWN, user=user, item=item, rating=rating, n_users=1, n_items=n)
    statistics = known.statistics()
    ask = np.zeros(1, np.int32), np.array([n], np.int32), np.array([n])  # an item beyond the graph
    plain, beyond, within = (
        RatingDates.of_ratings(
            statistics, user, item, np.where(time < n - near, 6 - rating, rating), time, past=True
        ).read(*ask)
        for near in (n, 256, 255)
    )
    np.testing.assert_array_equal(plain, beyond)
    assert (plain != within).any()
