"""The interface itself, on a recommender made for it."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from scipy import sparse

from igmc.config import Config, knob
from igmc.errors import CheckpointError, ConfigError, DataError
from igmc.ratings import Dataset, build_split
from igmc.recommenders.base import NoSettings, Recommender
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import TrainingData
from tests.recommenders.boards import checkerboard, ratings


@dataclass(frozen=True)
class SumConfig(Config):
    factor: float = knob(1.0, "what sums are multiplied by")


class Sum(Recommender):
    """Predicts `factor` times the sum of both indices."""

    name = "sum"
    config_class = SumConfig
    fitted = ("array", "matrix", "tensor", "table", "number")

    def _fit(self, data, monitor):
        self.n_fitted = len(data.train)
        self.array = np.arange(6, dtype=np.int16).reshape(3, 2)[:, ::-1]
        self.matrix = data.matrix()
        self.tensor = torch.arange(3.0, requires_grad=True)
        self.table = {"inner": {"array": np.ones(2), "text": "Amélie"}, "none": None}
        self.number = 0.1 + 0.2
        self._restore()

    def _restore(self):
        self.derived = 2 * self.number

    def _predict(self, user, item):
        return (self.config.factor * (user + item)).astype(np.float32)


class Halved(Sum):
    """Fewer settings than it could have."""

    name = "halved"

    def chosen_config(self):
        return self.config.replace(factor=0.5)


@pytest.fixture
def data():
    return checkerboard()[0]


def test_all_kinds_of_fitted_attributes_come_back(data, tmp_path):
    model = Sum(SumConfig(factor=3), seed=4).fit(data)
    model.history = [{"epoch": 1.0, "loss": 0.1 + 0.2}]
    model.save(tmp_path / "model")
    loaded = Sum.load(tmp_path / "model")
    assert (loaded.config, loaded.seed, loaded.history) == (model.config, 4, model.history)
    assert (loaded.n_users, loaded.n_items) == (data.n_users, data.n_items)
    assert loaded.array.dtype == np.int16
    np.testing.assert_array_equal(loaded.array, model.array)
    assert isinstance(loaded.matrix, sparse.csr_array)
    np.testing.assert_array_equal(loaded.matrix.toarray(), model.matrix.toarray())
    assert isinstance(loaded.tensor, torch.Tensor)
    assert torch.equal(loaded.tensor, model.tensor)
    np.testing.assert_array_equal(loaded.table["inner"].pop("array"), np.ones(2))
    assert loaded.table == {"inner": {"text": "Amélie"}, "none": None}
    assert (loaded.number, loaded.derived) == (model.number, model.derived), "derived is made anew"


def test_a_file_of_another_recommender_is_refused(data, tmp_path):
    Halved().fit(data).save(tmp_path / "model")
    with pytest.raises(CheckpointError, match="holds a different recommender; got 'halved'; allowed: sum"):
        Sum.load(tmp_path / "model")


def test_settings_of_another_class_are_refused():
    with pytest.raises(ConfigError, match="sum got settings of the wrong class; got 'NoSettings'"):
        Sum(NoSettings())


def test_a_refit_has_the_chosen_settings_and_all_ratings(data):
    model = Halved(SumConfig(factor=3), seed=4).fit(data)
    again = model.refit(data)
    assert again is not model
    assert (again.config.factor, again.seed) == (0.5, 4)
    assert again.n_fitted == len(data.train) + len(data.validation) > model.n_fitted


def test_answers_are_float32_whatever_a_model_computes_in(data):
    class Double(Sum):
        def _predict(self, user, item):
            return super()._predict(user, item).astype(np.float64)

    model = Double().fit(data)
    assert model.predict([0], [1]).dtype == np.float32
    assert model.scores([0, 1]).dtype == np.float32


def test_scores_follow_from_predictions(data):
    scores = Sum().fit(data).scores([2, 0])
    np.testing.assert_array_equal(scores, np.arange(data.n_items) + np.array([[2], [0]], np.float32))


@pytest.mark.parametrize(
    ("user", "item", "message"),
    [
        ([0.5], [0], "user indices are not whole numbers; got 'float64'"),
        ([[0]], [0], "user indices are not a list"),
        ([0, 1], [0], "users and items differ in number"),
        ([0], [99], r"an item index is out of range; got 99; allowed: 0\.\.16"),
    ],
)
def test_indices_that_are_none(data, user, item, message):
    with pytest.raises(DataError, match=message):
        Sum().fit(data).predict(user, item)


def test_only_who_is_inductive_takes_new_ratings(data, monkeypatch):
    support = ratings([0], [0], [5])
    with pytest.raises(ConfigError, match="sum cannot take new ratings without training again"):
        Sum().fit(data).fold_in(support)
    monkeypatch.setattr(Sum, "inductive", True)
    with pytest.raises(NotImplementedError, match="Sum is inductive, so it must define _fold_in"):
        Sum().fit(data).fold_in(support)


@pytest.mark.parametrize(
    ("name", "hint"), [("biases", "such as ease"), ("item_knn", "item_knn:objective=ranking")]
)
def test_equal_ratings_are_nothing_to_predict_and_something_to_rank(name, hint):
    pairs = {"user": [0, 0, 1, 1, 2, 2], "item": [0, 1, 1, 2, 2, 0]}
    rows, none = np.arange(6), np.empty(0, np.int64)
    clicks = Dataset.from_frame(pairs, implicit=True)
    data = TrainingData.from_split(build_split(clicks, (rows, none, none), name="all", seed=1))
    with pytest.raises(
        DataError, match=rf"{name} predicts ratings, and all of them are 1.*--implicit.*{hint}"
    ):
        make_recommender(name).fit(data)
    assert make_recommender("item_knn", {"objective": "ranking"}).fit(data).n_items == 3
