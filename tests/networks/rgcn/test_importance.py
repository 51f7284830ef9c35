"""What a rating is worth is what the prediction would be without it; the gradient is an estimate of that."""

import numpy as np
import pytest
import torch

from igmc.config import ModelConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.serving import ServingGraph
from igmc.models.igmc import IGMC
from igmc.networks.rgcn.importance import edge_users, gradients, occlusion
from tests.inference.small import GRAPH, MODELS, Telling, make_scorer


@pytest.mark.parametrize("hops", [1, 2])
@pytest.mark.parametrize("side", [False, True])
def test_occlusion_is_the_prediction_on_a_graph_rebuilt_without_the_rating(hops, side):
    models, features = MODELS, None
    if side:
        rng = np.random.default_rng(0)
        features = rng.random((20, 2), np.float32), rng.random((15, 1), np.float32)
        models = [IGMC(ModelConfig(layers=(8, 8)), n_levels=5, hops=hops, side_width=3).eval()]
    elif hops == 2:
        models = [IGMC(ModelConfig(layers=(8, 8)), n_levels=5, hops=2).eval()]
    scorer = make_scorer(models, hops=hops, side=features)
    subgraph = extract_subgraphs(GRAPH, [4], [7], scorer.extract, seed=3)
    whole = scorer.score(GRAPH, *(np.array([k], np.int32) for k in (4, 7))).mean(axis=0)[0]
    found = occlusion(scorer, subgraph)
    assert len(found) == subgraph.n_edges > 30
    users = subgraph.user_id[edge_users(subgraph)].tolist()
    items = subgraph.item_id[subgraph.edge_item].tolist()
    for user, item, importance in zip(users, items, found, strict=True):
        rebuilt = ServingGraph.of(GRAPH).without(user, item).rebuilt()
        rest = scorer.score(rebuilt, *(np.array([k], np.int32) for k in (4, 7))).mean(axis=0)[0]
        assert importance == whole - rest  # to the last bit
    assert np.abs(found).max() > 1e-3
    order = np.random.default_rng(1).permutation(len(found))[:9]
    assert np.array_equal(occlusion(scorer, subgraph, order), found[order])


def test_where_a_cap_thins_the_subgraph_the_neighbours_that_were_drawn_stay():
    scorer, pair = make_scorer(cap=4).only(0), (np.array([4], np.int32), np.array([7], np.int32))
    (subgraph,) = scorer.cut(GRAPH, *pair)
    assert len(subgraph.user_id) == len(subgraph.item_id) == 5
    drawn = subgraph.user_id[edge_users(subgraph)], subgraph.item_id[subgraph.edge_item], subgraph.edge_level
    sizes = {"n_users": 20, "n_items": 15, "n_levels": 5}
    whole = scorer.score(GRAPH, *pair).mean(axis=0)[0]
    for edge, importance in enumerate(occlusion(scorer, subgraph)):
        rest = type(GRAPH).from_ratings(*(np.delete(column, edge) for column in drawn), **sizes)
        assert importance == whole - make_scorer(MODELS[:1]).score(rest, *pair).mean(axis=0)[0]


def test_by_gradient_a_linear_model_gets_what_occlusion_says_and_ours_nearly():
    subgraph = extract_subgraphs(GRAPH, [4], [7], make_scorer().extract, seed=3)
    linear = make_scorer([Telling(level=2)])
    assert np.array_equal(gradients(linear, subgraph), occlusion(linear, subgraph))
    # Small weights make the network nearly linear; ratings that tie nobody to the pair take nobody with them.
    model = IGMC(ModelConfig(layers=(8, 8)), n_levels=5).eval()
    with torch.no_grad():
        for conv in model.convs:
            conv.weight *= 0.02
    scorer = make_scorer([model])
    inner = np.flatnonzero((edge_users(subgraph) > 0) & (subgraph.edge_item > 0))
    exact, estimate = occlusion(scorer, subgraph, inner), gradients(scorer, subgraph)[inner]
    assert np.corrcoef(exact, estimate)[0, 1] > 0.99


def test_gradients_are_those_of_the_mean_of_the_models():
    subgraph = extract_subgraphs(GRAPH, [4], [7], make_scorer().extract, seed=3)
    alone = [gradients(make_scorer([model]), subgraph) for model in MODELS]
    np.testing.assert_allclose(gradients(make_scorer(), subgraph), np.mean(alone, axis=0), atol=1e-7)
    assert all(parameter.grad is None for model in MODELS for parameter in model.parameters())
