import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from igmc.errors import ConfigError
from igmc.recommenders.igmc import steady_epoch
from igmc.recommenders.registry import make_recommender
from igmc.recommenders.training_data import Ratings
from igmc.training.ensemble import chosen_epochs
from tests.recommenders.boards import checkerboard, ratings
from tests.recommenders.contract import RecommenderContract

# Whether u likes i is told by paths u - j - v - i, so it takes three layers.
TRAIN = {"epochs": 12, "batch_size": 10, "learning_rate": 5e-3, "ensemble_size": 2, "ensemble_every": 2}


class TestIGMC(RecommenderContract):
    name = "igmc"
    settings = {"model": {"layers": [8, 8, 8], "mlp_width": 32, "edge_dropout": 0.0}, "train": TRAIN}
    random = True
    quick = {"train": {**TRAIN, "epochs": 2}}
    changes = {
        "extract": {"max_nodes_per_hop": 3},
        "model": {"layers": [8, 8]},
        "train": {**TRAIN, "epochs": 1},
    }


def small(**settings):
    return make_recommender("igmc", {**TestIGMC.settings, **settings})


def test_a_refit_trains_to_the_steady_epoch():
    data, _ = checkerboard()
    model = small().fit(data)
    validation = [record["validation_rmse"] for record in model.history]
    again = model.refit(data)
    assert again.config.train.selection == "fixed"
    assert len(again.history) == steady_epoch(validation)


@pytest.mark.parametrize(
    ("errors", "epoch"),
    [
        ([0.9, 0.6, 0.9, 0.8, 0.9], 3),  # an early epoch does not count, however lucky
        ([0.9, 0.9, 0.9, 0.5, 0.9, 0.7, 0.6, 0.7, 0.9, 0.9], 7),  # nor does a lone one among worse
        ([0.9, 0.8, 0.7, 0.6, 0.5, 0.4], 6),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7], 4),
        ([0.5] * 8, 5),
        ([0.9, 0.1], 2),
        ([0.1, 0.9], 2),
        ([0.3], 1),
    ],
)
def test_the_steady_epoch(errors, epoch):
    assert steady_epoch(errors) == epoch


def test_the_ensemble_of_a_refit_comes_from_its_later_half():
    model = small(train={**TRAIN, "epochs": 100, "ensemble_size": 4, "ensemble_every": 10})
    for epochs in range(1, 101):
        model.history = [{"validation_rmse": 1 / epoch} for epoch in range(1, epochs + 1)]
        averaged = chosen_epochs(model.chosen_config().train, [])
        assert averaged[0] == epochs
        assert min(averaged) > epochs // 2
        assert len(averaged) == min(4, (epochs + 1) // 2)
    assert averaged == [100, 90, 80, 70]


def test_a_lucky_early_epoch_is_not_refitted_alone():
    model = small(train={**TRAIN, "epochs": 5, "ensemble_size": 4, "ensemble_every": 10})
    model.history = [{"validation_rmse": error} for error in (0.9, 0.6, 0.9, 0.8, 0.9)]
    assert chosen_epochs(model.chosen_config().train, []) == [3, 2]


def test_without_a_validation_part_there_is_nothing_to_choose():
    data, _ = checkerboard()
    data = replace(data, validation=Ratings(*(column[:0] for column in data.train.columns().values())))
    model = small(train={**TRAIN, "epochs": 2}).fit(data)
    assert model.chosen_config() == model.config


def test_pairs_without_a_subgraph_are_rated_by_biases():
    data, _ = checkerboard(extra=2)
    model = small(train={**TRAIN, "epochs": 1}).fit(data)
    stranger, unseen = data.n_users - 1, data.n_items - 1
    user, item = [stranger, 0, stranger], [0, unseen, unseen]
    np.testing.assert_array_equal(model.predict(user, item), model.fallback.predict(user, item))
    assert model.predict([0], [0]) != model.fallback.predict([0], [0])


def test_folding_in_is_the_same_as_a_graph_with_those_ratings():
    data, _ = checkerboard()
    model = small(train={**TRAIN, "epochs": 1}).fit(data)
    stranger = data.n_users - 1
    folded = model.fold_in(ratings([stranger, stranger], [0, 3], [5, 1]))
    assert folded.graph.n_ratings == model.graph.n_ratings + 2
    assert folded.predict([stranger], [5]) != model.predict([stranger], [5])


def test_the_monitor_is_told_of_every_epoch():
    data, _ = checkerboard()
    told = []
    model = small(train={**TRAIN, "epochs": 3}).fit(data, monitor=told.append)
    assert [record["epoch"] for record in told] == [1, 2, 3]
    assert told == model.history


def test_support_dropout_changes_training_and_nothing_that_is_asked():
    data, _ = checkerboard()
    train = {**TRAIN, "epochs": 1}
    plain, dropped = (small(train={**train, **more}).fit(data) for more in ({}, {"support_dropout": 0.9}))
    assert plain.history[0]["mse"] != dropped.history[0]["mse"]
    dropped.states = plain.states
    user, item = data.train.user, data.train.item
    np.testing.assert_array_equal(plain.predict(user, item), dropped.predict(user, item))


def test_side_features_are_refused():
    data, _ = checkerboard()
    with pytest.raises(ConfigError, match=r"the harness does not support side features"):
        small(model={"side_features": True}).fit(data)


WRITES: list[str] | None = None  # what is opened for writing, while it is a list


def _watch(event, arguments):
    if WRITES is not None and (
        event in ("os.mkdir", "os.rename") or (event == "open" and _writes(*arguments))
    ):
        WRITES.append(str(arguments[0]))


def _writes(path, mode, flags):
    return bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)) and not str(path).startswith("/dev/")


def test_nothing_is_written_to_disk(monkeypatch, tmp_path):
    data, _ = checkerboard()
    model = small(train={**TRAIN, "epochs": 2}).fit(data)  # compiled kernels may be cached on disk
    sys.addaudithook(_watch)  # for good, so it looks at a list that comes and goes
    written = []
    monkeypatch.setattr(sys.modules[__name__], "WRITES", written)
    model.fit(data)
    assert written == []
    (tmp_path / "file").write_text("")
    assert written == [str(tmp_path / "file")], "it would have been seen"
