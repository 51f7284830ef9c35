"""Side features hold what is known besides ratings, in columns that a network can take."""

import numpy as np
import pandas as pd
import pytest

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.side_features import side_features
from igmc.ratings.table import RatingTable

TABLE = RatingTable(IdTable(("a", "b")), IdTable((1, 2, 3)), [0, 1], [2, 0], [1.0, 2.0])
REPORT = ReadReport("toy", 2)


def test_side_features_known_answer():
    users = pd.DataFrame({"age": pd.array([20, None], "Int64"), "gender": ["F", ""], "zip_code": ["1", "2"]})
    items = pd.DataFrame(
        {"title": list("xyz"), "year": pd.array([1990, None, 2010], "Int64"), "genres": ["B|A", "", "A"]}
    )
    got_users, got_items = side_features(Dataset("toy", TABLE, REPORT, users, items))
    np.testing.assert_array_equal(got_users, [[0, 1], [0, 0]])  # one age alone has no spread
    np.testing.assert_array_equal(got_items, [[-1, 1, 1], [0, 0, 0], [1, 1, 0]])


def test_side_features_do_not_depend_on_ratings():
    items = pd.DataFrame({"year": pd.array([1990, 1995, 2010], "Int64")})
    other = RatingTable(TABLE.users, TABLE.items, [0, 0], [0, 1], [5.0, 5.0])
    one, two = (side_features(Dataset("toy", t, REPORT, item_info=items))[1] for t in (TABLE, other))
    np.testing.assert_array_equal(one, two)


def test_info_without_features():
    titles = pd.DataFrame({"title": list("xyz")})
    with pytest.raises(
        DataError, match=r"has no side features; allowed: age, gender, occupation of users; year"
    ):
        side_features(Dataset("toy", TABLE, REPORT, item_info=titles))


def test_real_side_features(data_root):
    users, items = side_features(load_dataset("ml_100k", data_dir=data_root))
    assert (users.shape, items.shape) == ((943, 1 + 2 + 21), (1682, 1 + 19))
    assert users.dtype == items.dtype == np.float32
    assert users[:, 0].mean() == pytest.approx(0, abs=1e-5)
    assert users[:, 0].std() == pytest.approx(1, abs=1e-5)
    assert set(np.unique(users[:, 1:])) == {0, 1}
    assert (users[:, 1:3].sum(1) == 1).all()
