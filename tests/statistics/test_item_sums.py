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
ROW = 40 * 8 * 4  # bytes
TURNED = [0, 2, 1, 3, 5, 4]  # what the one shares with the other, as the other has it


def walked(statistics, item):
    """What an item shares with every other, by a walk over the rows as they are."""
    sums, nothing = np.empty((SIZE, 8), np.float32), np.empty(0, np.float32)
    share(statistics.items, statistics.users, np.int32(item), NOBODY, np.float32(0), sums, nothing)
    return sums[:, :6]


def followed(batches):
    """The statistics after some changes, batch by batch."""
    view, statistics = GRAPH, BASE
    for batch in batches:
        user, item, level = (np.array(column) for column in zip(*batch, strict=True))
        view = view.changed(user, item, level, n_users=64, n_items=SIZE)
        rows = np.unique(user).astype(np.int32), np.unique(item).astype(np.int32)
        statistics = with_patches(statistics, view, VALUES, rows)
    return statistics


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


@given(changes, st.sampled_from([0, 20, 64]), st.sampled_from([1, 3 * ROW, 1 << 20]))
def test_a_table_of_a_view_has_the_sums_of_walks_over_it(batches, few, at_once):
    """Of items with new ratings and few raters those of their own rows, else those of the others' rows."""
    laid = followed(batches)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(item_sums, "FEW", few)
        patch.setattr(item_sums, "AT_ONCE", at_once)
        table = ItemSums(BASE, 1 << 20).table(EVERY, EVERY, laid)
    raters = {item: len(laid.items.row(item)[0]) for item in laid.items.patch.nodes.tolist()}
    own = np.stack([walked(laid, item) for item in EVERY])
    other = own[:, :, TURNED].swapaxes(0, 1)
    for item in EVERY.tolist():
        expected = own[item] if raters.get(item, few + 1) <= few else other[item]
        np.testing.assert_array_equal(table[item, :, 0], expected[:, 0])
        np.testing.assert_allclose(table[item, :, :6], expected, atol=2e-4)


def test_items_asked_twice_are_answered_twice():
    laid, near = followed([[(60, 41, 4), (60, 3, 0), (5, 3, 1)]]), np.array([3, 7, 41], np.int32)
    sums, other = ItemSums(BASE, 1 << 20), KNOWN.item[(KNOWN.user == 5) & (KNOWN.item != 3)][0]
    asked = np.array([other, 3, 41, other, 3], np.int32)
    table = sums.table(near, asked, laid)
    for place in range(5):
        alone = sums.table(near, asked[place : place + 1], laid)
        np.testing.assert_array_equal(table[place, :, :6], alone[0, :, :6])


def test_what_rounding_leaves_of_sums_without_a_rater_is_nothing():
    """Everybody who rated both items takes back a rating."""
    both = [(user, 3, -1) for user in range(60)]
    table = ItemSums(BASE, 1 << 20).table(np.array([3, 7], np.int32), EVERY, followed([both]))
    assert not table[:, 0, :6].any()
    assert table[:, 1, :6].any()


def test_only_rows_to_be_found_first_are_missing():
    sums = ItemSums(BASE, 1 << 20)
    asked = np.array([1, 2, 3, 41], np.int32)  # the last one is not in the graph
    assert sums.missing(asked) == [1, 2, 3]
    sums.row(2)
    assert sums.missing(asked) == [1, 3]


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_are_found_before_they_are_asked_as_far_as_there_is_room(threads):
    asked = np.arange(10, dtype=np.int32)
    for memory, room, found in ((1 << 20, None, 10), (1 << 20, 3 * ROW, 3), (4 * ROW, None, 4)):
        sums = ItemSums(BASE, memory)
        sums.warm(asked, threads, room)
        assert sums.missing(asked) == list(range(found, 10))


def test_rows_asked_last_stay_where_there_is_room_for_some():
    sums = ItemSums(BASE, 2 * ROW)
    first = sums.row(1)
    sums.row(2)
    assert sums.row(1) is first
    sums.row(3)
    assert sums.missing(np.array([1, 2, 3], np.int32)) == [2]
