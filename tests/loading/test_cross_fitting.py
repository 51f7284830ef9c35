"""Folds with what is known of each: no pair is asked on anything that its rating had a part in."""

from dataclasses import replace

import numpy as np
import pytest

from igmc.loading.cross_fitting import CrossFit
from igmc.loading.knowledge import pair_width
from igmc.statistics import InputNorms
from tests.statistics.graphs import known_ratings

KNOWN = known_ratings()


def folds(known=KNOWN, estimates=("svdpp", "mf"), **changes):
    return CrossFit(known, estimates, **({"newcomers": 0.1, "pairs": 10**6, "seed": 1} | changes))


def read(knowledge, rows):
    norms = InputNorms.identity(pair_width(knowledge.estimates))
    found = knowledge.read(KNOWN.user[rows], KNOWN.item[rows], cap=10, norms=norms, threads=1)
    return found.base, found.pair, found.users.rows, found.items.rows


@pytest.fixture(scope="module")
def fitted():
    return folds()


def test_folds_are_the_same_in_all_epochs_in_another_order_and_each_is_asked_once(fitted):
    first, second = (list(fitted.epoch(epoch)) for epoch in (1, 2))
    asked = [[frozenset(fold.asked.tolist()) for fold, _ in one] for one in (first, second)]
    assert set(asked[0]) == set(asked[1])
    assert asked[0] != asked[1]
    assert len(set(asked[0])) == len(first) == 10
    assert set.union(*map(set, asked[0])) == set(range(len(KNOWN)))
    for fold, _ in first:
        assert not fold.shown[fold.asked].any()


def test_an_epoch_of_fewer_pairs_takes_the_next_folds(fitted):
    some = folds(pairs=len(KNOWN) // 4)
    assert some.folds_per_epoch == 3
    seen = [frozenset(fold.asked.tolist()) for epoch in (1, 2, 3) for fold, _ in some.epoch(epoch)]
    assert len(set(seen)) == 9


def test_what_is_asked_in_a_fold_has_no_part_in_what_is_known_there(fitted):
    fold, knowledge = next(iter(fitted.epoch(1)))
    changed = KNOWN.rating.copy()
    changed[fold.asked] = 6 - changed[fold.asked]
    again = next(one for one in folds(replace(KNOWN, rating=changed)).epoch(1))
    assert again[0].asked.tolist() == fold.asked.tolist()
    for one, other in zip(read(knowledge, fold.asked), read(again[1], fold.asked), strict=True):
        np.testing.assert_array_equal(one, other)
    shown = np.flatnonzero(fold.shown)[:5]
    changed = KNOWN.rating.copy()
    changed[shown] = 6 - changed[shown]
    third = next(one for one in folds(replace(KNOWN, rating=changed)).epoch(1))
    assert not np.array_equal(read(knowledge, fold.asked)[0], read(third[1], fold.asked)[0])


def test_a_probe_is_asked_on_what_is_known_without_it(fitted):
    for draw in (0, 1, 11):
        rows, knowledge = fitted.probe(draw)
        assert rows.tolist() == sorted(set(rows.tolist()))
        assert knowledge.statistics.n_ratings <= len(KNOWN) - len(rows)
        users = np.repeat(np.arange(60), np.diff(knowledge.statistics.users.ptr))
        there = set(zip(users.tolist(), knowledge.statistics.users.near.tolist(), strict=True))
        asked = zip(KNOWN.user[rows].tolist(), KNOWN.item[rows].tolist(), strict=True)
        assert not there & set(asked)


def test_estimates_are_the_same_with_any_number_of_threads_and_others_with_another_seed():
    one, two, other = (folds(threads=threads, seed=seed) for threads, seed in ((1, 1), (2, 1), (1, 2)))
    found = [read(one.probe(0)[1], np.arange(50))[0] for one in (one, two, other)]
    np.testing.assert_array_equal(found[0], found[1])
    assert not np.array_equal(found[0], found[2])


def test_without_estimates_epochs_have_folds_of_their_own():
    fresh = folds(estimates=())
    one, other = (frozenset(next(iter(fresh.epoch(epoch)))[0].asked.tolist()) for epoch in (1, 2))
    assert one != other
    assert fresh.probe(0)[1].estimates == ()
    assert fresh.whole().statistics.n_ratings == len(KNOWN)
