import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import TrainConfig
from igmc.training.ensemble import chosen_epochs, should_stop


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
