import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import ExtractConfig, TrainConfig
from igmc.graph.parts import Part
from igmc.loading.loader import Loader
from igmc.loading.source import LiveSource
from igmc.ratings.table import Pairs
from igmc.training.ensemble import (
    chosen_epochs,
    predict,
    predict_batches,
    predict_samples,
    should_stop,
)
from tests.graph.graphs import all_pairs, random_graph

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("epochs", "every", "size", "expected"),
    [
        (80, 10, 4, [80, 70, 60, 50]),  # ML-100K in the paper
        (40, 10, 4, [40, 30, 20, 10]),
        (40, 5, 4, [40, 35, 30, 25]),  # ML-1M
        (25, 10, 4, [25, 15, 5]),  # fewer epochs than the ensemble spans
        (30, 10, 4, [30, 20, 10]),
        (3, 10, 4, [3]),
        (1, 1, 4, [1]),
        (12, 1, 1, [12]),
    ],
)
def test_fixed_epochs_average_the_last_checkpoints(epochs, every, size, expected):
    config = TrainConfig(selection="fixed", epochs=epochs, ensemble_every=every, ensemble_size=size)
    assert chosen_epochs(config, []) == chosen_epochs(config, [None] * epochs) == expected


def test_validated_takes_the_best_the_earlier_of_equals_first():
    config = TrainConfig(ensemble_size=3)
    assert chosen_epochs(config, []) == []
    assert chosen_epochs(config, [1.0]) == [1]
    assert chosen_epochs(config, [1.0, 0.9]) == [2, 1]
    assert chosen_epochs(config, [0.9, 1.0, 0.8, 0.9, 0.9]) == [3, 1, 4]
    assert chosen_epochs(config, [0.7] * 6) == [1, 2, 3]


def test_fixed_epochs_stop_at_the_last_one_whatever_validation_says():
    config = TrainConfig(selection="fixed", epochs=3, patience=1)
    assert [should_stop(config, [None] * n) for n in range(5)] == [False, False, False, True, True]


def test_validated_stops_when_patience_is_at_its_end():
    config = TrainConfig(epochs=50, patience=2)
    scores = [1.0, 0.8, 0.9, 0.8, 0.7]
    assert [should_stop(config, scores[:n]) for n in range(6)] == [False] * 4 + [True, False]
    assert should_stop(config, [1.0, 1.0, 1.0]), "an equal score is no better"


def test_validated_stops_at_its_last_epoch():
    config = TrainConfig(epochs=2, patience=9)
    assert [should_stop(config, [0.9, 0.8][:n]) for n in range(3)] == [False, False, True]


@pytest.mark.parametrize(
    ("settings", "epochs"),
    [
        ({}, 3),
        ({"decay_every": 2}, 4),
        ({"decay_every": 4}, 6),
        ({"decay_every": 8}, 3),
        ({"decay_every": 4, "decay_factor": 1.0}, 3),
    ],
)
def test_patience_counts_from_the_first_decay_where_one_comes(settings, epochs):
    config = TrainConfig(epochs=8, patience=2, **settings)
    scores = [0.5, *[0.6] * 7]
    assert next(n for n in range(9) if should_stop(config, scores[:n])) == epochs


def test_a_better_epoch_after_the_decay_is_waited_on():
    config = TrainConfig(epochs=20, patience=2, decay_every=4)
    scores = [0.5, 0.6, 0.6, 0.6, 0.6, 0.4, *[0.5] * 14]
    assert next(n for n in range(21) if should_stop(config, scores[:n])) == 8


@given(st.lists(st.sampled_from([0.7, 0.8, 0.9, 1.0]), max_size=12), st.integers(1, 5), st.integers(1, 5))
def test_a_checkpoint_that_is_chosen_at_the_end_was_never_dropped(scores, size, patience):
    config = TrainConfig(epochs=12, ensemble_size=size, patience=patience)
    kept: set[int] = set()
    for epoch in range(1, len(scores) + 1):
        kept = (kept | {epoch}) & {epoch, *chosen_epochs(config, scores[:epoch])}
    assert set(chosen_epochs(config, scores)) <= kept


class Reading(torch.nn.Module):
    """Says how much of a pair's neighbourhood it reads, times a factor; in training, nonsense."""

    def __init__(self, factor=1):
        super().__init__()
        self.factor = factor

    def forward(self, batch):
        assert torch.is_inference_mode_enabled()
        nodes = torch.from_numpy(batch.subgraphs.item_id).double()
        pair = torch.repeat_interleave(torch.arange(len(batch)), batch.tensors.item_ptr.diff())
        total = torch.zeros(len(batch), dtype=torch.float64).index_add(0, pair, nodes**2)
        return torch.full((len(batch),), torch.nan) if self.training else (self.factor * total).float()


@pytest.fixture(scope="module")
def source() -> LiveSource:
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = all_pairs(graph)
    part = Part("test", graph, Pairs(users, items, np.zeros(len(users), np.float32)))
    return LiveSource(part, ExtractConfig(max_nodes_per_hop=4), seed=1)


def read_off(source, sample) -> np.ndarray:
    cut = source.fetch(np.arange(len(source.pairs)), sample)
    return np.add.reduceat(cut.item_id.astype(np.float64) ** 2, cut.item_ptr[:-1]).astype(np.float32)


def test_all_pairs_are_predicted_in_order_without_dropout(source):
    model = Reading().train()
    found = predict(model, Loader(source, 7), CPU)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, read_off(source, 0))


def test_models_read_the_same_batches_or_each_a_sample_of_its_own(source):
    models = [Reading(), Reading(2), Reading(3)]
    same = predict_samples(models, Loader(source, 100), device=CPU)
    np.testing.assert_array_equal(same, read_off(source, 0) * np.array([[1], [2], [3]]))
    own = predict_samples(models, Loader(source, 100), Loader(source, 64), device=CPU)
    for k in range(3):
        np.testing.assert_array_equal(own[k], read_off(source, k) * (k + 1))
    assert not np.array_equal(own[1], same[1])


def test_of_no_batches_there_are_no_predictions():
    assert predict_batches([Reading(), Reading()], [], CPU).shape == (2, 0)
