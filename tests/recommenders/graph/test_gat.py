import numpy as np
import pytest
import torch

from igmc.errors import ConfigError, DataError
from igmc.recommenders.graph import gat
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import data_of, ratings
from tests.recommenders.graph.contract import FEATURE_CHANGES, SMALL, FeatureContract, told_board
from tests.recommenders.graph.test_adjacency import adjacency


class TestGAT(FeatureContract):
    name = "gat"
    changes = {**FEATURE_CHANGES, "heads": 4}


def test_attention_is_a_mean_of_neighbours(tmp_path):
    data, _ = told_board()
    model = make_recommender("gat", {**SMALL, "epochs": 2}).fit(data)
    found = model.attention()
    n = len(data.train)
    assert found.to_user.shape == found.to_item.shape == (2, n, 2)
    np.testing.assert_array_equal(found.user, data.train.user)
    for weights, node, size in (
        (found.to_user, found.user, data.n_users),
        (found.to_item, found.item, data.n_items),
    ):
        assert weights.min() >= 0
        for layer in weights:
            for head in layer.T:
                total = np.bincount(node, head, size)
                np.testing.assert_allclose(total, np.bincount(node, minlength=size) > 0, atol=1e-5)
    assert np.std(found.to_user) > 0
    model.save(tmp_path / "gat.ckpt")
    again = type(model).load(tmp_path / "gat.ckpt").attention()
    np.testing.assert_array_equal(again.to_item, found.to_item)
    with pytest.raises(DataError, match=r"has not been fitted"):
        make_recommender("gat").attention()


def test_what_an_edge_weighs_is_an_input_of_the_attention():
    x = torch.randn(21, 8)
    for kind, matters in (("rating", True), ("none", False)):
        torch.manual_seed(0)
        network = make_recommender("gat", {**SMALL, "edge_weight": kind})._network()
        plain, weighted = (network.attention(x, adjacency("none", edges))[0] for edges in ("none", "rating"))
        assert torch.equal(plain, weighted) != matters


def test_results_do_not_depend_on_the_number_of_torch_threads(monkeypatch):
    rng = np.random.default_rng(0)
    keys = rng.choice(300 * 200, 10_000, replace=False)
    data = data_of(ratings(keys // 200, keys % 200, rng.integers(1, 6, len(keys))), n_users=300, n_items=200)
    used, plain, before = [], gat._Attending.propagate, torch.get_num_threads()

    def propagate(*args):
        used.append(torch.get_num_threads())
        return plain(*args)

    monkeypatch.setattr(gat._Attending, "propagate", propagate)
    users = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            model = make_recommender("gat", {"epochs": 1}).fit(data)
            users.append((model.users, model.attention().to_user))
            assert torch.get_num_threads() == count
    finally:
        torch.set_num_threads(before)
    assert set(used) == {1}
    for one, two in zip(*users, strict=True):
        np.testing.assert_array_equal(one, two)


def test_heads_must_divide_the_width():
    with pytest.raises(
        ConfigError, match=r"the heads do not divide the width; got 3; allowed: divisors of 8"
    ):
        make_recommender("gat", {**SMALL, "heads": 3}).fit(told_board()[0])


def test_all_that_is_searched_has_heads_that_divide_the_width():
    space = make_recommender("gat").search_space()
    assert all(dim % heads == 0 for dim in space["dim"].values for heads in space["heads"].values)
