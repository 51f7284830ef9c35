"""A view with new ratings answers as the graph rebuilt with them would, to the last index."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.errors import DataError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.serving import Rows, ServingGraph
from tests.graph.any_graph import extract_configs, graphs
from tests.graph.graphs import all_pairs, random_graph
from tests.graph.test_kernel import assert_equal


def ratings_of(graph: BipartiteGraph) -> dict[tuple[int, int], int]:
    users = np.repeat(np.arange(graph.n_users), np.diff(graph.user_ptr))
    pairs = zip(users.tolist(), graph.user_items.tolist(), strict=True)
    return dict(zip(pairs, graph.user_levels.tolist(), strict=True))


def built(ratings, n_users, n_items, n_levels) -> BipartiteGraph:
    """The graph of a dict of ratings, from nothing."""
    users, items = ([pair[side] for pair in ratings] for side in (0, 1))
    return BipartiteGraph.from_ratings(
        users, items, list(ratings.values()), n_users=n_users, n_items=n_items, n_levels=n_levels
    )


def draw_ratings(rng, n_users, n_items, n_levels, count):
    """New ratings: of pairs that are rated and that are not, of nodes that are there and that are not."""
    count = min(count, n_users * n_items)
    pairs = rng.choice(n_users * n_items, size=count, replace=False)
    levels = rng.integers(n_levels, size=count)
    return {(int(p) // n_items, int(p) % n_items): int(v) for p, v in zip(pairs, levels, strict=True)}


def columns(ratings):
    return [p[0] for p in ratings], [p[1] for p in ratings], list(ratings.values())


@settings(max_examples=150, deadline=None)
@given(
    graph=graphs,
    config=extract_configs,
    seed=st.integers(0, 2**32 - 1),
    more=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    counts=st.lists(st.integers(0, 12), min_size=1, max_size=3),
)
def test_a_view_equals_the_rebuilt_graph(graph, config, seed, more, counts):
    rng = np.random.default_rng(seed)
    view, ratings = ServingGraph.of(graph), ratings_of(graph)
    for count in counts:  # views of views too
        n_users, n_items = view.n_users + more[0], view.n_items + more[1]
        new = draw_ratings(rng, n_users, n_items, graph.n_levels, count)
        view = view.with_ratings(*columns(new), n_users=n_users, n_items=n_items)
        ratings |= new
    whole = built(ratings, view.n_users, view.n_items, graph.n_levels)
    users, items = all_pairs(whole)
    assert_equal(
        extract_subgraphs(view, users, items, config, seed=seed),
        extract_subgraphs(whole, users, items, config, seed=seed),
    )
    assert view.rebuilt().digest() == whole.digest()
    assert view.n_ratings == whole.n_ratings
    assert view.level_counts.tolist() == np.bincount(whole.user_levels, minlength=graph.n_levels).tolist()
    every_user, every_item = (
        np.arange(whole.n_users, dtype=np.int32),
        np.arange(whole.n_items, dtype=np.int32),
    )
    assert view.by_user.degrees(every_user).tolist() == np.diff(whole.user_ptr).tolist()
    assert view.by_item.degrees(every_item).tolist() == np.diff(whole.item_ptr).tolist()


def test_views_never_see_one_another():
    graph = random_graph(20, 20, 5, 0.4, seed=1)
    before = {name: array.copy() for name, array in graph.arrays().items()}
    base = ServingGraph.of(graph)
    left = base.with_ratings([20, 20], [0, 1], [4, 4], n_users=21)
    right = base.with_ratings([20, 3], [2, 20], [0, 1], n_users=21, n_items=21)
    assert left.by_user.row(20)[0].tolist() == [0, 1]
    assert right.by_user.row(20)[0].tolist() == [2]
    assert base.n_users == 20
    assert base.by_item.row(0)[0].tolist() == [u for u in left.by_item.row(0)[0].tolist() if u != 20]
    for name, array in graph.arrays().items():
        np.testing.assert_array_equal(array, before[name])


def test_a_new_rating_of_a_rated_pair_takes_its_place():
    graph = BipartiteGraph.from_ratings([0, 0], [0, 1], [4, 1], n_users=1, n_items=2, n_levels=5)
    view = ServingGraph.of(graph).with_ratings([0], [0], [0])
    items, levels = view.by_user.row(0)
    assert (items.tolist(), levels.tolist()) == ([0, 1], [0, 1])
    assert view.by_item.row(0)[1].tolist() == [0]
    assert view.level_counts.tolist() == [1, 1, 0, 0, 0]


def test_a_view_costs_its_own_rows_and_not_the_graph():
    graph = random_graph(300, 200, 5, 0.3, seed=2)
    view = ServingGraph.of(graph).with_ratings([300, 300], [7, 9], [0, 1], n_users=301)
    raters = np.diff(graph.item_ptr)[[7, 9]] + 1
    assert view.n_patched == 2 + raters.sum()
    assert view.by_user.neighbours is graph.user_items
    assert view.by_item.neighbours is graph.item_users


def test_the_pair_that_is_asked_stays_out_of_its_own_subgraph():
    graph = random_graph(10, 10, 5, 0.5, seed=3)
    view = ServingGraph.of(graph).with_ratings([10, 10], [0, 1], [4, 2], n_users=11)
    cut = extract_subgraphs(view, [10], [0], ExtractConfig(), seed=1)
    assert cut.degree[0] == 1
    assert cut.item_id[cut.edge_item[0]] == 1
    other = view.with_ratings([10], [0], [0])
    assert_equal(cut, extract_subgraphs(other, [10], [0], ExtractConfig(), seed=1))


@pytest.mark.parametrize(
    ("columns", "sizes", "message"),
    [
        (([5], [0], [0]), {}, r"a user of the graph is out of range; got 5; allowed: 0\.\.4"),
        (([0], [-1], [0]), {}, "item of the graph is out of range"),
        (([0], [0], [3]), {}, r"a level of the graph is out of range; got 3; allowed: 0\.\.2"),
        (([0, 0], [1, 1], [0, 1]), {}, "user 0 rates item 1 twice"),
        (
            ([], [], []),
            {"n_users": 4},
            "the number of users of a view is out of range; got 4",
        ),
        (([], [], []), {"n_items": 2**31}, "the number of items of a view is out of range"),
    ],
)
def test_what_makes_no_view(columns, sizes, message):
    view = ServingGraph.of(random_graph(5, 5, 3, 0.5, seed=4))
    with pytest.raises(DataError, match=message):
        view.with_ratings(*columns, **sizes)


def test_a_rating_can_be_left_out():
    graph = random_graph(12, 9, 3, 0.5, seed=4)
    view, ratings = ServingGraph.of(graph), ratings_of(graph)
    users, items = all_pairs(graph)
    for user, item in [*ratings][::5]:  # from views of views
        view = view.without(user, item)
        del ratings[user, item]
        whole = built(ratings, 12, 9, 3)
        assert view.level_counts.tolist() == np.bincount(whole.user_levels, minlength=3).tolist()
        config = ExtractConfig(hops=2, max_nodes_per_hop=5)
        assert_equal(
            extract_subgraphs(view, users, items, config, seed=1),
            extract_subgraphs(whole, users, items, config, seed=1),
        )
    assert ServingGraph.of(graph).rebuilt().digest() == graph.digest()
    for pair in (next(p for p in zip(users, items, strict=True) if p not in ratings), (12, 0), (-1, 0)):
        with pytest.raises(DataError, match="there is no such rating to leave out"):
            view.without(*map(int, pair))


@settings(max_examples=60, deadline=None)
@given(graph=graphs, seed=st.integers(0, 2**32 - 1), steps=st.integers(1, 4))
def test_changes_one_after_the_other_equal_the_rebuilt_graph(graph, seed, steps):
    rng = np.random.default_rng(seed)
    view, ratings = ServingGraph.of(graph), ratings_of(graph)
    for _ in range(steps):
        n_users, n_items = view.n_users + int(rng.integers(2)), view.n_items + int(rng.integers(2))
        new = draw_ratings(rng, n_users, n_items, graph.n_levels, int(rng.integers(6)))
        new = {pair: level if rng.random() < 0.5 else -1 for pair, level in new.items()}
        view = view.changed(*columns(new), n_users=n_users, n_items=n_items)
        ratings = {pair: level for pair, level in (ratings | new).items() if level >= 0}
        whole = built(ratings, n_users, n_items, graph.n_levels)
        assert view.rebuilt().digest() == whole.digest()
        assert view.level_counts.tolist() == ServingGraph.of(whole).level_counts.tolist()
        for patched, rows in zip((view.by_user, view.by_item), Rows.of(whole), strict=True):
            for node in range(rows.size):
                for mine, theirs in zip(patched.row(node), rows.row(node), strict=True):
                    assert mine.tolist() == theirs.tolist()


def test_a_level_below_0_is_no_rating():
    view = ServingGraph.of(random_graph(4, 4, 3, 0.5, seed=1))
    with pytest.raises(DataError, match="a level of the graph is out of range; got -1"):
        view.with_ratings([0], [0], [-1])
    with pytest.raises(DataError, match="got -2"):
        view.changed([0], [0], [-2])
