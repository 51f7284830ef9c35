"""A data set whose every number can be counted by hand."""

import numpy as np
import pandas as pd
import pytest

from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable

DAY = 86_400


@pytest.fixture
def toy():
    """Ten ratings: "a" gives 4, "b" 3, "c" 2, "d" 1, "e" none; items 1..4 get 4, 3, 2, 1, item 5 none."""
    user = [0, 0, 0, 0, 1, 1, 1, 2, 2, 3]
    item = [0, 1, 2, 3, 0, 1, 2, 0, 1, 0]
    time = [0, DAY, 400 * DAY, -1, -1, -1, 10, 20, 30, -300 * DAY]
    return Dataset(
        "toy",
        RatingTable(
            IdTable(("a", "b", "c", "d", "e")),
            IdTable((1, 2, 3, 4, 5)),
            user,
            item,
            [1.0, 2, 3, 4, 5, 5, 5, 2, 2, 1],
            time,
        ),
        ReadReport("toy.csv", 13, 2, 3, "mean"),
        user_info=pd.DataFrame(
            {"age": pd.array([20, None, 30, None, 50], "Int64"), "gender": ["F", "M", "F", " ", ""]}
        ),
        item_info=pd.DataFrame({"title": ["x", "", "y", "z", ""], "genres": ["B|A", "A", "", "B", "A|A"]}),
        splits={"u1": (np.arange(5), np.arange(5, 10))},
        scale_hint=KnownScale(1, 5),
    )
