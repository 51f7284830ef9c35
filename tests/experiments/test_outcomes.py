"""What became of answers, worked out by hand."""

import pytest

from igmc.errors import ConfigError, DataError
from igmc.experiments.answers import hashed_id
from igmc.experiments.outcomes import COLUMNS, SHADOW_COLUMNS, outcomes
from igmc.live import RatingLog
from tests.experiments.small import ANSWERS, ENTRIES, KEY, SHADOWS, answer, fill, rate

A = {
    "users": 1,
    "lists": 3,
    "listed": 4,
    "hits": 1,
    "converted": 1,
    "ratings": 4,
    "squared": 0.25,
    "scored": 1,
}
B = {"users": 1, "lists": 1, "listed": 2, "hits": 1, "converted": 1, "ratings": 4, "squared": 2, "scored": 2}
LEFT_OUT = {
    "visitors without an id": 1,
    "served without a store": 1,
    "users erased afterwards": 1,
    "users who saw more than one arm": 2,
}


@pytest.fixture
def store(tmp_path):
    return fill(tmp_path / "a.db", *ENTRIES)


def sums(array, names=COLUMNS):
    assert array.shape[1] == 1
    return dict(zip(names, array[:, 0].tolist(), strict=True))


def test_ratings_that_came_afterwards_count(store):
    found = outcomes(ANSWERS, store)
    assert list(found.arms) == ["A", "B"]
    assert sums(found.arms["A"]) == A
    assert sums(found.arms["B"]) == B
    assert found.answers == {"A": 4, "B": 3}
    assert found.left_out == LEFT_OUT
    assert found.shadow.shape == (5, 0)
    assert not found.unmatched


def test_the_shadow_is_compared_on_what_was_shown(store):
    found = outcomes(sorted([*ANSWERS, *SHADOWS]), store)
    assert found.left_out == LEFT_OUT
    assert sums(found.arms["A"]) == A
    rows = [dict(zip(SHADOW_COLUMNS, row, strict=True)) for row in found.shadow.T.tolist()]
    assert rows == [
        {"listed": 3, "common": 1, "squared": 1, "shadow_squared": 1, "scored": 1},
        {"listed": 0, "common": 0, "squared": 1, "shadow_squared": 0.25, "scored": 1},
    ]


def test_compaction_changes_nothing(store):
    before = outcomes(ANSWERS, store)
    with RatingLog(store) as log:
        assert log.compact() > 0
    after = outcomes(ANSWERS, store)
    assert {arm: one.tolist() for arm, one in before.arms.items()} == {
        arm: one.tolist() for arm, one in after.arms.items()
    }


def test_hashed_ids_are_matched_with_the_key_and_so_are_plain_ones_beside_them(store):
    hashed = [
        one if one.user in (None, 2) else one._replace(user=hashed_id(one.user, KEY), hashed=True)
        for one in ANSWERS
    ]
    found = outcomes(hashed, store, KEY)
    assert sums(found.arms["A"]) == A
    assert sums(found.arms["B"]) == B
    assert found.left_out == LEFT_OUT
    with pytest.raises(ConfigError, match="hashed ids; hint: set IGMC_LOG_KEY"):
        outcomes(hashed, store)
    assert outcomes([one for one in hashed if one.hashed], store, "j" * 16).unmatched


def test_another_store_is_noticed(store, tmp_path):
    with pytest.raises(
        DataError, match="newer than the store; got 'an answer after entry 11, and a store of 10"
    ):
        outcomes([answer(1, "A", 1, 11, [(1, 3.0)])], store)
    with pytest.raises(DataError, match="no such store"):
        outcomes(ANSWERS, str(tmp_path / "missing.db"))
    assert not (tmp_path / "missing.db").exists()
    other = fill(tmp_path / "b.db", *[rate("x", 1, 3)] * 10)
    assert outcomes(ANSWERS, other).unmatched
