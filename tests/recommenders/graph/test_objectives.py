import math

import numpy as np
import pytest
import torch
from torch import nn

from igmc.recommenders.biases import fit_biases, predict_biases
from igmc.recommenders.graph.adjacency import Adjacency
from igmc.recommenders.graph.config import GraphConfig
from igmc.recommenders.graph.node_encoder import GraphInput
from igmc.recommenders.graph.objectives import (
    BIAS_DAMPING,
    RankingObjective,
    RatingObjective,
    sample_unrated,
)
from tests.recommenders.boards import data_of, ratings

USERS, ITEMS, N = 6, 5, 20
RNG = np.random.default_rng(0)
PAIRS = RNG.permutation(USERS * ITEMS)[:N]
TRAIN = ratings(PAIRS // ITEMS, PAIRS % ITEMS, RNG.integers(1, 6, N))
DATA = data_of(TRAIN, n_users=USERS, n_items=ITEMS)


class Table(nn.Module):
    """Inputs and embeddings that no graph changes; it remembers the graphs that it was asked about."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.x, self.z = (nn.Parameter(torch.randn(USERS + ITEMS, 3)) for _ in range(2))
        self.asked = []

    def forward(self, nodes, graph, features):
        self.asked.append((nodes.tolist(), graph, features))
        return self.x[nodes], self.z[nodes]


def input_of(known):
    weight = np.ones(len(known), np.float32)
    graph = Adjacency.of(known, weight, n_users=USERS, n_items=ITEMS, normalization="none")
    return GraphInput(graph, {"user": torch.zeros(USERS, 1), "item": torch.zeros(ITEMS, 1)})


def rating(**settings):
    return RatingObjective(Table(), GraphConfig(**settings), DATA, np.random.default_rng(1), input_of)


def ranking(**settings):
    config = GraphConfig(objective="ranking", **settings)
    return RankingObjective(Table(), config, DATA, np.random.default_rng(1), input_of(TRAIN))


@pytest.mark.parametrize("make", [rating, ranking])
def test_an_epoch_has_each_rating_once_in_batches_of_one_fold(make):
    objective = make(batch_size=2)
    first, second = ([rows.tolist() for rows in objective.batches()] for _ in range(2))
    for batches in (first, second):
        assert sorted(row for rows in batches for row in rows) == list(range(N))
        assert max(map(len, batches)) == 2
        assert all(len(set(objective.fold[rows])) == 1 for rows in batches)
    assert first != second


def test_ratings_are_dealt_into_eight_folds_of_one_size():
    sizes = np.bincount(rating().fold)
    assert len(sizes) == 8
    assert set(sizes) == {2, 3}


def test_squared_error_of_what_biases_of_the_other_folds_leave():
    objective = rating(l2=0.5)
    rows = next(objective.batches())
    others = objective.fold != objective.fold[rows[0]]
    known = ratings(TRAIN.user[others], TRAIN.item[others], TRAIN.rating[others])
    user, item = TRAIN.user[rows], TRAIN.item[rows]
    biases = fit_biases(data_of(known, n_users=USERS, n_items=ITEMS), BIAS_DAMPING)
    left = torch.from_numpy(TRAIN.rating[rows] - predict_biases(biases, user, item)).float()
    z, x = objective.encoder.z, objective.encoder.x
    nodes = user.astype(int), item.astype(int) + USERS
    expected = ((z[nodes[0]] * z[nodes[1]]).sum(dim=1) - left).square().mean()
    expected = expected + 0.25 / len(rows) * sum(x[side].square().sum() for side in nodes)
    torch.testing.assert_close(objective.loss(rows), expected)


def test_the_graph_of_a_batch_has_no_edge_of_its_own_fold():
    objective = rating(batch_size=1)
    folds = []
    for rows in objective.batches():
        objective.loss(rows)
        graph = objective.encoder.asked[-1][1]
        fold = objective.fold[rows[0]]
        if not folds or folds[-1][0] != fold:
            folds.append((fold, graph))
        assert graph is folds[-1][1], "one graph a fold"
        edges = set(zip(graph.source.tolist(), graph.target.tolist(), strict=True))
        for k in range(N):
            edge = (int(TRAIN.item[k]) + USERS, int(TRAIN.user[k]))
            assert (edge in edges) == (objective.fold[k] != fold)
    assert len(folds) == 8


def test_where_all_ratings_are_of_one_fold_nothing_is_left_to_explain():
    alone = data_of(ratings([0], [0], [5]), n_users=USERS, n_items=ITEMS)
    objective = RatingObjective(Table(), GraphConfig(), alone, np.random.default_rng(1), input_of)
    assert objective.residual.tolist() == [0.0]
    assert math.isfinite(objective.loss(np.array([0])).item())


def test_ranking_prefers_the_rated_item_to_an_unrated_one():
    objective = ranking(l2=0.5)
    rows = np.array([3, 7])
    unrated = sample_unrated(objective.user[rows], objective.rated, ITEMS, np.random.default_rng(1))
    user, item = objective.user[rows], objective.item[rows] + USERS
    other = unrated + USERS
    z, x = objective.encoder.z, objective.encoder.x
    difference = (z[user] * (z[item] - z[other])).sum(dim=1)
    expected = -torch.log(torch.sigmoid(difference)).mean()
    expected = expected + 0.125 * sum(x[side].square().sum() for side in (user, item, other))
    torch.testing.assert_close(objective.loss(rows), expected)


@pytest.mark.parametrize("make", [rating, ranking])
def test_edges_are_dropped_and_neighbours_sampled_anew_at_each_step(make):
    rows = np.array([0])
    whole = make()
    whole.loss(rows)
    nodes, graph, _ = whole.encoder.asked[-1]
    assert nodes == list(range(USERS + ITEMS))
    thin = make(edge_dropout=0.5)
    kept = []
    for _ in range(5):
        thin.loss(rows)
        kept.append(thin.encoder.asked[-1][1].source.tolist())
        assert len(kept[-1]) < len(graph.source)
    assert kept[0] != kept[1]
    sampled = make(neighbors=(1,))
    sampled.loss(rows)
    nodes, part, _ = sampled.encoder.asked[-1]
    assert int(TRAIN.user[0]) in nodes
    assert part.degree.max() <= 1


def test_unrated_items_are_drawn_evenly():
    rated = np.sort([0 * 6 + 1, 0 * 6 + 4, 1 * 6 + 0])
    drawn = sample_unrated(np.zeros(6000, np.int64), rated, 6, np.random.default_rng(0))
    counts = np.bincount(drawn, minlength=6)
    assert counts[[1, 4]].tolist() == [0, 0]
    np.testing.assert_allclose(counts[[0, 2, 3, 5]], 1500, atol=150)


def test_who_has_rated_all_gets_a_rated_item():
    drawn = sample_unrated(np.zeros(9, np.int64), np.arange(4), 4, np.random.default_rng(0))
    assert set(drawn) <= {0, 1, 2, 3}
