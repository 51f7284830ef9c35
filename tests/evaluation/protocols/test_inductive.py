"""Users and items that are not in training: nothing of them is, and they show what they are said to."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import ConfigError, DataError
from igmc.evaluation.protocols.registry import make_protocol
from tests.evaluation.datasets import datasets, make_dataset
from tests.evaluation.protocols.held_out import (
    assert_training_knows_nothing_of,
    attempt,
    counts,
    entities,
)

SEEDS = st.integers(0, 2**32 - 1)
SIDES = pytest.mark.parametrize("side", ["user", "item"])
BY = pytest.mark.parametrize("by", ["random", "activity", "time"])


@SIDES
@BY
@given(data=datasets(), seed=SEEDS, k=st.sampled_from([0, 1, 2]), reveal=st.sampled_from(["random", "first"]))
def test_nothing_of_the_unseen_is_in_training_and_they_reveal_k(side, by, data, seed, k, reveal):
    settings = {"by": by, "k": k, "max_k": 2, "min_known": 8, "share": 0.4, "reveal": reveal}
    split = attempt(make_protocol(f"unseen_{side}s", settings), data, seed)
    if split is None:
        return
    total = np.bincount(getattr(data.table, side), minlength=len(getattr(data.table, f"{side}s")))
    known = np.union1d(entities(split, "train", side), entities(split, "validation", side))
    held = np.setdiff1d(np.flatnonzero(total), known)
    assert_training_knows_nothing_of(split, side, held)
    for part in ("test", "support"):
        assert np.isin(entities(split, part, side), held).all()
    assert counts(split, "support", side)[held].tolist() == np.minimum(total[held], k).tolist()
    assert counts(split, "test", side)[held].tolist() == np.maximum(total[held] - 2, 0).tolist()
    assert len(split.train) + len(split.validation) == total[known].sum(), "known ratings are all used"
    assert len(split.validation) == round(0.1 * total[known].sum())
    if by == "activity":
        assert held.tolist() == np.flatnonzero((total < 8) & (total > 0)).tolist()
    elif by == "random" or side == "user":
        assert len(held) == round(0.4 * np.count_nonzero(total))
    else:
        year = data.item_info["year"].to_numpy(dtype=float, na_value=np.nan)
        assert held.tolist() == np.flatnonzero((year >= 1997) & (total > 0)).tolist()


@SIDES
@given(data=datasets(), seed=SEEDS)
def test_every_k_is_asked_the_same_pairs_and_reveals_what_a_smaller_one_does(side, data, seed):
    made = [attempt(make_protocol(f"unseen_{side}s", {"k": k, "max_k": 3}), data, seed) for k in (0, 1, 2, 3)]
    if made[0] is None:
        return
    assert made[0].support.size == 0
    for fewer, more in itertools.pairwise(made):
        assert fewer.test.tolist() == more.test.tolist()
        assert fewer.train.tolist() == more.train.tolist()
        assert fewer.validation.tolist() == more.validation.tolist()
        assert set(fewer.support) < set(more.support)


@SIDES
def test_a_percentage_is_nested_too(side):
    data = make_dataset(users=40, items=40, share=0.7)
    made = [make_protocol(f"unseen_{side}s", {"percent": p}).draw(data, 1) for p in (0, 10, 20)]
    total = np.bincount(getattr(data.table, side))
    for percent, split in zip((0, 10, 20), made, strict=True):
        assert split.test.tolist() == made[0].test.tolist()
        held = np.unique(entities(split, "test", side))
        shown = counts(split, "support", side)[held]
        assert shown.tolist() == np.rint(percent / 100 * total[held]).tolist()
        asked = counts(split, "test", side)[held]
        assert asked.tolist() == (total[held] - np.rint(0.2 * total[held])).tolist()
    assert set(made[1].support) < set(made[2].support)


def test_the_first_ratings_by_time_are_revealed_and_the_latest_users_are_unseen():
    data = make_dataset(users=40, items=30, share=0.7)
    split = make_protocol("unseen_users:by=time,reveal=first,k=3,max_k=4").draw(data, 1)
    time, user = data.table.timestamp, data.table.user
    held = np.setdiff1d(user, np.union1d(user[split.train], user[split.validation]))
    for u in held:
        times = np.sort(time[user == u]).tolist()
        assert np.sort(time[split.support[user[split.support] == u]]).tolist() == times[:3]
        assert np.sort(time[split.test[user[split.test] == u]]).tolist() == times[4:]
    first = np.array([time[user == u].min() for u in range(40)])
    assert len(held) == 8
    assert first[held].min() > np.delete(first, held).max()


@BY
@given(data=datasets(), seed=SEEDS, k=st.integers(0, 3))
def test_unseen_both_asks_only_pairs_of_which_training_knows_neither_side(by, data, seed, k):
    settings = {"by": by, "share": 0.3, "item_share": 0.4, "min_known": 8}
    split = attempt(make_protocol("unseen_both", {**settings, "k": k}), data, seed)
    if split is None:
        return
    held = {}
    for side, share in (("user", 0.3), ("item", 0.4)):
        alone = {"by": by, "share": share, "min_known": 8, "k": 0, "max_k": 0}
        one_side = make_protocol(f"unseen_{side}s", alone).draw(data, seed)
        assert_training_knows_nothing_of(split, side, entities(one_side, "test", side))
        held[side] = np.isin(getattr(data.table, side), entities(one_side, "test", side))
    both, neither = held["user"] & held["item"], ~held["user"] & ~held["item"]
    assert split.test.tolist() == np.flatnonzero(both).tolist()
    assert np.union1d(split.train, split.validation).tolist() == np.flatnonzero(neither).tolist()
    for side, other in (("user", "item"), ("item", "user")):
        mine = held[side] & ~held[other]
        n = len(getattr(data.table, f"{side}s"))
        have = np.bincount(getattr(data.table, side)[mine], minlength=n)
        shown = getattr(data.table, side)[split.support[mine[split.support]]]
        assert np.bincount(shown, minlength=n).tolist() == np.minimum(have, k).tolist()
    assert not both[split.support].any()
    assert not neither[split.support].any()
    fewest = make_protocol("unseen_both", {**settings, "k": 0}).draw(data, seed)
    assert fewest.test.tolist() == split.test.tolist()
    assert fewest.support.size == 0


@pytest.mark.parametrize("name", ["unseen_users", "unseen_items", "unseen_both"])
@given(data=datasets(), seed=SEEDS)
def test_no_rating_is_in_two_parts(name, data, seed):
    split = attempt(make_protocol(name), data, seed)
    if split is not None:
        rows = np.concatenate([split.train, split.validation, split.test, split.support])
        assert len(np.unique(rows)) == len(rows)


@pytest.mark.parametrize(
    ("name", "settings", "match"),
    [
        (
            "unseen_users",
            {"k": 11},
            "k is more than max_k; got 11; allowed: at most 10; hint: raise max_k",
        ),
        (
            "unseen_items",
            {"percent": 30},
            "percent is more than max_percent; got 30.0; allowed: at most 20.0",
        ),
        ("unseen_users", {"by": "chance"}, "by is not known; got 'chance'; allowed: random, activity, time"),
        ("unseen_users", {"before_year": 1990}, "unknown setting in UnseenUsers; got 'before_year'"),
    ],
)
def test_settings_that_make_no_sense(name, settings, match):
    with pytest.raises(ConfigError, match=match):
        make_protocol(name, settings)


@pytest.mark.parametrize(
    ("name", "more", "match"),
    [
        ("unseen_items:by=time", {"years": False}, "the years of the items of random are unknown"),
        (
            "unseen_users:by=time",
            {"times": None},
            "to choose unseen users by time needs the time of every rating",
        ),
        (
            "unseen_users:reveal=first",
            {"times": "unknown"},
            "to reveal the first ratings needs the time of every",
        ),
        ("unseen_users:by=activity,min_known=1", {}, "leaves no test ratings of random"),
        ("unseen_items:by=activity,min_known=999", {}, "no ratings to fit a scale to"),
    ],
)
def test_data_that_lack_what_is_needed(name, more, match):
    with pytest.raises(DataError, match=match):
        make_protocol(name).draw(make_dataset(**more), 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("unseen_users:k=2,by=time", "unseen users (by time), except 2 ratings that each reveals"),
        ("unseen_items:percent=10", "unseen items (by random), except 10 % of those that each reveals"),
        ("unseen_both:k=3", "each of both reveals 3 ratings that it shares with the known"),
    ],
)
def test_the_description_follows_the_settings(name, words):
    assert words in make_protocol(name).description
