import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.config import ExtractConfig
from igmc.errors import ConfigError, DataError
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.reference import reference_subgraphs
from igmc.graph.scratch import KEPT
from igmc.graph.serving import ServingGraph
from igmc.graph.subgraph import Subgraphs
from tests.graph.any_graph import extract_configs, graphs
from tests.graph.graphs import all_pairs, random_graph


def assert_equal(left: Subgraphs, right: Subgraphs) -> None:
    for name, array in left.arrays().items():
        other = getattr(right, name)
        assert array.dtype == other.dtype, name
        np.testing.assert_array_equal(array, other, err_msg=name)


@settings(max_examples=150, deadline=None)
@given(graph=graphs, config=extract_configs, seed=st.integers(0, 2**63), epoch=st.integers(0, 100))
def test_kernel_equals_reference(graph, config, seed, epoch):
    users, items = all_pairs(graph)
    chosen = np.random.default_rng(seed).permutation(len(users))[:40]
    fast = extract_subgraphs(graph, users[chosen], items[chosen], config, seed=seed, epoch=epoch)
    slow = reference_subgraphs(graph, users[chosen], items[chosen], config, seed=seed, epoch=epoch)
    fast.check()
    assert_equal(fast, slow)


@settings(max_examples=60, deadline=None)
@given(graph=graphs, config=extract_configs)
def test_own_edge_is_never_in_the_subgraph(graph, config):
    users, items = all_pairs(graph)
    cut = extract_subgraphs(graph, users, items, config, seed=0)
    target_degree = cut.degree[cut.user_ptr[:-1]]
    for first, degree in zip(cut.edge_ptr[:-1], target_degree, strict=True):
        assert 0 not in cut.edge_item[first : first + degree]


def test_known_answer():
    # user 0 rated items 0, 1; user 1 rated items 1, 2; user 2 rated item 2
    graph = BipartiteGraph.from_ratings(
        [0, 0, 1, 1, 2], [0, 1, 1, 2, 2], [4, 2, 0, 3, 1], n_users=3, n_items=3, n_levels=5
    )
    one = extract_subgraphs(graph, [0], [2], ExtractConfig(hops=1), seed=0)
    assert one.user_id.tolist() == [0, 1, 2]
    assert one.user_label.tolist() == [0, 2, 2]
    assert one.item_id.tolist() == [2, 0, 1]
    assert one.item_label.tolist() == [1, 3, 3]
    assert one.degree.tolist() == [2, 2, 1]
    assert one.edge_item.tolist() == [2, 1, 2, 0, 0]  # rows by (level, item)
    assert one.edge_level.tolist() == [2, 4, 0, 3, 1]


def test_a_second_hop_is_labelled_by_its_distance():
    chain = BipartiteGraph.from_ratings([0, 1, 1], [0, 0, 1], [0, 0, 0], n_users=2, n_items=3, n_levels=1)
    cut = extract_subgraphs(chain, [0], [2], ExtractConfig(hops=3), seed=0)
    assert dict(zip(cut.user_id.tolist(), cut.user_label.tolist(), strict=True)) == {0: 0, 1: 4}
    assert dict(zip(cut.item_id.tolist(), cut.item_label.tolist(), strict=True)) == {2: 1, 0: 3, 1: 7}


def test_pair_without_any_rating_is_two_nodes():
    graph = BipartiteGraph.from_ratings([], [], [], n_users=2, n_items=2, n_levels=5)
    cut = extract_subgraphs(graph, [1, 0], [0, 1], ExtractConfig(hops=2), seed=0)
    assert (len(cut), cut.n_nodes, cut.n_edges) == (2, 4, 0)


def hubs(n: int = 3000) -> BipartiteGraph:
    """User 0 has rated nearly all items, and item 0 has been rated by nearly all users; others are thin."""
    rng = np.random.default_rng(4)
    thin = np.flatnonzero(rng.random(n * n) < 0.002)
    users = np.concatenate([thin // n, np.zeros(n, np.int64), np.arange(n)])
    items = np.concatenate([thin % n, np.arange(n), np.zeros(n, np.int64)])
    pairs = np.unique(users * n + items)
    pairs = pairs[rng.random(len(pairs)) < 0.9]
    return BipartiteGraph.from_ratings(
        pairs // n, pairs % n, rng.integers(4, size=len(pairs)), n_users=n, n_items=n, n_levels=4
    )


@pytest.mark.parametrize("cap", [1, 5, 60, 900, None])
def test_long_rows_are_not_read_as_a_whole_and_give_the_same(cap):
    graph, config = hubs(), ExtractConfig(max_nodes_per_hop=cap, sample_ratio=1.0 if cap else 0.3)
    users, items = np.array([0, 0, 7, 8, 0]), np.array([0, 9, 0, 5, 2999])
    rated = graph.user_items[graph.user_ptr[0] : graph.user_ptr[1]]
    items[4] = np.setdiff1d(np.arange(3000), rated)[0]  # whose row has no gap
    assert_equal(
        extract_subgraphs(graph, users, items, config, seed=3),
        reference_subgraphs(graph, users, items, config, seed=3),
    )
    view = ServingGraph.of(graph)
    view = view.without(0, int(rated[0]))
    patched = extract_subgraphs(view, users, items, config, seed=3)
    assert_equal(patched, extract_subgraphs(view.rebuilt(), users, items, config, seed=3))


def test_what_one_extraction_leaves_no_other_one_sees():
    """A thread keeps its arrays: over graphs of other sizes, and other hops."""
    small, large = random_graph(10, 8, 3, 0.5, seed=1), random_graph(40, 30, 3, 0.3, seed=2)
    for graph in (large, small, large):
        for hops in (1, 2, 1, 3):
            users, items = all_pairs(graph)
            config = ExtractConfig(hops=hops, max_nodes_per_hop=4)
            assert_equal(
                extract_subgraphs(graph, users[:60], items[:60], config, seed=1),
                reference_subgraphs(graph, users[:60], items[:60], config, seed=1),
            )
    KEPT.taken(1, 40, 30)
    assert KEPT.scratch is None, "a kernel that does not end puts nothing back"


@pytest.mark.parametrize("hops", [1, 2])
def test_what_goes_by_all_nodes_is_allocated_once_in_a_thread(hops):
    size = 1_000_000
    graph = BipartiteGraph.from_ratings(
        [0, 1, 1], [0, 0, 1], [0, 1, 2], n_users=size, n_items=size, n_levels=5
    )
    config = ExtractConfig(hops=hops)

    def peak() -> int:
        tracemalloc.start()
        try:
            extract_subgraphs(graph, [0, 1], [0, 1], config, seed=1)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    with ThreadPoolExecutor(1) as thread:  # whose scratch nobody has filled
        first, second = (thread.submit(peak).result() for _ in range(2))
    assert first > 4 * size, "there is an array of all items, which this test would see again"
    assert second < size / 10


def test_no_pairs():
    graph = random_graph(4, 4, 2, 0.5, seed=0)
    cut = extract_subgraphs(graph, np.empty(0, np.int32), np.empty(0, np.int32), ExtractConfig(), seed=0)
    cut.check()
    assert len(cut) == 0


def test_sampling_depends_on_the_pair_alone():
    graph = random_graph(40, 40, 3, 0.6, seed=2)
    users, items = all_pairs(graph)
    config = ExtractConfig(max_nodes_per_hop=5)
    whole = extract_subgraphs(graph, users, items, config, seed=7, epoch=3)
    parts = [
        extract_subgraphs(graph, users[k : k + 37], items[k : k + 37], config, seed=7, epoch=3)
        for k in range(0, len(users), 37)
    ]
    assert_equal(whole, Subgraphs.concat(parts))
    assert_equal(
        whole[100:150], extract_subgraphs(graph, users[100:150], items[100:150], config, seed=7, epoch=3)
    )


@pytest.mark.parametrize("change", [{"seed": 8}, {"epoch": 4}])
def test_another_seed_or_epoch_draws_other_samples(change):
    graph = random_graph(40, 40, 3, 0.6, seed=2)
    users, items = all_pairs(graph)
    config = ExtractConfig(max_nodes_per_hop=5)
    first = extract_subgraphs(graph, users, items, config, **{"seed": 7, "epoch": 3})
    other = extract_subgraphs(graph, users, items, config, **{"seed": 7, "epoch": 3, **change})
    assert not np.array_equal(first.user_id, other.user_id)


def test_sampling_is_uniform():
    graph = BipartiteGraph.from_ratings(
        np.zeros(20), np.arange(20), np.zeros(20), n_users=1, n_items=21, n_levels=1
    )
    config = ExtractConfig(max_nodes_per_hop=5)
    kept = np.concatenate(
        [extract_subgraphs(graph, [0], [20], config, seed=1, epoch=e).item_id[1:] for e in range(2000)]
    )
    counts = np.bincount(kept, minlength=20)  # each expected 500, standard deviation 19
    assert counts.sum() == 10_000
    assert np.all(np.abs(counts - 500) < 100)


def test_sample_ratio_and_cap_bound_each_hop():
    graph = random_graph(60, 60, 2, 0.9, seed=3)
    users, items = all_pairs(graph)
    full = extract_subgraphs(graph, users, items, ExtractConfig(), seed=0)
    half = extract_subgraphs(graph, users, items, ExtractConfig(sample_ratio=0.5), seed=0)
    np.testing.assert_array_equal(np.diff(half.user_ptr) - 1, np.floor((np.diff(full.user_ptr) - 1) * 0.5))
    capped = extract_subgraphs(graph, users, items, ExtractConfig(max_nodes_per_hop=4), seed=0)
    assert np.diff(capped.item_ptr).max() == 5


@pytest.mark.parametrize("numbers", [{"seed": -1}, {"seed": 2**64}, {"seed": 0, "epoch": -1}])
def test_seed_and_epoch_are_checked(numbers):
    with pytest.raises(ConfigError, match="seed or epoch is out of range"):
        extract_subgraphs(random_graph(4, 5, 2, 0.5, seed=0), [0], [0], ExtractConfig(), **numbers)


limits = st.none() | st.integers(-1, 12)


@settings(max_examples=150, deadline=None)
@given(graph=graphs, config=extract_configs, seed=st.integers(0, 2**63), user_limit=limits, item_limit=limits)
def test_kernel_equals_reference_where_targets_show_few_ratings(graph, config, seed, user_limit, item_limit):
    users, items = all_pairs(graph)
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(users))[:40]
    few = {
        f"{side}_limit": None if limit is None else np.where(rng.random(len(chosen)) < 0.7, limit, -1)
        for side, limit in (("user", user_limit), ("item", item_limit))
    }
    fast = extract_subgraphs(graph, users[chosen], items[chosen], config, seed=seed, **few)
    fast.check()
    assert_equal(fast, reference_subgraphs(graph, users[chosen], items[chosen], config, seed=seed, **few))


def without(graph: BipartiteGraph, hidden: set[tuple[int, int]]) -> BipartiteGraph:
    user = np.repeat(np.arange(graph.n_users), np.diff(graph.user_ptr))
    kept = [pair not in hidden for pair in zip(user.tolist(), graph.user_items.tolist(), strict=True)]
    sizes = {"n_users": graph.n_users, "n_items": graph.n_items, "n_levels": graph.n_levels}
    return BipartiteGraph.from_ratings(user[kept], graph.user_items[kept], graph.user_levels[kept], **sizes)


@settings(max_examples=60, deadline=None)
@given(graph=graphs, config=extract_configs, seed=st.integers(0, 2**32), few=st.integers(0, 4))
def test_a_limit_is_a_graph_in_which_the_target_has_only_so_many_ratings(graph, config, seed, few):
    rng = np.random.default_rng(seed)
    u, i = int(rng.integers(graph.n_users)), int(rng.integers(graph.n_items))
    pair, limit = ([u], [i]), {"user_limit": [few], "item_limit": [few]}
    whole = extract_subgraphs(graph, *pair, ExtractConfig(), seed=seed)
    shown = extract_subgraphs(graph, *pair, ExtractConfig(), seed=seed, **limit)
    for left, right in ((whole.item_id, shown.item_id), (whole.user_id, shown.user_id)):
        assert len(right) == min(len(left), 1 + few)
        assert set(right) <= set(left)
    hidden = {(u, int(item)) for item in np.setdiff1d(whole.item_id, shown.item_id)}
    hidden |= {(int(user), i) for user in np.setdiff1d(whole.user_id, shown.user_id)}
    assert_equal(
        extract_subgraphs(graph, *pair, config, seed=seed, **limit),
        extract_subgraphs(without(graph, hidden), *pair, config, seed=seed),
    )


def test_a_limit_that_hides_nothing_changes_nothing():
    graph = random_graph(30, 30, 3, 0.5, seed=2)
    users, items = all_pairs(graph)
    config = ExtractConfig(hops=2, max_nodes_per_hop=6)
    plain = extract_subgraphs(graph, users, items, config, seed=7)
    for limit in (-1, 30):
        many = np.full(len(users), limit)
        few = {"user_limit": many, "item_limit": many}
        assert_equal(extract_subgraphs(graph, users, items, config, seed=7, **few), plain)


def test_what_a_target_shows_is_drawn_uniformly_and_anew_each_epoch():
    graph = BipartiteGraph.from_ratings(
        np.zeros(20), np.arange(20), np.zeros(20), n_users=1, n_items=20, n_levels=1
    )
    shown = np.concatenate(
        [
            extract_subgraphs(graph, [0], [3], ExtractConfig(), seed=1, epoch=e, user_limit=[5]).item_id[1:]
            for e in range(2000)
        ]
    )
    counts = np.delete(np.bincount(shown, minlength=20), 3)  # each expected 526, standard deviation 20
    assert counts.sum() == 10_000
    assert np.all(np.abs(counts - 526) < 100)


@settings(max_examples=60, deadline=None)
@given(graph=graphs, config=extract_configs, seed=st.integers(0, 2**32), few=st.integers(0, 4))
def test_limits_hold_on_a_view_with_new_ratings_as_on_the_rebuilt_graph(graph, config, seed, few):
    users, items = all_pairs(graph)
    rng = np.random.default_rng(seed)
    new = rng.permutation(len(users))[:5]
    view = ServingGraph.of(graph).with_ratings(users[new], items[new], np.zeros(len(new), int))
    pairs = rng.permutation(len(users))[:30]
    limit = {"user_limit": np.full(len(pairs), few), "item_limit": np.full(len(pairs), few)}
    assert_equal(
        extract_subgraphs(view, users[pairs], items[pairs], config, seed=seed, **limit),
        extract_subgraphs(view.rebuilt(), users[pairs], items[pairs], config, seed=seed, **limit),
    )


@pytest.mark.parametrize(
    ("user", "item", "limit", "message"),
    [
        ([4], [0], None, r"no such user in the graph; got 4; allowed: 0\.\.3"),
        ([0], [5], None, r"no such item in the graph; got 5; allowed: 0\.\.4"),
        ([0, 1], [0], None, "users and items differ in number"),
        ([0], [0], [1, 2], "the item limits are not one whole number a pair"),
    ],
)
def test_pairs_and_limits_are_checked_before_the_kernel_runs(user, item, limit, message):
    graph = random_graph(4, 5, 2, 0.5, seed=0)
    with pytest.raises(DataError, match=message):
        extract_subgraphs(graph, user, item, ExtractConfig(), seed=0, item_limit=limit)
