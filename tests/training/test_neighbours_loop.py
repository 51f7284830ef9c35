"""Training of the neighbours network: it learns, resumes bit by bit, and sees no validation rating."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from igmc.config import NeighboursConfig
from igmc.errors import DataError, TrainingError
from igmc.loading import CrossFit
from igmc.ratings import Pairs
from igmc.training import MemoryCheckpointer
from igmc.training.neighbours_loop import fit_neighbours
from tests.statistics.graphs import known_ratings

pytestmark = pytest.mark.usefixtures("brief_training")

KNOWN = known_ratings()
CPU = torch.device("cpu")
CONFIG = NeighboursConfig(
    epochs=2, members=2, batch_size=200, max_neighbors=10, newcomers=0.1, estimates="none"
)


def pairs(n=30, seed=3):
    rng = np.random.default_rng(seed)
    return Pairs(
        rng.integers(0, 60, n).astype(np.int32),
        rng.integers(0, 40, n).astype(np.int32),
        rng.integers(1, 6, n).astype(np.float32),
    )


def trained(config=CONFIG, known=KNOWN, validation=None, seed=1, keep=None, start=None):
    checkpoints = keep if keep is not None else MemoryCheckpointer()
    how = {"seed": seed, "progress": False, "start": start, "keeps_offset": start is not None}
    history = fit_neighbours(known, validation, config, checkpoints, CPU, **how)
    return history, checkpoints.latest()["model"]


def same(one, other):
    return all(torch.equal(one[name], other[name]) for name in one)


class Stopping(MemoryCheckpointer):
    def save_epoch(self, epoch, state, keep):
        super().save_epoch(epoch, state, keep)
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.parametrize("estimates", ["none", "svdpp,mf"])
@pytest.mark.parametrize("validation", [None, pairs()], ids=["fixed", "validation"])
def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_bits(validation, estimates):
    selection = "fixed" if validation is None else "validation"
    config = CONFIG.replace(selection=selection, estimates=estimates)
    history, whole = trained(config, validation=validation)
    stopped = Stopping()
    with pytest.raises(KeyboardInterrupt):
        trained(config, validation=validation, keep=stopped)
    resumed, again = trained(config, validation=validation, keep=stopped)
    assert same(whole, again)
    untimed = [
        [{k: v for k, v in record.items() if "second" not in k} for record in records]
        for records in (history, resumed)
    ]
    assert untimed[0] == untimed[1]


def test_members_seeds_and_settings_make_other_weights():
    whole = trained()[1]
    assert not torch.equal(whole["members.0.head_in.weight"], whole["members.1.head_in.weight"])
    assert not same(whole, trained(seed=2)[1])
    assert not same(whole, trained(CONFIG.replace(newcomers=0.0))[1])


def test_validation_ratings_change_no_weight_and_no_calibration():
    one, other, without = (trained(validation=part)[1] for part in (pairs(seed=3), pairs(seed=4), None))
    assert same(one, other)
    assert same(one, without)


def test_ratings_by_taste_are_learned_beyond_the_biases():
    rng = np.random.default_rng(0)
    known = known_ratings(n_users=120, n_items=60, share=0.4)
    taste = rng.integers(0, 2, 120)[known.user] == rng.integers(0, 2, 60)[known.item]
    known = replace(known, rating=np.where(taste, 5.0, 1.0).astype(np.float32))
    history, _ = trained(CONFIG.replace(epochs=6, newcomers=0.0, learning_rate=1e-2), known=known)
    assert history[-1]["mse"] < 0.35 * np.var(known.rating)


def test_a_model_that_is_trained_further_keeps_its_calibration():
    start = trained(validation=pairs())[1]
    start["offset"].fill_(0.25)
    start["shrinkage"].fill_(0.75)
    _, further = trained(CONFIG.replace(learning_rate=1e-6), start=start)
    calibration = [float(further[name]) for name in ("offset", "shrinkage")]
    assert calibration == [0.25, 0.75]
    for name, weights in further.items():
        if name.startswith("members."):
            assert torch.allclose(weights, start[name], atol=1e-3)
    assert not same(start, further)
    again = trained(CONFIG.replace(learning_rate=1e-6), validation=pairs(), start=start)[1]
    assert same(again, further)


def test_the_calibration_counts_in_what_is_learned():
    start = trained()[1]
    errors = []
    for offset in (0.0, 1.0):
        start["offset"].fill_(offset)
        errors.append(trained(CONFIG.replace(learning_rate=1e-9), start=start)[0][-1]["mse"])
    assert errors[1] == pytest.approx(errors[0] + np.var(KNOWN.rating), rel=0.2), "one deviation beside it"


def test_weights_that_are_not_finite_end_the_training(monkeypatch):
    def spoil(weights, _):
        for weight in weights:
            weight.grad.fill_(float("nan"))

    monkeypatch.setattr(torch.nn.utils, "clip_grad_norm_", spoil)
    with pytest.raises(TrainingError, match="lower --learning-rate"):
        trained()


def test_a_rating_that_is_no_number_is_refused():
    with pytest.raises(DataError, match="not a finite number"):
        trained(known=replace(KNOWN, rating=np.full(len(KNOWN), np.nan, np.float32)))


def test_a_member_never_learns_the_ratings_that_it_is_calibrated_by(monkeypatch):
    """They are answered otherwise: the weights of the member stay, those of the other one change."""
    held = CrossFit(KNOWN, newcomers=0.0, pairs=10**6, seed=1).probe(1).asked
    changed = KNOWN.rating.copy()
    changed[held] = 6 - changed[held]
    config = CONFIG.replace(epochs=1, newcomers=0.0)
    one = trained(config, known=replace(KNOWN, target=KNOWN.rating))[1]
    other = trained(config, known=replace(KNOWN, target=changed))[1]
    name = "head_in.weight"
    assert torch.allclose(one[f"members.0.{name}"], other[f"members.0.{name}"], atol=1e-7)
    assert not torch.allclose(one[f"members.1.{name}"], other[f"members.1.{name}"], atol=1e-4)
