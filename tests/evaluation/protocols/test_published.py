"""The cold-start states of IDCF and HIRE: who is asked, and what is known of them by then."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import ConfigError, DataError
from igmc.evaluation.protocols.registry import make_protocol
from igmc.ratings.scale import KnownScale
from tests.evaluation.datasets import datasets, make_dataset
from tests.evaluation.protocols.held_out import assert_training_knows_nothing_of, attempt, counts

SEEDS = st.integers(0, 2**32 - 1)


@given(data=datasets(), seed=SEEDS, queries=st.sampled_from(["support", "train"]))
def test_idcf_asks_the_test_ratings_of_users_with_few_training_ratings(data, seed, queries):
    settings = {"min_known": 8, "test_ratio": 0.3, "queries": queries}
    split = attempt(make_protocol("idcf", settings), data, seed)
    if split is None:
        return
    base = make_protocol("random_80_20:test_ratio=0.3").draw(data, seed)
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
    assert set(make_protocol("idcf:min_known=8").draw(data, 1).test) <= set(range(60))
    assert not set(make_protocol("idcf:split=random,min_known=8").draw(data, 1).test) <= set(range(60))


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
    made = [make_protocol(f"hire:cold={cold}").draw(data, 1) for cold in ("user", "item", "both")]
    rows = [
        made[0].train,
        made[0].validation,
        *(part for split in made for part in (split.test, split.support)),
    ]
    assert np.sort(np.concatenate(rows)).tolist() == list(range(len(data.table)))


@pytest.mark.parametrize("name", ["idcf", "hire"])
@given(data=datasets(), seed=SEEDS)
def test_no_rating_is_in_two_parts(name, data, seed):
    split = attempt(make_protocol(name), data, seed)
    if split is not None:
        rows = np.concatenate([split.train, split.validation, split.test, split.support])
        assert len(np.unique(rows)) == len(rows)


def test_what_cannot_be_drawn_says_why():
    with pytest.raises(ConfigError, match="cold is not known; got 'film'; allowed: user, item, both"):
        make_protocol("hire", {"cold": "film"})
    with pytest.raises(DataError, match="choose the unseen items at random or by activity"):
        make_protocol("hire").draw(make_dataset(years=False), 1)
    rows = np.arange(len(make_dataset().table))
    data = make_dataset(splits={"a": (rows[60:], rows[:60])})
    with pytest.raises(ConfigError, match="random has no such split; got 'u9'; allowed: default, a"):
        make_protocol("idcf:split=u9").draw(data, 1)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("idcf", "fewer than 30 training ratings, which are known at test time only"),
        ("idcf:queries=train", "which are trained on"),
        ("hire", "the ratings of cold users for known items, except 10 %"),
        ("hire:cold=item", "the ratings of known users for cold items"),
        ("hire:cold=both", "the ratings of cold users for cold items"),
    ],
)
def test_the_description_follows_the_settings(name, words):
    assert words in make_protocol(name).description
