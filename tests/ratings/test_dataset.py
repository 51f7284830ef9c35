import numpy as np
import pandas as pd
import pytest

from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset, LazySplits, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.table import RatingTable

TABLE = RatingTable(IdTable(("a", "b")), IdTable((1, 2, 3)), [0, 1], [2, 0], [1.0, 2.0])
REPORT = ReadReport("toy", 2)


def test_read_report():
    assert str(ReadReport("x.csv", 7, encoding="utf-8")) == "7 ratings read from x.csv"
    text = str(ReadReport("x.csv", 7, 2, 3, "mean", "latin-1"))
    assert "text is latin-1; 2 blank lines skipped; 3 duplicates" in text


@pytest.mark.parametrize("side", ["user", "item"])
def test_info_and_graphs_have_a_row_for_each_id(side):
    with pytest.raises(
        DataError, match=f"the {side} info of toy has the wrong number of rows; got 5; allowed: [23]"
    ):
        Dataset("toy", TABLE, REPORT, **{f"{side}_info": pd.DataFrame({"title": range(5)})})
    with pytest.raises(DataError, match=f"the {side} graph of toy has the wrong number of rows"):
        Dataset("toy", TABLE, REPORT, **{f"{side}_graph": np.zeros((5, 5))})


def test_lazy_splits_read_only_what_is_asked():
    asked = []

    def reader(name):
        return lambda: (asked.append(name), (np.arange(1), np.arange(1, 2)))[1]

    splits = LazySplits({"x": reader("x"), "y": reader("y")})
    assert list(splits) == ["x", "y"]
    assert "y" in splits
    assert "z" not in splits
    assert len(splits) == 2
    assert asked == []
    splits["y"]
    assert asked == ["y"]


def stars():
    """Five ratings of three users for three items, of which one split is official."""
    table = RatingTable(
        *(IdTable(("a", "b", "c")), IdTable((1, 2, 3))),
        *([0, 0, 1, 1, 2], [0, 1, 0, 2, 1], [5.0, 2.0, 4.0, 1.0, 3.0], [10, 20, 30, 40, 50]),
    )
    splits = {"own": (np.array([0, 1, 3]), np.array([2, 4]))}
    return Dataset(
        "toy", table, ReadReport("toy.csv", 5, notes=("ratings are 1, 2, 3, 4, 5",)), splits=splits
    )


def test_implicit_data_forget_the_ratings_and_say_so():
    found = stars().as_implicit()
    assert found.implicit
    assert found.table.rating.tolist() == [1] * 5
    assert found.table.timestamp.tolist() == [10, 20, 30, 40, 50]
    assert found.splits["own"][1].tolist() == [2, 4]
    assert (
        str(found.report) == "5 interactions read from toy.csv; values of the ratings ignored (1, 2, 3, 4, 5)"
    )


def test_a_least_rating_drops_rows_and_splits_follow():
    found = stars().as_implicit(3)
    assert found.table.user.tolist() == [0, 1, 2]
    assert [part.tolist() for part in found.splits["own"]] == [[0], [1, 2]]
    assert len(found.table.items) == 3
    assert "2 ratings below 3 dropped; values of the ratings ignored (3, 4, 5)" in str(found.report)
    with pytest.raises(DataError, match="no rating of toy is left; got 'min_rating 6'"):
        stars().as_implicit(6)


def test_zeros_among_what_counts_are_told():
    table = RatingTable(IdTable(("a", "b")), IdTable((1, 2)), [0, 1], [0, 1], [0.0, 3.0])
    found = Dataset("toy", table, REPORT).as_implicit()
    assert "1 of them are 0: if that means not chosen, omit them (--zero-is-missing)" in str(found.report)


def test_without_ratings_none_can_be_chosen():
    clicks = {"user": ["a", "b"], "item": [1, 2]}
    assert Dataset.from_frame(clicks, implicit=True).table.rating.tolist() == [1, 1]
    with pytest.raises(DataError, match="frame has no ratings to choose from; got 'min_rating 3'"):
        Dataset.from_frame(clicks, implicit=True, min_rating=3)
    with pytest.raises(ConfigError, match=r"min_rating only goes with implicit data.*--implicit"):
        Dataset.from_frame({**clicks, "rating": [3, 4]}, min_rating=3)
