import numpy as np
import pytest
import torch

from igmc.errors import DataError
from igmc.recommenders.graph.adjacency import Adjacency, edge_weights
from tests.evaluation.splits import random_rows
from tests.recommenders.boards import ratings

USERS, ITEMS = 12, 9


def known(seed=1):
    return ratings(*np.array(random_rows(seed, users=USERS, items=ITEMS)).T)


def adjacency(normalization="symmetric", kind="none"):
    weight = edge_weights(known(), kind, 1.0)
    return Adjacency.of(known(), weight, n_users=USERS, n_items=ITEMS, normalization=normalization)


def dense(graph):
    return graph.matrix.to_dense().numpy()


def by_hand(known, weight, normalization):
    """The same, an entry at a time."""
    size = USERS + ITEMS
    matrix = np.zeros((size, size))
    for user, item, w in zip(known.user, known.item, weight, strict=True):
        matrix[user, USERS + item] = matrix[USERS + item, user] = w
    if normalization == "symmetric+self":
        matrix += np.eye(size)
    degree = np.maximum(np.abs(matrix).sum(axis=1), 1e-12)
    if normalization == "mean":
        return matrix / degree[:, None]
    if normalization == "none":
        return matrix
    return matrix / np.sqrt(degree[:, None] * degree)


@pytest.mark.parametrize("normalization", ["none", "mean", "symmetric", "symmetric+self"])
@pytest.mark.parametrize("kind", ["none", "rating", "centred"])
def test_the_matrix_is_the_one_by_hand(normalization, kind):
    expected = by_hand(known(), edge_weights(known(), kind, 1.0), normalization)
    np.testing.assert_allclose(dense(adjacency(normalization, kind)), expected, atol=1e-6)


def test_edges_are_the_entries_of_the_matrix():
    graph = adjacency("symmetric+self")
    source, target = graph.edges
    matrix = torch.zeros(len(graph), len(graph))
    matrix[target, source] = torch.from_numpy(graph.weight)
    np.testing.assert_array_equal(matrix.numpy(), dense(graph))
    pairs = known()
    for row, a, b in zip(graph.rating, source.tolist(), target.tolist(), strict=True):
        assert a == b if row == -1 else {a, b} == {int(pairs.user[row]), USERS + int(pairs.item[row])}


@pytest.mark.parametrize("latest", [10**9, 86_400, -(10**9)])
def test_weights_by_hand(latest):
    seen = ratings([0, 0, 1], [0, 1, 1], [5, 1, 4])
    seen.timestamp[:] = [latest, latest - 2 * 86_400, -1]
    np.testing.assert_array_equal(edge_weights(seen, "none", 1.0), [1, 1, 1])
    np.testing.assert_allclose(edge_weights(seen, "rating", 1.0), [1.5, 0.3, 1.2], rtol=1e-6)
    np.testing.assert_allclose(edge_weights(seen, "centred", 1.0), [1.5, -1.5, 0], atol=1e-6)
    # Ages 0, 2 and, where it is unknown, 1 day; at a half-life of 1 day 1, 1/4 and 1/2.
    expected = np.array([1, 0.25, 0.5]) / (1.75 / 3)
    np.testing.assert_allclose(edge_weights(seen, "recency", 1.0), expected, rtol=1e-6)


def test_equal_ratings_leave_nothing_to_centre():
    np.testing.assert_array_equal(edge_weights(ratings([0, 0], [0, 1], [3, 3]), "centred", 1.0), [0, 0])


def test_recency_needs_times():
    seen = ratings([0, 0], [0, 1], [3, 3])
    seen.timestamp[:] = -1
    with pytest.raises(DataError, match=r"the ratings have no timestamps; .*choose another edge_weight"):
        edge_weights(seen, "recency", 1.0)


@pytest.mark.parametrize("normalization", ["none", "mean"])
def test_what_is_left_out_is_made_up_for_by_the_rest(normalization):
    graph = adjacency(normalization, "rating")
    keep = np.random.default_rng(1).random(len(graph.source)) < 0.5
    thin = graph.thinned(keep)
    whole, part = dense(graph), dense(thin)
    kept = np.zeros_like(whole, dtype=bool)
    kept[graph.target[keep], graph.source[keep]] = True
    assert not part[~kept].any()
    growth = np.ones(len(graph)) if normalization == "none" else graph.degree / np.maximum(thin.degree, 1)
    np.testing.assert_allclose(part, np.where(kept, whole * growth[:, None], 0), rtol=1e-5)


def test_wide_fanouts_sample_all_that_the_layers_need():
    graph = adjacency("mean", "centred")
    x = np.random.default_rng(0).normal(size=(len(graph), 3)).astype(np.float32)
    seeds = np.array([3, 14, 3])
    for layers in (1, 2, 3):
        nodes, part = graph.sampled(seeds, [100] * layers, np.random.default_rng(1))
        whole, small = x, x[nodes]
        for _ in range(layers):
            whole, small = dense(graph) @ whole, dense(part) @ small
        np.testing.assert_allclose(small[np.searchsorted(nodes, seeds)], whole[seeds], rtol=1e-4, atol=1e-6)


def test_a_sample_keeps_to_its_fanouts_and_its_edges_exist():
    graph = adjacency("none", "rating")
    nodes, part = graph.sampled(np.array([0, 15]), [2, 3], np.random.default_rng(1))
    assert part.degree[np.searchsorted(nodes, [0, 15])].max() <= 2
    assert part.degree.max() <= 3
    assert len(part.source) <= 2 * 2 + 4 * 3
    whole, small = dense(graph), dense(part)
    np.testing.assert_array_equal(small[small != 0], whole[np.ix_(nodes, nodes)][small != 0])
    np.testing.assert_array_equal(nodes, np.unique(nodes))


def test_sampled_sums_are_right_on_average():
    graph = adjacency("symmetric", "rating")
    x = np.random.default_rng(0).normal(size=len(graph)).astype(np.float32)
    rng, seeds = np.random.default_rng(1), np.array([1, 4, 16])
    draws = []
    for _ in range(500):
        nodes, part = graph.sampled(seeds, [3], rng)
        draws.append((dense(part) @ x[nodes])[np.searchsorted(nodes, seeds)])
    error = np.std(draws, axis=0) / len(draws) ** 0.5
    assert np.all(np.std(draws, axis=0) > 0)
    assert np.all(np.abs(np.mean(draws, axis=0) - (dense(graph) @ x)[seeds]) < 4 * error)
