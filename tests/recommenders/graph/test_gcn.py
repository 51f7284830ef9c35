import numpy as np
import torch

from igmc.recommenders.registry import make_recommender
from tests.recommenders.graph.contract import SMALL, FeatureContract
from tests.recommenders.graph.test_adjacency import adjacency


class TestGCN(FeatureContract):
    name = "gcn"


def test_a_layer_is_the_normalized_sum_of_neighbours_and_the_node_itself():
    torch.manual_seed(0)
    layer = make_recommender("gcn", SMALL)._network().layers[0]
    graph = adjacency("symmetric+self", "rating")
    x = torch.randn(len(graph), SMALL["dim"])
    expected = graph.matrix.to_dense() @ x @ layer.lin.weight.T + layer.bias
    torch.testing.assert_close(layer(x, graph.matrix), expected, rtol=1e-4, atol=1e-5)


def test_its_graph_has_an_edge_from_each_node_to_itself():
    model = make_recommender("gcn", {**SMALL, "epochs": 1}).fit(FeatureContract().board()[0])
    graph = model._input().graph
    assert np.count_nonzero(graph.source == graph.target) == len(graph)
