import tracemalloc

import numpy as np
import pytest

from igmc.errors import DataError
from igmc.graph import bipartite
from igmc.graph.bipartite import BipartiteGraph
from tests.graph.graphs import random_graph


def test_rows_of_both_sides_hold_the_same_ratings():
    graph = random_graph(12, 9, 4, 0.4, seed=5)
    by_user = {
        (u, int(graph.user_items[e]), int(graph.user_levels[e]))
        for u in range(12)
        for e in range(graph.user_ptr[u], graph.user_ptr[u + 1])
    }
    by_item = {
        (int(graph.item_users[e]), i, int(graph.item_levels[e]))
        for i in range(9)
        for e in range(graph.item_ptr[i], graph.item_ptr[i + 1])
    }
    assert by_user == by_item
    assert len(by_user) == graph.n_ratings


def test_rows_are_ordered_by_level_then_neighbour():
    graph = BipartiteGraph.from_ratings([0] * 4, [3, 1, 2, 0], [0, 1, 0, 1], n_users=1, n_items=4, n_levels=2)
    assert graph.user_items.tolist() == [2, 3, 0, 1]
    assert graph.user_levels.tolist() == [0, 0, 1, 1]


def test_a_graph_is_built_in_24_bytes_a_rating_and_the_same_whatever_is_worked_on_at_once(monkeypatch):
    rng = np.random.default_rng(1)
    pairs = np.sort(rng.permutation(2_000_000)[:300_000])
    user, item = (pairs // 1000).astype(np.int32), (pairs % 1000).astype(np.int32)
    level = rng.integers(5, size=len(pairs)).astype(np.uint8)
    sizes = {"n_users": 2000, "n_items": 1000, "n_levels": 5}
    whole = BipartiteGraph.from_ratings(user, item, level, **sizes)
    monkeypatch.setattr(bipartite, "PART", 4096)
    tracemalloc.start()
    parts = BipartiteGraph.from_ratings(user, item, level, **sizes)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 24 * len(user)
    assert parts.digest() == whole.digest()
    order = np.lexsort((user, level, item))
    np.testing.assert_array_equal(parts.item_users, user[order])
    np.testing.assert_array_equal(parts.item_levels, level[order])


@pytest.mark.parametrize("kind", [np.int8, np.uint16, np.uint64, float, list])
def test_ratings_may_be_of_any_type_of_numbers(kind):
    columns = [[0, 1, 1], [1, 0, 1], [2, 1, 0]]
    if kind is not list:
        columns = [np.array(column, kind) for column in columns]
    graph = BipartiteGraph.from_ratings(*columns, n_users=2, n_items=2, n_levels=3)
    assert (graph.user_items.tolist(), graph.user_levels.tolist()) == ([1, 1, 0], [2, 0, 1])


def test_digest_changes_with_any_rating_size_or_level():
    def digest(level=(1, 0), **sizes):
        sizes = {"n_users": 2, "n_items": 2, "n_levels": 2, **sizes}
        return BipartiteGraph.from_ratings([0, 1], [1, 0], level, **sizes).digest()

    assert digest() == digest()
    others = [digest(level=(0, 0)), digest(n_users=3), digest(n_items=3), digest(n_levels=3)]
    assert len({digest(), *others}) == 5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": [0, 2]}, "user of the graph is out of range; got 2; allowed: 0..1"),
        ({"item": [0, 9]}, "item of the graph is out of range; got 9"),
        ({"level": [0, 3]}, "level of the graph is out of range; got 3"),
        ({"level": [0]}, "level array of a graph has the wrong shape"),
        (
            {"n_levels": 70_000},
            "number of levels of a graph .*got 70000; allowed: 1..65536; hint: group them",
        ),
        ({"user": [1, 1], "item": [1, 1]}, "user 1 rates item 1 twice"),
    ],
)
def test_bad_ratings_are_refused(change, message):
    good = {"user": [0, 1], "item": [0, 1], "level": [0, 1], "n_users": 2, "n_items": 2, "n_levels": 2}
    with pytest.raises(DataError, match=message):
        BipartiteGraph.from_ratings(**{**good, **change})


def test_negative_index_is_named_itself():
    with pytest.raises(DataError, match="got -1"):
        BipartiteGraph.from_ratings([0, -1], [0, 1], [0, 0], n_users=2, n_items=2, n_levels=1)


def test_empty_graph():
    graph = BipartiteGraph.from_ratings(
        np.empty(0), np.empty(0), np.empty(0), n_users=3, n_items=2, n_levels=1
    )
    assert (graph.n_users, graph.n_items, graph.n_ratings) == (3, 2, 0)


def test_more_than_256_levels_are_kept_as_they_are():
    few, many = (
        BipartiteGraph.from_ratings([0, 1], [1, 0], [3, size - 1], n_users=2, n_items=2, n_levels=size)
        for size in (256, 257)
    )
    assert (few.user_levels.dtype, many.user_levels.dtype) == (np.uint8, np.uint16)
    assert (few.user_levels.tolist(), many.item_levels.tolist()) == ([3, 255], [256, 3])
