"""Ratings laid over statistics: what is read is what the rebuilt statistics would say of the user."""

import numpy as np
import pytest

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.statistics import neighbours
from igmc.statistics.inputs import InputNorms
from igmc.statistics.item_sums import ItemSums
from igmc.statistics.neighbours import read_for_user, read_neighbours
from igmc.statistics.serving import with_patches, with_user
from tests.statistics.graphs import known_ratings

RAW = InputNorms.identity()
KNOWN = known_ratings()
BASE = KNOWN.statistics()
MINE, MARKS = np.array([7, 3, 21], np.int32), np.array([5.0, 1.0, 4.0])
REST = np.setdiff1d(np.arange(KNOWN.n_items), MINE).astype(np.int32)
VALUES = np.arange(1.0, 6.0)


def alike(one, other, within=0.0):
    for name in ("base", "pair"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=within)
    for side in ("users", "items"):
        mine, theirs = getattr(one, side), getattr(other, side)
        assert np.array_equal(mine.ptr, theirs.ptr)
        assert np.array_equal(mine.node, theirs.node)
        assert mine.rows == pytest.approx(theirs.rows, abs=within)


@pytest.mark.parametrize("memory", [1, 2**30])
@pytest.mark.parametrize("cap", [4, 1000])
def test_a_request_reads_the_same_bits_by_either_way(memory, cap, monkeypatch):
    monkeypatch.setattr(neighbours, "BESIDE", len(REST))  # with two threads its sides are read side by side
    own = with_user(BASE, KNOWN.n_users, MINE, MARKS)
    users = np.full(len(REST), KNOWN.n_users, np.int32)
    slow = read_neighbours(own, users, REST, cap=cap, norms=RAW)
    shared = ItemSums(BASE, memory)
    for _ in range(2):
        for threads in (1, 2):
            got = read_for_user(own, shared, KNOWN.n_users, REST, cap=cap, norms=RAW, threads=threads)
            alike(got, slow)


def test_the_users_own_row_is_the_regression_given_the_items():
    own = with_user(BASE, KNOWN.n_users, MINE, MARKS)
    near, residual = own.users.row(KNOWN.n_users)
    assert near.tolist() == sorted(MINE.tolist())
    left = MARKS[np.argsort(MINE)] - BASE.mean - BASE.items.facts[near, 0] * BASE.deviation
    bias = left.sum() / (3 + 5)
    assert own.users.patch.facts[0, 0] * BASE.deviation == pytest.approx(bias, abs=1e-5)
    assert residual * BASE.deviation == pytest.approx(left - bias, abs=1e-5)
    assert own.items is BASE.items


def test_ratings_that_last_come_near_the_statistics_made_anew():
    levels = (KNOWN.rating - 1).astype(np.int64)
    sizes = {"n_users": KNOWN.n_users, "n_items": KNOWN.n_items}
    graph = ServingGraph.of(BipartiteGraph.from_ratings(KNOWN.user, KNOWN.item, levels, n_levels=5, **sizes))
    user = np.full(3, KNOWN.n_users)
    view = graph.with_ratings(user, MINE, [4, 0, 3], n_users=KNOWN.n_users + 1)
    laid = with_patches(BASE, view, VALUES)
    nothing = with_user(BASE, KNOWN.n_users, MINE[:0], MARKS[:0])
    whole = type(KNOWN)(
        np.append(KNOWN.user, user).astype(np.int32),
        np.append(KNOWN.item, MINE),
        np.append(KNOWN.rating, MARKS).astype(np.float32),
        KNOWN.n_users + 1,
        KNOWN.n_items,
        4.0,
    ).statistics()
    users = np.full(len(REST), KNOWN.n_users, np.int32)
    got, expected, before = (
        read_neighbours(s, users, REST, cap=1000, norms=RAW) for s in (laid, whole, nothing)
    )
    assert np.array_equal(got.users.node, expected.users.node)
    assert np.array_equal(got.items.node, expected.items.node)
    assert got.base == pytest.approx(expected.base, abs=0.02)
    assert np.abs(got.base - expected.base).max() < 0.2 * np.abs(before.base - expected.base).max()
    assert got.items.rows == pytest.approx(expected.items.rows, abs=0.1)


def test_ratings_laid_over_one_after_the_other_come_near_those_laid_over_at_once():
    levels = (KNOWN.rating - 1).astype(np.int64)
    sizes = {"n_users": KNOWN.n_users, "n_items": KNOWN.n_items}
    below = ServingGraph.of(BipartiteGraph.from_ratings(KNOWN.user, KNOWN.item, levels, n_levels=5, **sizes))
    view, followed = below, BASE
    for user, item, level in ((KNOWN.n_users, 7, 4), (3, 7, -1), (KNOWN.n_users, 3, 0), (5, 21, 3)):
        view = view.changed([user], [item], [level], n_users=KNOWN.n_users + 1)
        rows = np.array([user], np.int32), np.array([item], np.int32)
        followed = with_patches(followed, view, VALUES, rows)
    whole = with_patches(BASE, view, VALUES)
    for mine, theirs in ((followed.users, whole.users), (followed.items, whole.items)):
        assert mine.patch.nodes.tolist() == theirs.patch.nodes.tolist()
        assert mine.patch.ptr.tolist() == theirs.patch.ptr.tolist()
        assert mine.patch.near.tolist() == theirs.patch.near.tolist()
        # A bias that moves later is not taken out of what its rating left in rows that stay as they are.
        assert np.abs(mine.patch.residual - theirs.patch.residual).mean() < 0.01
        assert mine.patch.facts == pytest.approx(theirs.patch.facts, abs=0.05)


def test_another_users_row_stays_when_one_is_laid_over():
    twice = with_user(with_user(BASE, KNOWN.n_users, MINE, MARKS), 4, REST[:2], np.array([1.0, 2.0]))
    assert twice.users.row(KNOWN.n_users)[0].tolist() == sorted(MINE.tolist())
    assert twice.users.row(4)[0].tolist() == REST[:2].tolist()


def test_an_item_that_the_graph_does_not_know_shares_nothing_with_any():
    strange = KNOWN.n_items + 2
    items = np.array([MINE[0], MINE[1], strange], np.int32)
    own = with_user(BASE, KNOWN.n_users, items, MARKS)
    asked = np.array([MINE[0], REST[0]], np.int32)  # the first one is rated, so that it is left out
    found = read_neighbours(own, np.full(2, KNOWN.n_users, np.int32), asked, cap=1000, norms=RAW)
    for p in range(2):
        at = slice(found.items.ptr[p], found.items.ptr[p + 1])
        nodes, rows = found.items.node[at].tolist(), found.items.rows[at]
        assert strange in nodes
        assert len(nodes) == (2, 3)[p]
        N, A, B, P = (rows[nodes.index(strange)][f] for f in (1, 6, 7, 8))
        assert (N, A, B, P) == (0, 0, 0, 0)
