"""What items share, kept row by row: the sums of a walk, also where ratings were laid over the graph."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.statistics import item_sums
from igmc.statistics.item_sums import ItemSums
from igmc.statistics.serving import with_patches
from igmc.statistics.shared import NOBODY, share
from tests.statistics.graphs import known_ratings

KNOWN = known_ratings()
BASE = KNOWN.statistics()
LEVELS = (KNOWN.rating - 1).astype(np.int64)
VALUES = np.arange(1.0, 6.0)
GRAPH = ServingGraph.of(
    BipartiteGraph.from_ratings(KNOWN.user, KNOWN.item, LEVELS, n_users=60, n_items=40, n_levels=5)
)
SIZE = 44  # items in all, with those that come later
EVERY = np.arange(SIZE, dtype=np.int32)


def walked(statistics, item):
    """What an item shares with every other, by a walk over the rows as they are."""
    sums = np.empty((SIZE, 8), np.float32)
    share(
        statistics.items,
        statistics.users,
        np.int32(item),
        NOBODY,
        np.float32(0),
        sums,
        np.empty(0, np.float32),
    )
    return sums


def whole(row):
    return np.concatenate([row, np.zeros((SIZE - len(row), 8), np.float32)])


changes = st.lists(
    st.lists(
        st.tuples(st.integers(0, 63), st.integers(0, SIZE - 1), st.integers(-1, 4)),
        min_size=1,
        max_size=6,
        unique_by=lambda change: change[:2],
    ),
    min_size=1,
    max_size=4,
)


def followed(batches):
    """View, statistics and sums after each batch of changes."""
    view, statistics, sums = GRAPH, BASE, ItemSums(BASE, 1 << 20)
    for batch in batches:
        for item in (0, 7, 39):
            sums.row(item)  # found before the change, and kept
        user, item, level = (np.array(column) for column in zip(*batch, strict=True))
        view = view.changed(user, item, level, n_users=64, n_items=SIZE)
        rows = np.unique(user).astype(np.int32), np.unique(item).astype(np.int32)
        statistics = with_patches(statistics, view, VALUES, rows)
        sums = sums.over(statistics, *rows)
        yield view, statistics, sums


@given(changes)
def test_rows_of_a_view_are_those_of_a_walk_over_it(batches):
    for _, statistics, sums in followed(batches):
        for item in range(SIZE):
            expected = walked(statistics, item)
            got = whole(sums.row(item))
            np.testing.assert_array_equal(got[:, 0], expected[:, 0])
            np.testing.assert_allclose(got, expected, atol=2e-4)


@given(changes)
def test_a_view_followed_step_by_step_has_the_rows_of_one_made_at_once(batches):
    *_, (_, statistics, sums) = followed(batches)
    patches = statistics.users.patch.nodes, statistics.items.patch.nodes
    at_once = ItemSums(BASE, 1 << 20).over(statistics, *patches)
    for item in range(SIZE):
        np.testing.assert_array_equal(whole(sums.row(item)), whole(at_once.row(item)))


def test_rows_that_no_new_rating_touches_are_kept_once_for_all_views():
    sums = ItemSums(BASE, 1 << 20)
    user = 3
    rated = KNOWN.item[KNOWN.user == user]
    view = GRAPH.changed([user], [rated[0]], [4])
    rows = np.array([user], np.int32), rated[:1]
    other = sums.over(with_patches(BASE, view, VALUES, rows), *rows)
    for item in range(40):
        assert (sums.row(item) is other.row(item)) == (item not in rated)


@pytest.mark.parametrize("light", [0, 1 << 20])
def test_a_row_of_a_view_is_kept_until_a_rating_touches_it(monkeypatch, light):
    monkeypatch.setattr(item_sums, "LIGHT", light)
    user, rated = 3, KNOWN.item[KNOWN.user == 3]
    view, statistics, sums = GRAPH, BASE, ItemSums(BASE, 1 << 20)
    for level in (4, 0):
        view = view.changed([user], rated[:1], [level])
        rows = np.array([user], np.int32), rated[:1]
        statistics = with_patches(statistics, view, VALUES, rows)
        before, sums = sums, sums.over(statistics, *rows)
        np.testing.assert_allclose(sums.row(int(rated[1])), walked(statistics, rated[1])[:40], atol=2e-4)
        assert (sums.row(int(rated[1])) is sums.row(int(rated[1]))) or not light
    np.testing.assert_array_equal(before.row(int(rated[1]))[:, 0], sums.row(int(rated[1]))[:, 0])
    assert (before.row(int(rated[1])) != sums.row(int(rated[1]))).any()  # each view has its own


def test_a_table_has_the_sums_of_both_from_either_row():
    *_, (_, statistics, sums) = followed([[(60, 41, 4), (60, 3, 0), (61, 41, 2), (5, 3, 1)]])
    near = np.array([3, 7, 41], np.int32)
    table = sums.table(near, EVERY)
    for place, item in enumerate(near):
        row = whole(sums.row(int(item)))
        np.testing.assert_array_equal(table[:, place, 0], row[:, 0])
        untouched = np.setdiff1d(EVERY, statistics.items.patch.nodes)
        turned = row[:, [0, 2, 1, 3, 5, 4]]
        np.testing.assert_array_equal(table[untouched, place, :6], turned[untouched])
    for item in statistics.items.patch.nodes:  # of few raters, whose residuals in their own rows are newer
        np.testing.assert_array_equal(table[item, :, :6], whole(sums.row(int(item)))[near, :6])


def test_only_rows_to_be_found_first_are_unknown_and_none_of_a_view():
    sums = ItemSums(BASE, 1 << 20)
    asked = np.array([1, 2, 3], np.int32)
    assert sums.unknown(asked) == 3
    sums.warm(asked[:2], threads=2)
    assert sums.unknown(asked) == 1
    *_, (_, _, other) = followed([[(60, 41, 4)]])
    assert other.unknown(asked) == 0


def test_rows_asked_last_stay_where_there_is_room_for_some():
    sums = ItemSums(BASE, 2 * 40 * 8 * 4)
    first = sums.row(1)
    sums.row(2)
    assert sums.row(1) is first
    sums.row(3)
    assert sums.unknown(np.array([1, 2, 3], np.int32)) == 1


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_are_found_before_they_are_asked_as_far_as_there_is_room(threads):
    asked = np.arange(10, dtype=np.int32)
    for memory, room, found in ((1 << 20, None, 10), (1 << 20, 3 * 1280, 3), (4 * 1280, None, 4)):
        sums = ItemSums(BASE, memory)
        sums.warm(asked, threads, room)
        assert sums.unknown(asked) == 10 - found
        assert sums.unknown(asked[:found]) == 0
