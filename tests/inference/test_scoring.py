"""An answer depends on the pair and the graph: not on what is asked beside it, on threads, or on haste."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from igmc.config import ExtractConfig, ModelConfig
from igmc.errors import DataError
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.serving import ServingGraph
from igmc.inference.scoring import Scorer
from igmc.loading.batch import Batch
from igmc.models.fused import stack
from igmc.models.igmc import IGMC
from tests.graph.graphs import all_pairs, random_graph

CPU = torch.device("cpu")
GRAPH = random_graph(30, 25, 5, 0.4, seed=1)
EXTRACT = ExtractConfig(max_nodes_per_hop=8)
MODELS = [IGMC(ModelConfig(layers=(16, 16)), n_levels=5, seed=seed).eval() for seed in (1, 2)]


def make_scorer(models=MODELS, **options):
    return Scorer(models, EXTRACT, **{"seed": 3, "device": CPU} | options)


def pairs(count=400):
    users, items = all_pairs(GRAPH)
    rows = np.random.default_rng(0).permutation(len(users))[:count]
    return users[rows].astype(np.int32), items[rows].astype(np.int32)


@pytest.mark.parametrize("draw", [0, 5])
def test_scores_are_the_models_answers(draw):
    users, items = pairs()
    scores = make_scorer(draw=draw).score(GRAPH, users, items)
    cut = extract_subgraphs(GRAPH, users, items, EXTRACT, seed=3, epoch=draw)
    with torch.inference_mode():
        expected = [model(Batch.from_subgraphs(cut, np.zeros(len(users), np.float32))) for model in MODELS]
    # Outside the scorer torch has all its threads, which add up in another order.
    np.testing.assert_allclose(scores, torch.stack(expected).numpy(), rtol=1e-5, atol=1e-6)
    assert not np.allclose(scores[0], scores[1])
    assert not np.array_equal(make_scorer(seed=4, draw=draw).score(GRAPH, users, items), scores)
    assert not np.array_equal(make_scorer(draw=draw + 1).score(GRAPH, users, items), scores)


def test_neither_company_nor_order_nor_threads_change_a_bit():
    users, items = pairs()
    whole = make_scorer(threads=2).score(GRAPH, users, items)
    for threads in (1, 3):
        assert np.array_equal(make_scorer(threads=threads).score(GRAPH, users, items), whole)
    order = np.random.default_rng(1).permutation(len(users))
    assert np.array_equal(make_scorer().score(GRAPH, users[order], items[order]), whole[:, order])
    for rows in (slice(0, 1), slice(5, 7), slice(100, 333)):
        assert np.array_equal(make_scorer().score(GRAPH, users[rows], items[rows]), whole[:, rows])


def test_scorers_side_by_side_leave_the_settings_of_the_process_as_they_were():
    asked = pairs(200)
    expected = make_scorer().score(GRAPH, *asked)
    before = torch.get_num_threads(), stack._threads
    scorers = [make_scorer(threads=1 + k % 3) for k in range(8)] * 6
    with ThreadPoolExecutor(8) as pool:
        scores = list(pool.map(lambda scorer: scorer.score(GRAPH, *asked), scorers))
    assert all(np.array_equal(found, expected) for found in scores)
    assert (torch.get_num_threads(), stack._threads) == before


def test_no_pairs():
    none = np.empty(0, np.int32)
    assert make_scorer().score(GRAPH, none, none).shape == (2, 0)


def test_what_goes_wrong_in_a_thread_is_raised_here():
    with pytest.raises(DataError, match="no such user in the graph; got 99"):
        make_scorer().score(GRAPH, np.array([0] * 40 + [99], np.int32), np.zeros(41, np.int32))


def test_side_features_reach_the_model_and_newcomers_have_none():
    model = IGMC(ModelConfig(layers=(16, 16)), n_levels=5, side_width=5).eval()
    rng = np.random.default_rng(0)
    side = rng.random((30, 2), np.float32), rng.random((25, 3), np.float32)
    view = ServingGraph.of(GRAPH).with_ratings([30, 0], [0, 25], [4, 2], n_users=31, n_items=26)
    users, items = np.array([30, 30, 0, 0], np.int32), np.array([1, 25, 25, 1], np.int32)
    scores = make_scorer([model], side=side).score(view, users, items)[0]
    cut = extract_subgraphs(view, users, items, EXTRACT, seed=3)
    features = np.zeros((4, 5), np.float32)
    features[2:, :2], features[[0, 3], 2:] = side[0][0], side[1][1]
    with torch.inference_mode():
        expected = model(Batch.from_subgraphs(cut, np.zeros(4, np.float32), side=features))
    np.testing.assert_allclose(scores, expected.numpy(), rtol=1e-5, atol=1e-6)
