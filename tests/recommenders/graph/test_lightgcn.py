import numpy as np

from igmc.recommenders.graph.adjacency import Adjacency
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import checkerboard
from tests.recommenders.graph.contract import SMALL, GraphContract


class TestLightGCN(GraphContract):
    name = "lightgcn"


def test_embeddings_are_means_of_smoothed_ids():
    data, _ = checkerboard()
    model = make_recommender("lightgcn", {**SMALL, "objective": "rating", "edge_weight": "none"}).fit(data)
    graph = Adjacency.of(
        data.train,
        np.ones(len(data.train), np.float32),
        n_users=data.n_users,
        n_items=data.n_items,
        normalization="symmetric",
    )
    matrix, ids = graph.matrix.to_dense().numpy(), model.weights["ids.weight"].numpy()
    z = (ids + matrix @ ids + matrix @ matrix @ ids) / 3
    strangers = [data.n_users - 1, data.n_users + data.n_items - 1]
    known = np.setdiff1d(np.arange(len(z)), strangers)
    made = np.concatenate(model.embeddings())
    np.testing.assert_allclose(made[known], z[known], rtol=1e-4, atol=1e-6)
    assert not made[strangers].any()


def test_a_stranger_is_ranked_for_as_the_average_user():
    data, _ = checkerboard()
    model = make_recommender("lightgcn", {"epochs": 3, "dim": 8, "learning_rate": 0.1}).fit(data)
    users, _ = model.embeddings()
    np.testing.assert_allclose(users[-1], users[:-1].mean(axis=0), rtol=1e-5)
