"""Inputs of pairs: the kernels against plain Python, and the pair's own rating against a graph without it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from igmc.config import DataConfig
from igmc.ratings.load import load_dataset
from igmc.ratings.split import make_split
from igmc.statistics.graph_statistics import GraphStatistics
from igmc.statistics.inputs import InputNorms
from igmc.statistics.item_sums import ItemSums
from igmc.statistics.neighbour_kernels import group_work, read_pairs, sizes, write_side
from igmc.statistics.neighbours import read_for_user, read_neighbours
from igmc.statistics.reference import reference_pair
from igmc.statistics.shared import share

RAW = InputNorms.identity()
SPAN = 4.0


@st.composite
def rating_lists(draw, least=1):
    n_users, n_items = draw(st.integers(2, 9)), draw(st.integers(2, 9))
    pairs = st.tuples(st.integers(0, n_users - 1), st.integers(0, n_items - 1))
    chosen = draw(st.lists(pairs, unique=True, min_size=least, max_size=n_users * n_items))
    ratings = draw(st.lists(st.integers(1, 5), min_size=len(chosen), max_size=len(chosen)))
    return n_users, n_items, dict(zip(chosen, map(float, ratings), strict=True))


def statistics(ratings, n_users, n_items):
    pairs = np.array(sorted(ratings), np.int32).reshape(-1, 2)
    values = np.array([ratings[tuple(pair)] for pair in pairs.tolist()], np.float32)
    return GraphStatistics.of_ratings(
        pairs[:, 0], pairs[:, 1], values, n_users=n_users, n_items=n_items, span=SPAN
    )


def one(found, p):
    """What was read of one pair, in the form of the reference."""
    sides = []
    for side in (found.users, found.items):
        at = slice(side.ptr[p], side.ptr[p + 1])
        rows = zip(side.node[at].tolist(), side.residual[at].tolist(), side.rows[at].tolist(), strict=True)
        sides.append({node: (residual, row) for node, residual, row in rows})
    return found.base[p], found.pair[p].tolist(), *sides


def assert_same(got, expected, within):
    base, pair, users, items = got
    assert base == pytest.approx(expected.base, abs=within)
    assert pair == pytest.approx([min(max(x, -8), 8) for x in expected.pair], abs=within)
    for mine, theirs in ((users, expected.users), (items, expected.items)):
        assert mine.keys() == theirs.keys()
        for node, (residual, row) in theirs.items():
            assert mine[node][0] == pytest.approx(residual, abs=within)
            assert mine[node][1] == pytest.approx([min(max(x, -8), 8) for x in row], abs=within)


@settings(max_examples=60, deadline=None)
@given(rating_lists())
def test_equals_plain_python_where_the_pair_is_not_rated(case):
    n_users, n_items, ratings = case
    user, item = (int(x) for x in np.unravel_index(len(ratings) % (n_users * n_items), (n_users, n_items)))
    ratings.pop((user, item), None)
    got = read_neighbours(
        statistics(ratings, n_users, n_items),
        np.array([user], np.int32),
        np.array([item], np.int32),
        cap=100,
        norms=RAW,
    )
    assert_same(one(got, 0), reference_pair(ratings, user, item, SPAN), 2e-4)


@settings(max_examples=30, deadline=None)
@given(rating_lists(least=3), st.integers(1, 3))
def test_a_pair_is_read_alike_alone_and_among_others_by_any_number_of_threads(case, threads):
    n_users, n_items, ratings = case
    graph = statistics(ratings, n_users, n_items)
    users, items = (x.ravel().astype(np.int32) for x in np.indices((n_users, n_items)))
    together = read_neighbours(graph, users, items, cap=3, norms=RAW, threads=threads)
    for p in range(len(users)):
        alone = read_neighbours(graph, users[p : p + 1], items[p : p + 1], cap=3, norms=RAW)
        assert one(alone, 0) == one(together, p)


def test_under_a_cap_those_stay_that_agree_or_disagree_most():
    graph, users, items = real_like()
    everyone = read_neighbours(graph, users, items, cap=1000, norms=RAW)
    some = read_neighbours(graph, users, items, cap=5, norms=RAW)
    for p in range(len(users)):
        for all_, few in ((everyone.users, some.users), (everyone.items, some.items)):
            at, chosen = slice(all_.ptr[p], all_.ptr[p + 1]), few.node[few.ptr[p] : few.ptr[p + 1]]
            assert len(chosen) == min(5, at.stop - at.start)
            shared = np.expm1(all_.rows[at][:, 1])
            key = np.abs(all_.rows[at][:, 4]) * (shared + 10) / (shared + 20)
            kept = np.isin(all_.node[at], chosen)
            if kept.any() and not kept.all():
                assert key[kept].min() >= key[~kept].max() - 1e-5


@pytest.mark.parametrize("cap", [1, 3, 64, 70, 500])
def test_many_pairs_of_one_target_choose_as_each_does_alone(cap):
    """Beyond eight neighbours for each node the nodes are sorted once, instead of the keys of each pair."""
    rng = np.random.default_rng(4)
    n_users, n_items = 150, 40
    ratings = {
        (u, i): float(rng.integers(1, 6))
        for u in range(n_users)
        for i in range(n_items)
        if rng.random() < 0.6
    }
    found = statistics(ratings, n_users, n_items)
    for user in (0, 77):
        asked = np.array([i for i in range(n_items) if (user, i) not in ratings] * 4, np.int32)
        degrees = np.bincount([i for _, i in ratings], minlength=n_items)
        assert degrees[asked].sum() > 8 * n_users
        users = np.full(len(asked), user, np.int32)
        together = read_neighbours(found, users, asked, cap=cap, norms=RAW, threads=1)
        for p in (0, len(asked) - 1):
            alone = read_neighbours(found, users[:1], asked[p : p + 1], cap=cap, norms=RAW, threads=1)
            assert one(together, p) == one(alone, 0)


def test_neighbours_that_are_alike_to_the_last_bit_take_no_more_than_their_room():
    # Half of them love item 0 as user 0 does: their keys differ by ties alone, and of 2,000 some are equal.
    n_users = 4000
    ratings = {(u, 0): 5.0 if u % 2 == 0 else 1.0 for u in range(n_users)}
    ratings |= {(u, 1): 3.0 for u in range(1, n_users)}
    found = statistics(ratings, n_users, 2)
    for cap in range(1000, 1400):
        got = read_neighbours(found, np.zeros(3, np.int32), np.ones(3, np.int32), cap=cap, norms=RAW)
        for p in range(3):
            nodes = got.users.node[got.users.ptr[p] : got.users.ptr[p + 1]]
            assert len(nodes) == cap
            assert np.all(np.diff(nodes) > 0)


def test_of_keys_that_are_equal_the_same_ones_are_left_out_however_many_are_asked():
    n_users = 4000
    ratings = {(u, 0): 5.0 if u % 2 == 0 else 1.0 for u in range(n_users)}
    ratings |= {(u, 1): 3.0 for u in range(1, n_users)}
    found = statistics(ratings, n_users, 2)
    for cap in range(1000, 1400):
        alone, many = (
            read_neighbours(found, np.zeros(n, np.int32), np.ones(n, np.int32), cap=cap, norms=RAW, threads=1)
            for n in (1, 9)  # nine times 4,000 neighbours are enough to sort the nodes once
        )
        assert alone.users.node.tolist() == many.users.node[:cap].tolist()


def test_counts_beyond_the_table_of_logarithms():
    n_items = 1100
    ratings = {(u, i): 1.0 + (u + i) % 5 for u in range(3) for i in range(n_items) if (u, i) != (0, 1099)}
    got = read_neighbours(
        statistics(ratings, 3, n_items), np.array([0]), np.array([1099]), cap=5, norms=RAW, threads=1
    )
    assert got.users.rows[:2, 1] == pytest.approx(np.log1p(1099))


def real_like():
    rng = np.random.default_rng(5)
    full = np.flatnonzero(rng.random(60 * 40) < 0.4)
    user, item = (full // 40).astype(np.int32), (full % 40).astype(np.int32)
    rating = rng.integers(1, 6, len(full)).astype(np.float32)
    graph = GraphStatistics.of_ratings(user, item, rating, n_users=60, n_items=40, span=SPAN)
    return graph, rng.integers(0, 60, 50).astype(np.int32), rng.integers(0, 40, 50).astype(np.int32)


def without_own_rating(user, item, rating, shape, count, cap=50):
    """Inputs of rated pairs by the graph that has them, and by one rebuilt without each; the differences."""
    rng = np.random.default_rng(7)
    sizes = {"n_users": shape[0], "n_items": shape[1], "span": float(rating.max() - rating.min())}
    graph = GraphStatistics.of_ratings(user, item, rating, **sizes)
    chosen = rng.choice(len(user), count, replace=False)
    norms = InputNorms.of(read_neighbours(graph, user[chosen], item[chosen], cap=cap, norms=RAW))
    got = read_neighbours(graph, user[chosen], item[chosen], cap=10**6, norms=norms)
    kept = np.ones(len(user), bool)
    worst = {"base": [], "pair": [], "rows": []}
    for p, row in enumerate(chosen.tolist()):
        kept[row] = False
        rebuilt = GraphStatistics.of_ratings(user[kept], item[kept], rating[kept], **sizes)
        kept[row] = True
        expected = read_neighbours(rebuilt, user[[row]], item[[row]], cap=10**6, norms=norms)
        worst["base"].append(abs(got.base[p] - expected.base[0]) / rebuilt.deviation)
        worst["pair"].append(np.abs(got.pair[p] - expected.pair[0]).max())
        for mine, theirs in ((got.users, expected.users), (got.items, expected.items)):
            at = slice(mine.ptr[p], mine.ptr[p + 1])
            assert mine.node[at].tolist() == theirs.node.tolist()
            worst["rows"].append(np.abs(mine.rows[at] - theirs.rows).max(initial=0.0))
    return {name: np.array(values) for name, values in worst.items()}


@pytest.mark.parametrize("name", ["ml_100k", "flixster"])
def test_a_known_rating_counts_nowhere_in_real_data(name, data_root):
    data = load_dataset(name, data_dir=data_root)
    table, rows = data.table, make_split(data, DataConfig(name), seed=1).train
    columns = table.user[rows], table.item[rows], table.rating[rows]
    differences = without_own_rating(*columns, (len(table.users), len(table.items)), count=300)
    print({k: (np.median(v), v.max()) for k, v in differences.items()})


def test_a_known_rating_counts_nowhere_in_a_random_graph():
    rng = np.random.default_rng(3)
    full = np.flatnonzero(rng.random(200 * 100) < 0.15)
    columns = (full // 100).astype(np.int32), (full % 100).astype(np.int32), rng.integers(1, 6, len(full))
    differences = without_own_rating(*columns, (200, 100), count=300)
    print({k: (np.median(v), v.max()) for k, v in differences.items()})


def test_what_is_shared_is_found_alike_in_blocks_and_by_the_rows_of_few_neighbours():
    # More nodes than a block has, popular items, and one item with three raters, asked alone and among all.
    rng = np.random.default_rng(8)
    share = np.array([0.5] * 30 + [0.0])
    full = rng.random((5000, 31)) < share
    full[1:4, 30], full[0, :20], full[0, 20:] = True, True, False
    user, item = (x.astype(np.int32) for x in np.nonzero(full))
    rating = rng.integers(1, 6, len(user)).astype(np.float32)
    graph = GraphStatistics.of_ratings(user, item, rating, n_users=5000, n_items=31, span=SPAN)
    asked = np.arange(20, 31, dtype=np.int32)
    together = read_neighbours(graph, np.zeros(11, np.int32), asked, cap=5000, norms=RAW)
    alone = read_neighbours(graph, np.zeros(1, np.int32), asked[10:], cap=5000, norms=RAW)
    assert one(together, 10) == one(alone, 0)
    mine, residual = graph.users.row(0)
    x = np.zeros(31)
    x[mine] = residual
    found = together.users
    for place in range(0, found.ptr[-1], 997):
        near, residual = graph.users.row(int(found.node[place]))
        both, w = np.isin(near, mine), residual.astype(np.float64)
        N, P = both.sum(), float((x[near] * w)[both].sum())
        log_count, correlated = found.rows[place, 1], found.rows[place, 4]
        assert log_count == pytest.approx(np.log1p(N), abs=1e-5)
        assert correlated == pytest.approx(P / (N + 10), abs=1e-5)


def test_no_kernel_is_compiled_twice_for_the_same_work():
    """Each takes seconds: whether arrays may be written, or nobody is left out, is no reason for another."""
    known = statistics({(0, 0): 5.0, (0, 1): 3.0, (1, 0): 4.0, (2, 1): 1.0}, 3, 2)
    user, item = np.array([0, 1], np.int32), np.array([0, 1], np.int32)
    kernels = [read_pairs, sizes, group_work, write_side, share]

    def compiled():
        read_neighbours(known, user, item, cap=5, norms=RAW)
        read_for_user(known, ItemSums(known, 1 << 20), 1, item[1:], cap=5, norms=RAW)
        return [one.signatures for one in kernels]

    before = compiled()
    user.flags.writeable = item.flags.writeable = False
    assert compiled() == before
    assert "int64" not in {str(one[2]) for one in share.signatures}, "nodes are int32"


@pytest.mark.parametrize(("user", "item"), [(3, 0), (0, 2), (9, 5)])
def test_nodes_beyond_the_graph_have_no_neighbours(user, item):
    """Of the other side only, where that node is in the graph."""
    ratings = {(0, 0): 5.0, (0, 1): 3.0, (1, 0): 4.0, (2, 1): 1.0}
    known = statistics(ratings, 3, 2)
    asked = np.array([user], np.int32), np.array([item], np.int32)
    found = read_neighbours(known, *asked, cap=5, norms=RAW)
    raters = sorted(u for u, i in ratings if i == item)
    rated = sorted(i for u, i in ratings if u == user)
    assert (sorted(found.users.node), sorted(found.items.node)) == (raters, rated)
    for side in (found.users, found.items):
        assert not side.rows[:, [1, 3, 4]].any(), "nothing is shared with somebody without ratings"
