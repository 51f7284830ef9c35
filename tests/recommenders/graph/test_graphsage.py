from dataclasses import replace

import torch

from igmc.recommenders.registry import make_recommender
from tests.recommenders.graph.contract import FEATURE_CHANGES, SMALL, FeatureContract, genres
from tests.recommenders.graph.test_adjacency import adjacency


class TestGraphSAGE(FeatureContract):
    name = "graphsage"


class TestInductiveGraphSAGE(FeatureContract):
    name = "graphsage"
    settings = {**FeatureContract.settings, "inputs": "features", "learning_rate": 0.03, "epochs": 12}
    settings |= {"dropout": 0.1, "l2": 1e-4}
    changes = {**FEATURE_CHANGES, "inputs": "ids", "tag_rank": 1}

    def liked_board(self):
        data, left = super().liked_board()
        return replace(data, item_info=genres(data.n_items)), left


def test_a_layer_maps_the_node_and_the_mean_of_its_neighbours_by_weights_of_their_own():
    torch.manual_seed(0)
    layer = make_recommender("graphsage", SMALL)._network().layers[0]
    graph = adjacency("mean", "rating")
    x = torch.randn(len(graph), SMALL["dim"])
    mean = graph.matrix.to_dense() @ x
    expected = x @ layer.lin_r.weight.T + mean @ layer.lin_l.weight.T + layer.lin_l.bias
    torch.testing.assert_close(layer(x, graph.matrix), expected, rtol=1e-4, atol=1e-5)


def test_it_is_inductive_unless_it_learns_ids():
    assert make_recommender("graphsage").inductive
    assert not make_recommender("graphsage", {"inputs": "both"}).inductive
