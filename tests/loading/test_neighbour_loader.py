import gc
import weakref

import numpy as np
import pytest

from igmc.loading.cross_fitting import CrossFit
from igmc.loading.neighbour_loader import NeighbourLoader, Probe
from igmc.ratings import Pairs
from igmc.statistics.inputs import InputNorms
from igmc.statistics.neighbours import read_neighbours
from tests.statistics.graphs import known_ratings

KNOWN = known_ratings()


def folds(known=KNOWN, **changes):
    return CrossFit(known, **({"newcomers": 0.1, "pairs": 10**6, "seed": 1} | changes))


def loader(known=KNOWN, *, seed=1, newcomers=0.1, **changes):
    options = {"cap": 10, "batch_size": 32} | changes
    norms = Probe.norms(folds(), cap=10)
    return NeighbourLoader(folds(known, seed=seed, newcomers=newcomers), norms, seed=seed, **options)


def told(batches):
    return [
        (b.neighbours.base[b.index].tolist(), b.pair.tolist(), b.target.tolist(), b.noise) for b in batches
    ]


def test_batches_are_the_same_in_any_memory_and_with_any_number_of_threads():
    expected = told(loader().epoch(1))
    assert told(loader(memory=1).epoch(1)) == expected
    assert told(loader(threads=1).epoch(1)) == expected
    assert told(loader().epoch(2)) != expected
    assert told(loader(seed=2).epoch(1)) != expected


def test_progress_rises_from_0_to_1_and_keys_differ():
    batches = list(loader().epoch(3))
    progress = [batch.progress for batch in batches]
    assert progress == sorted(progress)
    assert progress[0] == 0.0
    assert 0.9 < progress[-1] < 1.0
    assert len({batch.noise for batch in batches}) == len(batches)
    assert max(map(len, batches)) == 32


def test_the_target_is_what_the_biases_leave():
    batches = list(loader(newcomers=0.0).epoch(1))
    assert sum(map(len, batches)) == len(KNOWN)
    squares = np.concatenate([batch.target.numpy() for batch in batches]) ** 2
    assert 0.8 < squares.mean() < 1.6


def test_some_ratings_alone_can_be_asked_and_with_answers_of_their_own():
    rows = np.random.default_rng(0).permutation(len(KNOWN))[:50]
    answers = np.full(50, 9.0, np.float32)
    asking = KNOWN.asking(Pairs(KNOWN.user[rows], KNOWN.item[rows], answers))
    assert np.flatnonzero(asking.target == 9).tolist() == sorted(rows.tolist())
    every, few = (list(loader(known=known, newcomers=0.0).epoch(1)) for known in (KNOWN, asking))
    assert sum(map(len, few)) == 50
    shown = {tuple(pair) for batch in every for pair in batch.pair.tolist()}
    assert {tuple(pair) for batch in few for pair in batch.pair.tolist()} < shown, "on the same graphs"
    assert min(float(batch.target.min()) for batch in few) > 2.0, "9 is far above what is usual"
    assert sum(map(len, loader(known=asking, newcomers=0.3).epoch(1))) >= 50
    assert {float(batch.target.min()) > 2.0 for batch in loader(known=asking, newcomers=0.3).epoch(1)} == {
        True
    }


def test_normalized_inputs_have_mean_0_and_deviation_1():
    norms = Probe.norms(folds(), cap=10)
    found = Probe.of(folds(), norms, cap=10).inputs
    assert np.abs(found.pair.mean(axis=0)).max() < 0.05
    assert found.users.rows.std(axis=0) == pytest.approx(np.ones(12), abs=0.15)
    raw = Probe.of(folds(), InputNorms.identity(), cap=10).inputs
    assert np.abs(raw.pair.mean(axis=0)).max() > 0.5


def test_what_a_member_leaves_out_counts_for_the_others_alone():
    out = [np.arange(0, 40), np.arange(30, 50)]
    batches = list(loader(newcomers=0.0, left_out=out).epoch(1))
    assert told(batches) == told(loader(newcomers=0.0).epoch(1)), "it stays in the graphs and in the batches"
    counts = np.concatenate([batch.counts.numpy() for batch in batches], axis=1)
    assert (counts.sum(axis=1) == [len(KNOWN) - 40, len(KNOWN) - 20]).all()
    assert (counts.sum(axis=0) == 0).sum() == 10


def test_draws_of_a_probe_are_tenths_of_the_ratings_each_another_one():
    norms = Probe.norms(folds(), cap=10)
    one, other, again = (Probe.of(folds(), norms, cap=10, draw=draw) for draw in (1, 2, 1))
    assert len(one.rows) == pytest.approx(len(KNOWN) / 10, abs=1)
    assert one.rows.tolist() == again.rows.tolist() != other.rows.tolist()
    assert one.rows.tolist() == sorted(set(one.rows.tolist()))


def test_no_two_pieces_of_inputs_are_held_at_a_time(monkeypatch):
    held = []

    def read(*args, **options):
        gc.collect()
        assert not any(other() is not None for other in held), "a piece is there while the next one is made"
        found = read_neighbours(*args, **options)
        held.append(weakref.ref(found))
        return found

    monkeypatch.setattr("igmc.loading.neighbour_loader.read_neighbours", read)
    few = loader(memory=1)
    held.clear()
    for batch in few.epoch(1):
        del batch
        if len(held) > 10:
            break
    assert len(held) > 10
