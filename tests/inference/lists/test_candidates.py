"""The order of candidates: the formula on dense matrices, ratings laid over the graph, the budget, ties."""

import numpy as np
import pytest

from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.serving import ServingGraph
from igmc.inference.lists.candidates import candidate_order, candidate_scores
from igmc.inference.lists.orders import all_usual_ratings
from igmc.inference.mean_fallback import DAMPING

VALUES = np.array([0.5, 1.0, 3.0, 4.5, 5.0])
PLENTY = 10**9


def random_ratings(seed, n_users=30, n_items=20, n=150):
    rng = np.random.default_rng(seed)
    pairs = rng.choice(n_users * (n_items - 1), n, replace=False)
    return pairs // (n_items - 1), pairs % (n_items - 1), rng.integers(0, len(VALUES), n)


def graph_of(user, item, level, n_users=30, n_items=20) -> ServingGraph:
    graph = BipartiteGraph.from_ratings(
        user, item, level, n_users=n_users, n_items=n_items, n_levels=len(VALUES)
    )
    return ServingGraph.of(graph)


def slow_scores(user, item, level, target, n_users=30, n_items=20):
    """The formula of the module, word by word, on dense matrices with NaN where there is no rating."""
    rating = np.full((n_users, n_items), np.nan)
    rating[user, item] = VALUES[level] / (VALUES[-1] - VALUES[0])
    mean, rated = np.nanmean(rating), ~np.isnan(rating)
    scores = np.zeros(n_items)
    for other in range(n_users):
        both = rated[other] & rated[target]
        if other != target and both.any():
            weight = (1 - abs(rating[target] - rating[other]))[both].sum() / np.sqrt(rated[other].sum())
            scores[rated[other]] += weight * (rating[other] - mean)[rated[other]]
    return scores / (rated.sum(axis=0) + DAMPING)


@pytest.mark.parametrize("target", [0, 7, 29])
def test_scores_are_those_of_the_formula(target):
    ratings = random_ratings(1)
    fast = candidate_scores(graph_of(*ratings), target, VALUES, budget=PLENTY)
    np.testing.assert_allclose(fast, slow_scores(*ratings, target), rtol=1e-12, atol=1e-15)
    assert np.count_nonzero(fast) > 10


def test_for_a_list_by_lift_items_are_compared_with_their_own_means():
    user, item, level = random_ratings(3)
    graph, target = graph_of(user, item, level), 7
    span = VALUES[-1] - VALUES[0]
    own = all_usual_ratings(graph, VALUES) / span
    rating = np.full((30, 20), np.nan)
    rating[user, item] = VALUES[level] / span
    rated, expected = ~np.isnan(rating), np.zeros(20)
    for other in set(range(30)) - {target}:
        both = rated[other] & rated[target]
        weight = (1 - abs(rating[target] - rating[other]))[both].sum() / np.sqrt(rated[other].sum())
        expected[rated[other]] += weight * (rating[other] - own)[rated[other]]
    expected /= rated.sum(axis=0) + DAMPING
    fast = candidate_scores(graph, target, VALUES, budget=PLENTY, lift=True)
    np.testing.assert_allclose(fast, expected, rtol=1e-10, atol=1e-14)
    order = candidate_order(graph, target, np.ones(20, bool), VALUES, budget=PLENTY, lift=True)
    assert order[0] == expected.argmax()


def test_ratings_laid_over_the_graph_count_as_if_they_had_been_there():
    user, item, level = random_ratings(2)
    mine = user == 4
    below = graph_of(user[~mine], item[~mine], level[~mine])
    view = below.with_ratings(user[mine], item[mine], level[mine])
    expected = candidate_scores(graph_of(user, item, level), 4, VALUES, budget=PLENTY)
    assert candidate_scores(view, 4, VALUES, budget=PLENTY).tolist() == expected.tolist()
    stranger = below.with_ratings([30, 30], [0, 1], [4, 0], n_users=31)
    with_stranger = graph_of(
        np.append(user[~mine], [30, 30]),
        np.append(item[~mine], [0, 1]),
        np.append(level[~mine], [4, 0]),
        n_users=31,
    )
    expected = candidate_scores(with_stranger, 30, VALUES, budget=PLENTY)
    assert candidate_scores(stranger, 30, VALUES, budget=PLENTY).tolist() == expected.tolist()


def test_the_order_is_by_score_then_popularity_then_item_among_those_allowed():
    # User 0 and user 1 agree on item 0; user 1 likes item 1 and hates item 2; items 3..5 are out of reach.
    user = [0, 1, 1, 1, 2, 3, 2, 3]
    item = [0, 0, 1, 2, 4, 4, 3, 5]
    level = [4, 4, 4, 0, 2, 2, 2, 2]
    graph = graph_of(user, item, level, n_users=4, n_items=6)

    def order(allowed, **options):
        mask = np.isin(np.arange(6), allowed)
        return candidate_order(graph, 0, mask, VALUES, budget=PLENTY, **options).tolist()

    assert order([1, 2, 3, 4, 5]) == [1, 4, 3, 5, 2]
    assert order([1, 2, 3, 4, 5], bottom=True) == [2, 4, 3, 5, 1]
    assert order([5, 2]) == [5, 2]
    assert order([]) == []


def test_without_ratings_the_order_is_that_of_popularity():
    user, item, level = random_ratings(3)
    graph = graph_of(user, item, level, n_users=31)
    found = candidate_order(graph, 30, np.ones(20, bool), VALUES, budget=PLENTY)
    count = np.bincount(item, minlength=20)
    assert found.tolist() == sorted(range(20), key=lambda k: (-count[k], k))
    assert not candidate_scores(graph, 30, VALUES, budget=PLENTY).any()


def test_the_budget_bounds_what_is_read_and_keeps_what_says_most():
    # Item 0 has 3 raters, item 1 one: user 4, who agrees. Of the others, 2 agrees most with user 0.
    user = [0, 0, 1, 2, 4, 1, 2, 4]
    item = [0, 1, 0, 0, 1, 2, 3, 4]
    level = [4, 4, 3, 4, 4, 4, 4, 4]
    graph = graph_of(user, item, level, n_users=5, n_items=5)

    def reached(budget):
        return np.flatnonzero(candidate_scores(graph, 0, VALUES, budget=budget)[2:]).tolist()

    assert reached(PLENTY) == [0, 1, 2]
    assert reached(1) == [2]  # item 1, of fewest ratings, then user 4
    assert reached(5) == [1, 2]  # both items; the two users of the greatest weight have two ratings each
    assert reached(6) == [0, 1, 2]


def test_one_level_and_no_ratings_at_all_are_no_trouble():
    one = ServingGraph.of(
        BipartiteGraph.from_ratings([0, 1], [0, 0], [0, 0], n_users=2, n_items=2, n_levels=1)
    )
    assert candidate_scores(one, 0, np.array([1.0]), budget=10).tolist() == [0.0, 0.0]
    empty = ServingGraph.of(BipartiteGraph.from_ratings([], [], [], n_users=1, n_items=2, n_levels=5))
    assert candidate_order(empty, 0, np.ones(2, bool), VALUES, budget=10).tolist() == [0, 1]
