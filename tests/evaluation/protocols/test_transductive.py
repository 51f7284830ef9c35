"""What each transductive protocol holds out, on random data."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.split import make_split
from tests.evaluation.datasets import datasets, make_dataset

SEEDS = st.integers(0, 2**32 - 1)


def rows_of(split, *parts):
    return np.concatenate([getattr(split, part) for part in parts or ("train", "validation", "test")])


def per_user(split, rows):
    return np.bincount(split.table.user[rows], minlength=len(split.table.users))


@given(datasets(), SEEDS)
def test_random_edges_and_the_official_split_are_those_of_make_split(data, seed):
    ours = make_protocol("random_80_20").draw(data, seed)
    theirs = make_split(data, DataConfig(split="random", test_ratio=0.2), seed)
    assert [p.tolist() for p in (ours.train, ours.validation, ours.test)] == [
        p.tolist() for p in (theirs.train, theirs.validation, theirs.test)
    ]
    n = len(data.table)
    assert len(ours.test) == round(0.2 * n)
    assert len(rows_of(ours)) == n


def test_the_official_split_is_that_of_make_split():
    rows = np.arange(len(make_dataset().table))
    data = make_dataset(splits={"b": (rows[20:], rows[:20]), "a": (rows[:-10], rows[-10:])})
    for name, key in (("official", "default"), ("official:split=a", "a")):
        ours, theirs = make_protocol(name).draw(data, 3), make_split(data, DataConfig(split=key), 3)
        assert ours.test.tolist() == theirs.test.tolist()
        assert ours.validation.tolist() == theirs.validation.tolist()
    with pytest.raises(ConfigError, match="random has no such split; got 'u9'; allowed: default, b, a"):
        make_protocol("official", {"split": "u9"}).draw(data, 1)
    with pytest.raises(ConfigError, match=r"random has no official split.*such as random_80_20"):
        make_protocol("official").draw(make_dataset(), 1)


@pytest.mark.parametrize("per_user", ["false", "true"])
def test_a_share_of_nothing_holds_out_nothing(per_user):
    none = make_protocol(f"random_8_1_1:validation_share=0,per_user={per_user}").draw(make_dataset(), 1)
    assert (len(none.validation), len(none.test) > 0) == (0, True)
    with pytest.raises(DataError, match="leaves no test ratings"):
        make_protocol(f"random_8_1_1:test_share=0,per_user={per_user}").draw(make_dataset(), 1)


@pytest.mark.parametrize("name", ["official", "thinned"])
def test_thresholds_hold_in_an_official_split_too(name):
    rows = np.arange(len(make_dataset().table))
    data = make_dataset(splits={"a": (rows[40:], rows[:40])})
    split = make_protocol(name, {"min_rating": 3, "min_user_ratings": 4}).draw(data, 1)
    counted = data.table.rating >= 3
    counts = np.bincount(data.table.user[counted], minlength=len(data.table.users))
    allowed = counted & (counts[data.table.user] >= 4)
    assert 0 < allowed.sum() < counted.sum()
    assert split.test.tolist() == np.flatnonzero(allowed[:40]).tolist()
    assert np.sort(rows_of(split)).tolist() == np.flatnonzero(allowed).tolist()


@given(datasets(), SEEDS)
def test_stratified_takes_a_quarter_of_each_user(data, seed):
    split = make_protocol("stratified_75_25").draw(data, seed)
    total = per_user(split, np.arange(len(data.table)))
    kept = per_user(split, rows_of(split, "train", "validation"))
    assert kept.tolist() == [round(0.75 * int(n)) for n in total]
    assert (per_user(split, split.test) + kept).tolist() == total.tolist()


@given(datasets(), SEEDS)
def test_8_1_1_by_user_follows_the_rule_of_recbole(data, seed):
    split = make_protocol("random_8_1_1").draw(data, seed)
    total = per_user(split, np.arange(len(data.table)))
    parts = [per_user(split, part) for part in (split.train, split.validation, split.test)]
    for n, train, validation, test in zip(total, *parts, strict=True):
        if n >= 10:
            assert (validation, test) == (n // 10, n // 10)
        else:
            assert (test, validation) == (int(n >= 2), int(n >= 3))
        assert train + validation + test == n


@given(datasets(), SEEDS)
def test_8_1_1_of_all_ratings_at_once(data, seed):
    split = make_protocol("random_8_1_1:per_user=false").draw(data, seed)
    n = len(data.table)
    if n >= 10:
        assert (len(split.test), len(split.validation)) == (n // 10, n // 10)


@given(datasets(), SEEDS)
def test_leave_last_out_holds_out_the_last_two_of_each_user(data, seed):
    split = make_protocol("leave_last_out").draw(data, seed)
    time, user = data.table.timestamp, data.table.user
    for u in np.unique(user):
        train, validation, test = (
            part[user[part] == u] for part in (split.train, split.validation, split.test)
        )
        if np.count_nonzero(user == u) < 3:
            assert len(validation) == len(test) == 0
        else:
            assert len(validation) == len(test) == 1
            assert time[train].max() <= time[validation][0] <= time[test][0]


def test_ties_in_time_are_broken_by_the_seed_and_distinct_times_leave_nothing_to_it():
    tied, distinct = make_dataset(times="tied"), make_dataset(times="distinct")
    protocol = make_protocol("leave_last_out")
    assert protocol.draw(tied, 1).test.tolist() != protocol.draw(tied, 2).test.tolist()
    assert protocol.draw(distinct, 1).test.tolist() == protocol.draw(distinct, 2).test.tolist()


def test_times_before_1970_are_times():
    late, early = make_dataset(times="distinct"), make_dataset(times="early")
    assert early.table.timestamp.min() < -1
    assert 0 in early.table.timestamp
    protocol = make_protocol("leave_last_out")
    assert protocol.draw(early, 1).test.tolist() == protocol.draw(late, 1).test.tolist()


@pytest.mark.parametrize("times", ["unknown", None])
def test_leave_last_out_needs_all_times(times):
    with pytest.raises(
        DataError,
        match=r"leave_last_out needs the time of every rating; got '\d+ of \d+ ratings.*needs no times",
    ):
        make_protocol("leave_last_out").draw(make_dataset(times=times), 1)


def test_global_time_asks_the_latest_of_all_of_those_who_were_there_before():
    data = make_dataset(times="distinct", users=40, items=30, share=0.5)
    split = make_protocol("global_time", {"test_ratio": 0.3, "min_known": 9}).draw(data, 1)
    time, user, n = data.table.timestamp, data.table.user, len(data.table)
    assert time[split.train].max() < time[split.validation].min()
    assert time[split.validation].max() < time[split.test].min()
    known = np.concatenate([split.train, split.validation])
    assert len(known) == n - round(0.3 * n)
    assert len(split.validation) == round(0.1 * len(known))
    later = np.setdiff1d(np.arange(n), known)
    enough = np.bincount(user[known], minlength=40)[user[later]] >= 9
    assert sorted(split.test) == later[enough].tolist()
    assert 0 < len(split.test) < len(later)
    with pytest.raises(DataError, match="global_time needs the time of every rating"):
        make_protocol("global_time").draw(make_dataset(times=None), 1)


@pytest.mark.parametrize("split", ["random", "default", "a"])
def test_thinned_keeps_nested_shares_and_the_whole_test_part(split):
    rows = np.arange(len(make_dataset(users=60, items=40).table))
    splits = {"a": (rows[100:], rows[:100])} if split != "random" else {}
    data = make_dataset(users=60, items=40, splits=splits)
    made = [
        make_protocol("thinned", {"split": split, "keep_ratio": r}).draw(data, 1)
        for r in (1.0, 0.2, 0.05, 0.001)
    ]
    assert len({tuple(s.test) for s in made}) == 1
    for part in ("train", "validation"):
        for more, fewer in itertools.pairwise(made):
            assert set(getattr(fewer, part)) < set(getattr(more, part))
        whole = len(getattr(made[0], part))
        assert [len(getattr(s, part)) for s in made[1:]] == [
            int(np.ceil(r * whole)) for r in (0.2, 0.05, 0.001)
        ]
    assert len(made[0].train) + len(made[0].validation) + len(made[0].test) == len(rows)


@pytest.mark.parametrize(
    "name",
    [
        "random_80_20",
        "stratified_75_25",
        "random_8_1_1",
        "leave_last_out",
        "global_time:min_known=0",
        "thinned",
    ],
)
@given(data=datasets(), seed=SEEDS, least=st.sampled_from([None, 2, 4]), fewest=st.integers(0, 4))
def test_thresholds_hold_in_all_parts_and_parts_are_disjoint(name, data, seed, least, fewest):
    protocol = make_protocol(name, {"min_rating": least, "min_user_ratings": fewest})
    table = data.table
    counted = table.rating >= (least or 0)
    counts = np.bincount(table.user[counted], minlength=len(table.users))
    allowed = np.flatnonzero(counted & (counts[table.user] >= fewest))
    try:
        split = protocol.draw(data, seed)
    except DataError:
        assert len(allowed) < 60, "only small data leave a part empty"
        return
    used = rows_of(split)
    assert np.sort(used).tolist() == allowed.tolist()
    assert split.support.size == 0


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("official:split=u1", "the data set's own split (u1)"),
        ("random_80_20:test_ratio=0.3", "30% of all ratings, drawn at random"),
        ("stratified_75_25", "25% of the ratings of each user"),
        ("random_8_1_1:validation_share=0.2", "10% of the ratings, drawn at random; 20% are for validation"),
        ("leave_last_out", "the last rating of each user by time"),
        ("global_time", "the latest 10% of all ratings"),
        ("thinned:keep_ratio=0.001", "with 0.001 of its training ratings kept"),
    ],
)
def test_the_description_follows_the_settings(name, words):
    assert words in make_protocol(name).description
