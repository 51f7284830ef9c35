import math

import numpy as np
import pytest
import torch
from torch import nn

from igmc.errors import TrainingError
from igmc.recommenders.graph.config import FeatureConfig, GraphConfig
from igmc.recommenders.graph.training_loop import train


class Number(nn.Module):
    """A model that is one number, and says what the optimizer is given."""

    def __init__(self):
        super().__init__()
        self.value = nn.Parameter(torch.tensor(0.0))
        self.decay = None

    def parameter_groups(self, weight_decay):
        self.decay = weight_decay
        return [{"params": [self.value], "weight_decay": weight_decay}]


class Away:
    """Losses whose gradient is -1: each step of Adam adds the learning rate."""

    def __init__(self, model, sizes=(3,)):
        self.model, self.sizes = model, sizes

    def batches(self):
        assert self.model.training
        return [np.zeros(size, np.int64) for size in self.sizes]

    def loss(self, rows):
        return len(rows) - self.model.value


def trained(measured=None, *, sizes=(3,), monitor=None, **settings):
    model = Number()
    config = GraphConfig(**{"learning_rate": 1.0, "epochs": 6, "patience": 2} | settings)
    measure = None
    if measured is not None:
        values = iter(measured)

        def measure():
            assert not model.training
            return {"validation_figure": next(values)}

    history, best = train(model, Away(model, sizes), measure, config, monitor)
    assert not model.training
    return model.value.item(), history, best


def test_the_weights_of_the_best_epoch_come_back():
    value, history, best = trained([0.9, 0.7, 0.8, 0.7])
    assert (len(history), best) == (4, 2), "patience is at its end"
    assert value == pytest.approx(2.0, rel=1e-5)


def test_in_a_ranking_more_is_better():
    value, history, best = trained([0.1, 0.3, 0.2, 0.1], objective="ranking")
    assert (len(history), best) == (4, 2)
    assert value == pytest.approx(2.0, rel=1e-5)


def test_without_a_measurement_the_last_epoch_is_kept():
    value, history, best = trained()
    assert (len(history), best) == (6, 6)
    assert value == pytest.approx(6.0, rel=1e-5)
    assert list(history[0]) == ["epoch", "loss", "learning_rate"]


def test_the_loss_is_the_mean_over_ratings_and_each_epoch_is_told():
    told = []
    _, history, _ = trained([0.5, 0.4], sizes=(3, 1), epochs=2, monitor=told.append)
    assert told == history
    # 3 ratings of loss 3 - 0, one of loss 1 - 1; then the number has gone up by 2.
    assert history[0]["loss"] == pytest.approx((3 * 3 + 0) / 4, rel=1e-5)
    assert history[1]["loss"] == pytest.approx((3 * 1 - 2) / 4, rel=1e-5)
    assert [record["validation_figure"] for record in history] == [0.5, 0.4]


def test_a_loss_that_is_not_finite_ends_it():
    told = []
    model = Number()
    model.value.data += math.inf
    with pytest.raises(TrainingError, match=r"the loss is not finite in epoch 1; got -inf; .*now 1"):
        train(model, Away(model), None, GraphConfig(learning_rate=1.0), told.append)
    assert told == []


def test_weights_decay_if_the_settings_say_so():
    for config, decay in ((GraphConfig(epochs=1), 0.0), (FeatureConfig(epochs=1, weight_decay=0.3), 0.3)):
        model = Number()
        train(model, Away(model), None, config, None)
        assert model.decay == decay
