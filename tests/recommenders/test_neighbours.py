import numpy as np
import pytest

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import checkerboard
from tests.recommenders.contract import RecommenderContract


class TestNeighbours(RecommenderContract):
    name = "neighbours"
    settings = {"epochs": 20, "batch_size": 10, "members": 1, "newcomers": 0.0, "learning_rate": 1e-2}
    random = True
    changes = {
        "selection": "fixed",
        "max_neighbors": 2,
        "members": 2,
        "epochs": 2,
        "pairs_per_epoch": 20,
        "batch_size": 5,
        "learning_rate": 1e-3,
        "weight_decay": 0.5,
        "dropout": 0.5,
        "newcomers": 0.3,
        "shrinkage": ({"selection": "fixed"}, 0.5),
    }


def test_a_refit_does_not_stop_at_the_epoch_that_was_best_by_luck():
    data, _ = checkerboard()
    model = make_recommender("neighbours", TestNeighbours.settings).fit(data)
    again = model.refit(data)
    assert again.config.selection == "fixed"
    assert len(again.history) == 20
    assert again.config.shrinkage == round(model.history[-1]["shrinkage"], 3)
    assert float(again.state["shrinkage"]) == pytest.approx(again.config.shrinkage)


def test_what_was_found_on_validation_moves_predictions_towards_the_biases():
    data, _ = checkerboard()
    settings = TestNeighbours.settings | {"selection": "fixed"}
    none, half, whole = (
        make_recommender("neighbours", settings | {"shrinkage": share}).fit(data).predict([0, 1], [1, 3])
        for share in (0.0, 0.5, 1.0)
    )
    assert half == pytest.approx((none + whole) / 2)
    assert np.all(none != whole)
