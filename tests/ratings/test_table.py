import numpy as np
import pytest

from igmc.errors import DataError
from igmc.ratings.ids import IdTable
from igmc.ratings.table import Pairs, RatingTable

GOOD = {
    "users": IdTable(("a", "b")),
    "items": IdTable((10, 20, 30)),
    "user": [0, 1, 1],
    "item": [2, 0, 1],
    "rating": [1.0, 2.5, 5.0],
    "timestamp": [-1, 5, 978300760],
}


def table(**changes) -> RatingTable:
    return RatingTable(**{**GOOD, **changes})


def test_columns_have_their_types_and_are_read_only():
    made = table(user=np.array([0, 1, 1], dtype=np.uint64))
    assert [a.dtype for a in (made.user, made.item, made.rating, made.timestamp)] == [
        np.int32,
        np.int32,
        np.float64,
        np.int64,
    ]
    assert len(made) == 3
    with pytest.raises(ValueError, match="read-only"):
        made.rating[0] = 3
    mine = np.array([1.0, 2.0, 3.0])
    table(rating=mine)
    mine[0] = 4  # the caller's own array stays writable


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"user": [0, 1]}, "differ in length"),
        ({"timestamp": [1]}, "differ in length"),
        ({"user": [0, 1, 2]}, r"user index is out of range; got 2; allowed: 0\.\.1"),
        ({"item": [0, -1, 2]}, r"item index is out of range; got -1; allowed: 0\.\.2"),
        ({"item": [0, 1, 2**32]}, "does not fit int32"),
        ({"item": [0, 1, 1.5]}, "does not hold whole numbers"),
        ({"user": [[0, 1, 1]]}, "not one-dimensional"),
        ({"rating": [1.0, np.nan, 2.0]}, "rating in row 1 is not a finite number"),
        ({"rating": [1.0, 2.0, -np.inf]}, "rating in row 2 is not a finite number"),
        ({"item": [2, 1, 1]}, "user 'b' rates item 20 twice"),
    ],
)
def test_bad_columns(changes, match):
    with pytest.raises(DataError, match=match):
        table(**changes)


def test_digest_changes_with_everything():
    changes = [
        {},
        {"users": IdTable(("a", "c"))},
        {"items": IdTable((10, 20, "30"))},
        {"user": [1, 0, 1], "item": [2, 0, 1]},
        {"item": [1, 0, 2]},
        {"rating": [1.0, 2.5, 4.0]},
        {"timestamp": [0, 5, 978300760]},
        {"timestamp": None},
    ]
    assert len({table(**change).digest() for change in changes}) == len(changes)
    assert table().digest() == table().digest()


def test_pairs():
    pairs = Pairs([0, 5], [1, 1], [3.5, 1])
    assert len(pairs) == 2
    assert (pairs.user.dtype, pairs.rating.dtype) == (np.int32, np.float32)


@pytest.mark.parametrize(
    ("columns", "match"),
    [
        (([0], [1, 2], [1, 1]), "differ in length"),
        (([-1], [1], [1]), "user index is out of range"),
        (([1], [1], [np.nan]), "not a finite number"),
    ],
)
def test_bad_pairs(columns, match):
    with pytest.raises(DataError, match=match):
        Pairs(*columns)
