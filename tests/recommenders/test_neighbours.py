from dataclasses import replace

import numpy as np

from igmc.recommenders.registry import make_recommender
from tests.recommenders.boards import checkerboard
from tests.recommenders.contract import RecommenderContract


class TestNeighbours(RecommenderContract):
    name = "neighbours"
    settings = {
        "epochs": 20,
        "batch_size": 10,
        "members": 1,
        "newcomers": 0.0,
        "learning_rate": 1e-2,
        "dates": "none",
        "estimates": "none",  # eleven fits for each test; tests/networks has them
    }
    random = True
    quick = {"epochs": 2}
    changes = {
        "selection": None,
        "max_neighbors": 2,
        "members": 2,
        "epochs": 1,
        "pairs_per_epoch": 20,
        "batch_size": 5,
        "learning_rate": 1e-3,
        "weight_decay": 0.5,
        "dropout": 0.5,
        "newcomers": 0.3,
        "estimates": "mf",
        "dates": "both",
    }

    def board(self):
        """With times, so that dates can be read."""
        data, asked = checkerboard()
        times = np.arange(len(data.train)) * 3600
        return replace(data, train=replace(data.train, timestamp=times)), asked


def test_a_refit_does_not_stop_at_the_epoch_that_was_best_by_luck():
    data, _ = checkerboard()
    model = make_recommender("neighbours", TestNeighbours.settings).fit(data)
    again = model.refit(data)
    assert again.config.selection == "fixed"
    assert len(again.history) == 20


def test_the_selection_decides_whether_the_best_epoch_on_validation_is_kept():
    """Where validation ratings say the opposite of the others, to learn more is to err more."""
    data, asked = checkerboard()
    opposite = replace(data, validation=replace(data.validation, rating=6 - data.validation.rating))
    settings = TestNeighbours.settings | {"epochs": 20, "pairs_per_epoch": 20}
    best, last = (
        make_recommender("neighbours", settings | {"selection": selection}).fit(opposite)
        for selection in ("validation", "fixed")
    )
    errors = [record["validation_rmse"] for record in best.history]
    assert min(errors) < errors[-1]
    assert not np.array_equal(best.predict(asked.user, asked.item), last.predict(asked.user, asked.item))
