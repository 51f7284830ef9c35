import numpy as np
import pandas as pd
import pytest

from igmc.errors import DataError
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
