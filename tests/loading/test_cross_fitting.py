"""Folds with what is known of each: no pair is asked on anything that its rating had a part in."""

from dataclasses import replace
from itertools import islice

import numpy as np
import pytest

from igmc.loading.cross_fitting import CrossFit
from tests.statistics.graphs import known_ratings

pytestmark = pytest.mark.usefixtures("brief_training")

KNOWN = known_ratings()


def folds(known=KNOWN, estimates=("svdpp", "mf"), **changes):
    return CrossFit(known, estimates, **({"newcomers": 0.1, "pairs": 10**6, "seed": 1} | changes))


def changed(rows):
    rating = KNOWN.rating.copy()
    rating[rows] = 6 - rating[rows]
    return replace(KNOWN, rating=rating)


@pytest.fixture(scope="module")
def fitted():
    return folds()


def test_each_epoch_asks_every_rating_in_folds_of_its_own(fitted):
    first, second = (list(fitted.epoch(epoch)) for epoch in (1, 2))
    assert set(np.concatenate([fold.asked for fold in first])) == set(range(len(KNOWN)))
    assert first[0].asked.tolist() != second[0].asked.tolist()
    assert [fold.estimated.shape for fold in first] == [(len(fold.asked), 2, 2) for fold in first]


def test_no_rating_has_a_part_in_what_it_is_estimated_by(fitted):
    """The ratings that one fit leaves out change: what that fit says stays, to the bit; all others move."""
    left_out = np.flatnonzero(fitted._part == 3)
    again = folds(changed(left_out))
    np.testing.assert_array_equal(fitted._estimated[left_out], again._estimated[left_out])
    others = np.flatnonzero(fitted._part != 3)
    assert (fitted._estimated[others] != again._estimated[others]).any(axis=(1, 2)).mean() > 0.95


def test_what_a_newcomer_hides_has_no_part_in_what_is_known_of_it():
    """It changes: the statistics of the fold and the estimates of its newcomers stay, to the bit."""
    one = folds(newcomers=0.05)
    for number, fold in enumerate(one._folds(1, 10**6, 0.05, 0)):
        plays = fold.newcomers.users[KNOWN.user[fold.asked]] | fold.newcomers.items[KNOWN.item[fold.asked]]
        if not plays.any():
            continue
        other = folds(changed(fold.asked[plays]), newcomers=0.05)
        asked = [next(islice(each.epoch(1), number, None)) for each in (one, other)]
        np.testing.assert_array_equal(asked[0].asked, fold.asked)
        np.testing.assert_array_equal(asked[0].estimated[plays], asked[1].estimated[plays])
        np.testing.assert_array_equal(asked[0].statistics.users.residual, asked[1].statistics.users.residual)
        usual = one._estimated[fold.asked][plays]
        assert (asked[0].estimated[plays] != usual).any(axis=(1, 2)).mean() > 0.9
        break
    else:
        pytest.fail("nobody played")


def test_only_those_that_a_fit_leaves_out_play_newcomers_by_it(fitted):
    for number, fold in enumerate(fitted._folds(1, 10**6, 0.1, 0)):
        for plays, may in zip(fold.newcomers, fitted._players[number], strict=True):
            assert not (plays & ~may).any()
    assert sum(players.users.sum() for players in fitted._players) <= 60


def test_a_probe_is_asked_on_what_is_known_without_it(fitted):
    for draw in (0, 1, 11):
        probe = fitted.probe(draw)
        assert probe.asked.tolist() == sorted(set(probe.asked.tolist()))
        users = np.repeat(np.arange(60), np.diff(probe.statistics.users.ptr))
        there = set(zip(users.tolist(), probe.statistics.users.near.tolist(), strict=True))
        asked = zip(KNOWN.user[probe.asked].tolist(), KNOWN.item[probe.asked].tolist(), strict=True)
        assert not there & set(asked)


def test_estimates_are_the_same_with_any_number_of_threads_and_others_with_another_seed():
    one, two, other = (folds(threads=threads, seed=seed) for threads, seed in ((1, 1), (2, 1), (1, 2)))
    np.testing.assert_array_equal(one._estimated, two._estimated)
    assert not np.array_equal(one._estimated, other._estimated)
    alone = folds(fits=1).probe(0)
    np.testing.assert_array_equal(alone.estimated, one.probe(0).estimated)


def test_without_estimates_there_are_none():
    fresh = folds(estimates=())
    assert next(iter(fresh.epoch(1))).estimated.shape[1] == 0
    assert fresh.whole().estimates == ()
    assert fresh.whole().statistics.n_ratings == len(KNOWN)


def test_what_is_asked_or_hidden_has_no_part_in_date_inputs():
    """Ratings that are asked change, and with them all that newcomers hide: the inputs stay, to the bit."""
    time = np.random.default_rng(3).integers(0, 10**6, len(KNOWN))
    for number in range(3):
        found = []
        for rating in (KNOWN.rating, None):
            known = replace(KNOWN, time=time)
            one = folds(known, (), dates="both", newcomers=0.1)
            fold = next(islice(one.epoch(1), number, None))
            if rating is None:
                known = replace(changed(fold.asked), time=time)
                fold = next(islice(folds(known, (), dates="both", newcomers=0.1).epoch(1), number, None))
            found.append(fold)
        np.testing.assert_array_equal(found[0].asked, found[1].asked)
        np.testing.assert_array_equal(found[0].dated, found[1].dated)
        forgotten = ~found[0].dated.any(axis=1)
        assert 0 < forgotten.mean() < 0.15


def test_a_network_that_reads_no_dates_has_no_date_inputs(fitted):
    assert next(fitted.epoch(1)).dated.shape[1] == 0


@pytest.mark.parametrize("estimates", [(), ("mf",)], ids=["none", "mf"])
def test_what_newcomers_hide_has_no_part_in_what_they_are_measured_by(estimates):
    """All that is asked of them changes: statistics and estimates stay, to the bit."""
    one = folds(estimates=estimates)
    rows = np.arange(0, len(KNOWN), 3)
    asked = list(one.newcomers(rows))
    assert len(asked) == 10
    assert all(np.isin(fold.asked, rows).all() for fold in asked)
    changed_rows = asked[0].asked
    other = next(folds(changed(changed_rows), estimates=estimates).newcomers(rows))
    np.testing.assert_array_equal(other.asked, changed_rows)
    np.testing.assert_array_equal(other.estimated, asked[0].estimated)
    np.testing.assert_array_equal(other.statistics.users.residual, asked[0].statistics.users.residual)


def test_newcomers_reveal_none_to_ten_ratings_and_each_plays_once(fitted):
    seen = []
    for fold in fitted.newcomers(np.arange(len(KNOWN))):
        degree = np.diff(fold.statistics.users.ptr)
        hidden = np.bincount(KNOWN.user[fold.asked], minlength=60)
        whole = np.bincount(KNOWN.user, minlength=60)
        assert (degree + hidden == whole).all(), "all that is hidden may be asked"
        players = np.flatnonzero(degree < 0.5 * whole)
        assert (degree[players] <= 10).all()
        seen += players.tolist()
    assert len(seen) > 15
    assert len(set(seen)) == len(seen)
