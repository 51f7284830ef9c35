"""GCN, GAT and GraphSAGE, which take features."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from igmc.errors import ConfigError, DataError
from igmc.recommenders.data import TrainingData
from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import checkerboard, data_of, ratings
from tests.recommenders.graph.contract import CHANGES, SMALL, GraphContract

FEATURE_CHANGES = {
    **CHANGES,
    "inputs": "both",
    "tag_rank": ({"inputs": "features"}, 1),
    "dropout": 0.5,
    "weight_decay": 0.1,
}


def genres(n_items):
    return pd.DataFrame({"genres": ["even" if item % 2 == 0 else "odd" for item in range(n_items)]})


def told_board():
    """The checkerboard, where the genre says which squares of a row an item is; tags say nothing."""
    data, asked = checkerboard()
    return (
        data_of(
            data.train,
            data.validation,
            n_users=data.n_users,
            n_items=data.n_items,
            item_info=genres(data.n_items),
            item_tags=lambda: {"tags": sparse.csr_array(np.eye(data.n_items, 5, dtype=np.float32))},
        ),
        asked,
    )


class _FeatureModel(GraphContract):
    settings = {**GraphContract.settings, "inputs": "ids"}
    changes = FEATURE_CHANGES

    def board(self):
        return told_board()


class TestGCN(_FeatureModel):
    name = "gcn"


class TestGraphSAGE(_FeatureModel):
    name = "graphsage"


class TestGAT(_FeatureModel):
    name = "gat"
    changes = {**FEATURE_CHANGES, "heads": 4}


class TestInductiveGraphSAGE(_FeatureModel):
    name = "graphsage"
    settings = {**_FeatureModel.settings, "inputs": "features", "learning_rate": 0.03, "epochs": 12}
    settings |= {"dropout": 0.1, "l2": 1e-4}

    def liked_board(self):
        data, left = super().liked_board()
        return replace(data, item_info=genres(data.n_items)), left

    changes = {**FEATURE_CHANGES, "inputs": "ids", "tag_rank": 1}


@pytest.mark.parametrize("name", ["gcn", "gat", "graphsage"])
def test_a_folded_model_is_the_one_that_knew_all_but_for_its_weights(name):
    data, _ = told_board()
    mine = data.train.user == 5
    known, new = (
        ratings(*(getattr(data.train, c)[m] for c in ("user", "item", "rating"))) for m in (~mine, mine)
    )
    settings = {**SMALL, "epochs": 2, "inputs": "features"}
    model = make_recommender(name, settings).fit(
        TrainingData(
            known, ratings([], [], []), data.n_users, data.n_items, data.scale, item_info=data.item_info
        )
    )
    folded = model.fold_in(new)
    users, items = folded.embeddings()
    assert not np.array_equal(users[5], model.embeddings()[0][5])
    features = {side: torch.from_numpy(part) for side, part in folded_features(model, known + new).items()}
    net = model._trained(features)
    with torch.no_grad():
        _, z = net(torch.arange(data.n_users + data.n_items), folded._graph(), features)
    np.testing.assert_array_equal(np.concatenate([users, items]), z.numpy())
    assert folded.known["user"].tolist() == [*known.user.tolist(), *new.user.tolist()]


def folded_features(model, known):
    from igmc.recommenders.graph.features import NodeFeatures

    return NodeFeatures(**model.features).of(known)


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


def test_heads_must_divide_the_width():
    with pytest.raises(
        ConfigError, match=r"the heads do not divide the width; got 3; allowed: divisors of 8"
    ):
        make_recommender("gat", {**SMALL, "heads": 3}).fit(told_board()[0])
