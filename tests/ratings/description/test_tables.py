import numpy as np
import pandas as pd
import pytest

from igmc.ratings import Dataset
from igmc.ratings.description import per_item, per_user

FRAME = {
    "user": ["ann", "bo", "bo", "bo", "cy"],
    "item": [1, 1, 2, 3, 1],
    "rating": [5.0, 1.0, 2.0, 6.0, 3.0],
    "timestamp": [100, 86400, None, 10, None],
}
ITEMS = {"item": [1, 2, 3], "title": ["Alien", "Brazil", "Clue"], "year": [1979, 1985, None]}


def test_a_row_for_each_user_by_hand():
    found = per_user(Dataset.from_frame(pd.DataFrame(FRAME)))
    assert found.user_id.tolist() == ["bo", "ann", "cy"], "most ratings first, then as in the data"
    assert found.ratings.tolist() == [3, 1, 1]
    assert found["mean"].tolist() == [3.0, 5.0, 3.0]
    assert found["std"].tolist() == pytest.approx([7.0**0.5, np.nan, np.nan], nan_ok=True)
    assert (found.lowest[0], found.highest[0]) == (1.0, 6.0)
    assert found["first"].tolist() == [pd.Timestamp(10, unit="s"), pd.Timestamp(100, unit="s"), pd.NaT]
    assert found["last"].tolist()[:2] == [pd.Timestamp(86400, unit="s"), pd.Timestamp(100, unit="s")]


def test_a_row_for_each_item_with_what_is_known_of_it():
    found = per_item(Dataset.from_frame(pd.DataFrame(FRAME), items=pd.DataFrame(ITEMS)))
    assert found.item_id.tolist() == [1, 2, 3]
    assert found.ratings.tolist() == [3, 1, 1]
    assert found.title.tolist() == ["Alien", "Brazil", "Clue"]
    assert found.year.tolist() == [1979, 1985, pd.NA]


def test_without_times_there_are_no_columns_of_them():
    found = per_user(pd.DataFrame(FRAME)[["user", "item", "rating"]])
    assert list(found) == ["user_id", "ratings", "mean", "std", "lowest", "highest"]
