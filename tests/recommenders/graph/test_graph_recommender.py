"""What the graph recommenders share beyond their contract: inputs, and what `fold_in` computes anew."""

import numpy as np
import pytest
import torch

from igmc.recommenders.graph.features import NodeFeatures
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData
from tests.recommenders.boards import ratings
from tests.recommenders.graph.contract import SMALL, told_board


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
    given = model._input(known + new)
    assert len(given.graph.source) > len(model._input().graph.source)
    expected = NodeFeatures(**model.features).of(known + new)
    for side, features in given.features.items():
        np.testing.assert_array_equal(features, expected[side])
    with torch.no_grad():
        nodes = torch.arange(data.n_users + data.n_items)
        _, z = model._trained_encoder(given)(nodes, given.graph, given.features)
    np.testing.assert_array_equal(np.concatenate([users, items]), z.numpy())
    assert folded.known["user"].tolist() == [*known.user.tolist(), *new.user.tolist()]


def test_only_who_uses_features_has_any():
    data, _ = told_board()
    for inputs, sides in (("ids", set()), ("both", {"user", "item"})):
        model = make_recommender("gcn", {**SMALL, "epochs": 1, "inputs": inputs}).fit(data)
        assert set(model._input().features) == sides
        assert bool(model.features) == bool(sides)


def test_fan_outs_are_searched_with_as_many_layers_as_given():
    assert "layers" in make_recommender("gcn").search_space()
    assert "layers" not in make_recommender("gcn", {"layers": 2, "neighbors": [5, 5]}).search_space()
