"""Training pairs see neither their own ratings nor what a newcomer hides."""

from dataclasses import replace

import numpy as np
import pytest

from igmc.loading.folds import MOST_ASKED, MOST_REVEALED, make_folds
from igmc.ratings import Pairs
from igmc.statistics.inputs import InputNorms
from igmc.statistics.neighbours import read_neighbours
from tests.statistics.graphs import known_ratings

KNOWN = known_ratings()
RAW = InputNorms.identity()


def folds(known=KNOWN, *, newcomers=0.2, pairs=10**6, seed=1, epoch=1, number=5):
    return list(make_folds(known, folds=number, pairs=pairs, newcomers=newcomers, seed=seed, epoch=epoch))


def test_every_rating_is_asked_in_one_fold_and_shown_in_none_where_it_is_asked():
    found = folds(newcomers=0.0)
    asked = np.concatenate([fold.asked for fold in found])
    assert np.array_equal(np.sort(asked), np.arange(len(KNOWN)))
    for fold in folds():
        assert not fold.shown[fold.asked].any()


def test_what_is_asked_or_hidden_does_not_reach_the_inputs():
    """Other values for all ratings that a fold does not show: the inputs keep their bits."""
    for fold in folds():
        other = KNOWN.rating.copy()
        other[~fold.shown] = 6 - other[~fold.shown]
        changed = replace(KNOWN, rating=other)
        users, items = KNOWN.user[fold.asked], KNOWN.item[fold.asked]
        one, two = (
            read_neighbours(known.statistics(fold.shown), users, items, cap=10, norms=RAW)
            for known in (KNOWN, changed)
        )
        assert np.array_equal(one.base, two.base)
        assert np.array_equal(one.pair, two.pair)
        assert np.array_equal(one.users.rows, two.users.rows)
        assert np.array_equal(one.items.node, two.items.node)
        assert np.array_equal(one.items.rows, two.items.rows)


def test_newcomers_of_both_sides_reveal_one_to_ten_ratings_and_are_asked_about_others():
    few = {"user": set(), "item": set()}
    for fold in folds(newcomers=0.5):
        for side, size in (("user", 60), ("item", 40)):
            left = np.bincount(getattr(KNOWN, side)[fold.shown], minlength=size)
            whole = np.bincount(getattr(KNOWN, side), minlength=size)
            few[side] |= set(left[(left < whole * 0.5) & (left > 0)].tolist())
    assert {1, 2} <= few["user"]
    assert max(few["user"]) <= MOST_REVEALED
    assert {1, 2} <= few["item"]


def test_training_asks_about_the_named_pairs_alone_and_shows_all():
    rows = np.array([7, 3, 12])
    pairs = Pairs(KNOWN.user[rows], KNOWN.item[rows], np.array([1.0, 2.0, 3.0], np.float32))
    found = KNOWN.asking(pairs)
    assert found.target is not None
    assert np.flatnonzero(~np.isnan(found.target)).tolist() == [3, 7, 12]
    assert found.target[rows].tolist() == [1.0, 2.0, 3.0]
    assert np.array_equal(found.rating, KNOWN.rating)


def test_dates_are_those_of_the_rows_and_none_where_none_are_read():
    timed = replace(KNOWN, time=np.arange(len(KNOWN), dtype=np.int64))
    statistics = timed.statistics()
    assert timed.dates(statistics, None) is None
    found = timed.dates(statistics, "past", np.arange(10))
    assert found is not None
    assert found.newest == 9


def test_one_newcomer_is_asked_a_bounded_number_of_times():
    known = known_ratings(n_users=4, n_items=500, share=0.9)
    for fold in folds(known, newcomers=0.9, number=50):
        hidden = np.setdiff1d(fold.asked, np.flatnonzero(~fold.shown)[:0])
        counts = np.bincount(known.user[hidden], minlength=4)
        mine = len(known) // 50 + 1
        assert counts.max() <= MOST_ASKED + 500 * 0.9 * 0.9 * 4 + mine  # items play newcomers too
    only_users = [np.bincount(known.user[fold.asked]) for fold in folds(known, newcomers=0.0, number=50)]
    assert max(count.max() for count in only_users) < 30


@pytest.mark.parametrize("pairs", [1, 100, 300])
def test_an_epoch_of_a_large_graph_is_as_many_pairs_as_allowed(pairs):
    found = folds(newcomers=0.0, pairs=pairs)
    asked = sum(len(fold.asked) for fold in found)
    assert pairs <= asked <= pairs + 20  # all ratings of the last user drawn
    assert len(found) <= -(-pairs * 5 // len(KNOWN)) + 1


def test_folds_are_a_function_of_seed_and_epoch():
    one, same, epoch, seed = folds(), folds(), folds(epoch=2), folds(seed=2)
    assert all(np.array_equal(a.asked, b.asked) for a, b in zip(one, same, strict=True))
    for other in (epoch, seed):
        assert any(not np.array_equal(a.asked, b.asked) for a, b in zip(one, other, strict=True))


def test_the_pairs_of_a_user_come_together_where_there_are_many(monkeypatch):
    monkeypatch.setattr("igmc.loading.folds.STRETCH", 40)
    one = folds(number=2)[0].asked
    monkeypatch.setattr("igmc.loading.folds.SHUFFLED", 100)
    two = folds(number=2)[0].asked
    assert np.array_equal(np.sort(one), np.sort(two))
    for asked, most in ((one, len(one)), (two, 120)):
        user = KNOWN.user[asked]
        spread = max(np.ptp(np.flatnonzero(user == u)) for u in np.unique(user))
        assert most / 4 < spread < most
    assert np.any(np.diff(two) < 0), "within a stretch in random order"


def test_silent_newcomers_reveal_nothing_and_are_asked_about_all():
    known = known_ratings(n_users=300, n_items=8, share=0.9)
    fold = next(make_folds(known, folds=20, pairs=10**6, newcomers=0.4, seed=1, epoch=1, silent=1.0))
    silent = fold.newcomers.items
    assert 0 < silent.sum() < 8
    assert not silent[known.item[fold.shown]].any()
    count = np.bincount(known.item[fold.asked], minlength=8)
    np.testing.assert_array_equal(count[silent], np.bincount(known.item, minlength=8)[silent])
    assert count[silent].min() > MOST_ASKED
