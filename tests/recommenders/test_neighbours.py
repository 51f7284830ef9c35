from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.evaluation.protocols import make_protocol
from igmc.networks.neighbours import estimates_choice
from igmc.ratings.scale import KnownScale
from igmc.recommenders.registry import load_recommender, make_recommender
from igmc.recommenders.training_data import TrainingData
from igmc.training import load_checkpoint, save_checkpoint
from tests.evaluation.datasets import make_dataset
from tests.recommenders.boards import checkerboard
from tests.recommenders.contract import RecommenderContract

pytestmark = pytest.mark.usefixtures("brief_training")


class TestNeighbours(RecommenderContract):
    name = "neighbours"
    settings = {
        "epochs": 10,
        "batch_size": 20,
        "members": 1,
        "newcomers": 0.0,
        "learning_rate": 2e-2,
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
        "side_features": None,
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
    assert len(again.history) == TestNeighbours.settings["epochs"]


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


def test_estimates_are_chosen_on_validation_and_the_test_ratings_have_no_say(monkeypatch):
    """Of which there are other ones: choice, weights and intervals are the same to the bit."""
    monkeypatch.setattr(estimates_choice, "MOST_TIME", np.inf)  # the one thing that no seed decides
    data = make_dataset(share=0.8, times="distinct", hint=KnownScale(1, 5))
    settings = {"epochs": 1, "members": 1, "max_neighbors": 5, "estimates": "auto"}
    protocol = make_protocol("random_80_20")
    split = protocol.draw(data, 1)
    rating = data.table.rating.copy()
    rating[split.test] = 6 - rating[split.test]
    other = replace(data, table=replace(data.table, rating=rating))
    models = []
    for one in (data, other):
        known = TrainingData.from_split(protocol.draw(one, 1), one)
        models.append(make_recommender("neighbours", settings).fit(known))
    first, second = models
    assert first.chosen_config() == second.chosen_config()
    assert first.chosen_config().estimates in ("none", "mf", "svdpp,mf")
    assert first.chosen_config().selection == "fixed"
    assert all(torch.equal(first.state[name], second.state[name]) for name in first.state)
    assert torch.equal(first.intervals["pooled"], second.intervals["pooled"])
    again = first.refit(known)
    assert ",".join(again.estimates) == first.chosen_config().estimates.replace("none", "")


def test_a_model_saved_before_there_were_intervals_tells_none(tmp_path):
    data, asked = checkerboard()
    user, item = asked.user, asked.item
    model = make_recommender("neighbours", TestNeighbours.settings | {"epochs": 1}).fit(data)
    rated, bounds = model.predict_with_bounds(user, item, coverage=0.8)
    assert bounds.shape == (2, len(rated))
    assert ((bounds[0] < rated) & (rated < bounds[1])).all()
    np.testing.assert_array_equal(rated, model.predict(user, item))
    model.save(tmp_path / "model")
    state = load_checkpoint(tmp_path / "model")
    del state["fitted"]["intervals"]
    save_checkpoint(tmp_path / "model", state)
    old = load_recommender(tmp_path / "model")
    again, none = old.predict_with_bounds(user, item)
    assert none is None
    np.testing.assert_array_equal(again, rated)
