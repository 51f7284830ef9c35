"""Residuals for intervals: of ratings that the member did not learn from, and kept with each checkpoint."""

import numpy as np
import pytest
import torch

from igmc.loading import CrossFit, Probe
from igmc.models import NeighboursEnsemble
from igmc.training import MemoryCheckpointer, as_tensors, interval_pairs, unpacked_intervals
from igmc.training.interval_pairs import IntervalPairs
from igmc.training.neighbours_loop import fit_neighbours
from tests.training.test_neighbours_loop import CONFIG, CPU, KNOWN, pairs


@pytest.fixture(scope="module")
def folds():
    return CrossFit(KNOWN, ("mf",), newcomers=0.1, pairs=10**6, seed=1)


def made(folds, draws=(1, 2)):
    norms = Probe.norms(folds, cap=10)
    probes = [Probe.of(folds, norms, cap=10, draw=draw) for draw in draws]
    return probes, IntervalPairs(folds, probes, norms, cap=10, seed=1, threads=1)


def saved(**how):
    keep = MemoryCheckpointer()
    fit_neighbours(KNOWN, how.pop("validation", None), CONFIG, keep, CPU, seed=1, progress=False, **how)
    return keep.latest()["intervals"]


def test_each_pair_is_measured_by_a_member_that_did_not_learn_from_it(folds):
    probes, measured = made(folds)
    for probe, member in measured._parts:
        for number in (0, 1):
            assert np.isin(probe.rows[member == number], probes[number].rows).all()
    assert len(measured._parts) == 12
    newcomers = [probe for probe, _ in measured._parts[2:]]
    assert sum(len(probe.rows) for probe in newcomers) > 20


def test_of_many_ratings_any_may_be_asked(folds, monkeypatch):
    few = sum(len(probe.rows) for probe, _ in made(folds)[1]._parts[2:])
    monkeypatch.setattr(interval_pairs, "MANY", 100)
    assert sum(len(probe.rows) for probe, _ in made(folds)[1]._parts[2:]) > 2 * few


def test_intervals_are_kept_with_a_checkpoint_and_come_back(folds):
    model = NeighboursEnsemble(2, pair_width=folds_width(folds), dropout=0.0, seed=1)
    fitted = made(folds)[1].fit(model)
    inputs = np.zeros((3, len(fitted.residuals.mean)), np.float32)
    spread = fitted.spread(inputs, [0, 5, 50], [9, 9, 9], 1.0)
    packed = as_tensors(fitted.state())
    assert all(isinstance(one, torch.Tensor) for one in packed["scores"])
    again = unpacked_intervals(packed)
    np.testing.assert_array_equal(again.half_width(spread, 0.8), fitted.half_width(spread, 0.8))
    assert unpacked_intervals(None) is None


def folds_width(folds):
    from igmc.loading import pair_width

    return pair_width(folds.estimates)


def test_validation_ratings_have_no_part_in_them():
    one, other = (saved(validation=pairs(seed=seed)) for seed in (3, 4))
    assert same(one, other)
    assert not same(one, saved(start=None) | {"pooled": one["pooled"][1:]})


def same(one, other):
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list):
        return all(map(same, one, other))
    return torch.equal(one, other) if isinstance(one, torch.Tensor) else one == other


def test_a_training_that_leaves_nothing_out_measures_nothing():
    keep = MemoryCheckpointer()
    fit_neighbours(KNOWN, None, CONFIG, keep, CPU, seed=1, progress=False)
    start = keep.latest()["model"]
    assert saved(start=start, keeps_offset=True) is None
