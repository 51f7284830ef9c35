"""Users and items that are not in training: nothing of them is, and they show what they are said to."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import ConfigError, DataError
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.scale import KnownScale
from igmc.recommenders.training_data import TrainingData
from tests.evaluation.datasets import datasets, make_dataset

SEEDS = st.integers(0, 2**32 - 1)
SIDES = pytest.mark.parametrize("side", ["user", "item"])
BY = pytest.mark.parametrize("by", ["random", "activity", "time"])


def entities(split, part, side):
    return getattr(split.table, side)[getattr(split, part)]


def counts(split, part, side):
    return np.bincount(entities(split, part, side), minlength=len(getattr(split.table, f"{side}s")))


def attempt(protocol, data, seed):
    """The split, or None where the data are too small for it."""
    try:
        return protocol.split(data, seed)
    except DataError as error:
        if "leaves nothing" not in str(error) and "no ratings to fit" not in str(error):
            raise
        return None


def assert_training_knows_nothing_of(split, side, held):
    for part in ("train", "validation"):
        assert not np.isin(entities(split, part, side), held).any()
    data = TrainingData.from_split(split)
    for known in (data.train, data.validation, data.merged().train):
        assert not np.isin(getattr(known, side), held).any()
    assert len(data.merged().train) == len(split.train) + len(split.validation)


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
    made = [make_protocol(f"unseen_{side}s", {"percent": p}).split(data, 1) for p in (0, 10, 20)]
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
    split = make_protocol("unseen_users:by=time,reveal=first,k=3,max_k=4").split(data, 1)
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
        one_side = make_protocol(f"unseen_{side}s", alone).split(data, seed)
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
    fewest = make_protocol("unseen_both", {**settings, "k": 0}).split(data, seed)
    assert fewest.test.tolist() == split.test.tolist()
    assert fewest.support.size == 0


@pytest.mark.parametrize("name", ["unseen_users", "unseen_items", "unseen_both", "idcf", "hire"])
@given(data=datasets(), seed=SEEDS)
def test_no_rating_is_in_two_parts(name, data, seed):
    split = attempt(make_protocol(name), data, seed)
    if split is not None:
        rows = np.concatenate([split.train, split.validation, split.test, split.support])
        assert len(np.unique(rows)) == len(rows)


@given(data=datasets(), seed=SEEDS, queries=st.sampled_from(["support", "train"]))
def test_idcf_asks_the_test_ratings_of_users_with_few_training_ratings(data, seed, queries):
    settings = {"min_known": 8, "test_ratio": 0.3, "queries": queries}
    split = attempt(make_protocol("idcf", settings), data, seed)
    if split is None:
        return
    base = make_protocol("random_80_20:test_ratio=0.3").split(data, seed)
    training = np.union1d(base.train, base.validation)
    few = np.bincount(data.table.user[training], minlength=len(data.table.users)) < 8
    theirs = few[data.table.user]
    assert split.test.tolist() == base.test[theirs[base.test]].tolist()
    trained = np.union1d(split.train, split.validation)
    if queries == "train":
        assert trained.tolist() == training.tolist()
        assert split.support.size == 0
    else:
        assert trained.tolist() == training[~theirs[training]].tolist()
        assert split.support.tolist() == training[theirs[training]].tolist()
        assert_training_knows_nothing_of(split, "user", np.flatnonzero(few))
    assert len(split.validation) == round(0.05 * len(trained))


def test_idcf_takes_the_official_split_where_there_is_one():
    rows = np.arange(len(make_dataset().table))
    data = make_dataset(splits={"u1": (rows[60:], rows[:60])})
    assert set(make_protocol("idcf:min_known=8").split(data, 1).test) <= set(range(60))
    assert not set(make_protocol("idcf:split=random,min_known=8").split(data, 1).test) <= set(range(60))


@given(data=datasets(), seed=SEEDS, percent=st.sampled_from([0, 10, 50]))
def test_hire_tests_one_state_at_a_time(data, seed, percent):
    settings = {"percent": percent, "user_share": 0.3}
    made = {
        cold: attempt(make_protocol("hire", {**settings, "cold": cold}), data, seed)
        for cold in ("user", "item", "both")
    }
    year = data.item_info["year"].to_numpy(dtype=float, na_value=np.nan)
    n_cold = round(0.3 * len(np.unique(data.table.user)))
    seen = []
    for cold, split in made.items():
        if split is None:
            continue
        trained = np.union1d(split.train, split.validation)
        seen.append(trained.tolist())
        state = np.union1d(split.test, split.support)
        new_item = year[data.table.item] >= 1997
        assert not new_item[trained].any()
        warm = np.unique(data.table.user[trained])
        assert (new_item[state] == (cold != "user")).all()
        if cold != "item":
            assert not np.isin(data.table.user[state], warm).any()
            assert len(np.unique(data.table.user[state])) <= n_cold
        side = "item" if cold == "item" else "user"
        if cold == "item":
            assert_training_knows_nothing_of(split, "item", np.unique(data.table.item[state]))
        size = counts(split, "test", side) + counts(split, "support", side)
        assert counts(split, "support", side).tolist() == np.rint(percent / 100 * size).tolist()
    assert len({tuple(rows) for rows in seen}) <= 1, "all states are tested after the same training"


def test_the_four_states_of_hire_are_all_ratings():
    data = make_dataset(users=40, items=40, hint=KnownScale(1, 5))
    made = [make_protocol(f"hire:cold={cold}").split(data, 1) for cold in ("user", "item", "both")]
    rows = [
        made[0].train,
        made[0].validation,
        *(part for split in made for part in (split.test, split.support)),
    ]
    assert np.sort(np.concatenate(rows)).tolist() == list(range(len(data.table)))


@pytest.mark.parametrize(
    ("name", "settings", "match"),
    [
        (
            "unseen_users",
            {"k": 11},
            "k is more than max_k; got 11; allowed: at most 10; to mend it: raise max_k",
        ),
        (
            "unseen_items",
            {"percent": 30},
            "percent is more than max_percent; got 30.0; allowed: at most 20.0",
        ),
        ("unseen_users", {"by": "chance"}, "by is not known; got 'chance'; allowed: random, activity, time"),
        ("unseen_users", {"before_year": 1990}, "unknown setting in UnseenUsers; got 'before_year'"),
        ("hire", {"cold": "film"}, "cold is not known; got 'film'; allowed: user, item, both"),
    ],
)
def test_settings_that_make_no_sense(name, settings, match):
    with pytest.raises(ConfigError, match=match):
        make_protocol(name, settings)


@pytest.mark.parametrize(
    ("name", "more", "match"),
    [
        ("unseen_items:by=time", {"years": False}, "nothing says of what year the items of random are"),
        ("hire", {"years": False}, "choose the unseen items by random or activity"),
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
        ("unseen_users:by=activity,min_known=1", {}, "leaves nothing of random to ask"),
        ("unseen_items:by=activity,min_known=999", {}, "no ratings to fit a scale to"),
    ],
)
def test_data_that_lack_what_is_needed(name, more, match):
    with pytest.raises(DataError, match=match):
        make_protocol(name).split(make_dataset(**more), 1)
