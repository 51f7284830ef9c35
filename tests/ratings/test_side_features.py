"""Side features hold what is known besides ratings, in columns that a network can take."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import sparse

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.side_features import info_features, side_features
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


def test_a_side_graph_stands_beside_what_is_known():
    graph = sparse.csr_array(np.array([[0, 2.0, 0], [2, 0, 0], [0, 0, 1]]))
    items = pd.DataFrame({"genres": ["A", "", "A"]})
    users, features = side_features(Dataset("toy", TABLE, REPORT, item_info=items, item_graph=graph))
    np.testing.assert_array_equal(features, [[1, 0, 2, 0], [0, 2, 0, 0], [1, 0, 0, 1]])
    assert (users.shape, users.dtype, features.dtype) == ((2, 0), np.float32, np.float32)


@pytest.mark.parametrize("info", [None, pd.DataFrame({"title": list("xyz")})])
def test_nothing_known_makes_no_columns(info):
    made = info_features(info, 3)
    assert (made.shape, made.dtype) == ((3, 0), np.float32)


AGES = st.lists(st.none() | st.integers(0, 120), min_size=1, max_size=30)


@given(AGES)
def test_known_numbers_get_mean_0_and_variance_1_and_missing_ones_0(ages):
    column = info_features(pd.DataFrame({"age": pd.array(ages, "Int64")}), len(ages))[:, 0].astype(float)
    known = np.array([age is not None for age in ages])
    assert (column[~known] == 0).all()
    given = [age for age in ages if age is not None]
    if len(set(given)) < 2:
        assert (column == 0).all()
        return
    assert column[known].mean() == pytest.approx(0, abs=1e-5)
    assert column[known].var() == pytest.approx(1, rel=1e-4)
    order = np.argsort(given, kind="stable")
    assert (np.diff(column[known][order]) >= 0).all()


CELLS = st.lists(st.lists(st.sampled_from(["Drama", "Crime", "War"]), max_size=3), min_size=1, max_size=12)


@given(CELLS)
def test_each_genre_of_a_cell_sets_its_flag(cells):
    info = pd.DataFrame({"genres": ["|".join(words) for words in cells]})
    names = sorted(set().union(*cells))
    expected = [[float(name in words) for name in names] for words in cells]
    np.testing.assert_array_equal(info_features(info, len(cells)), np.array(expected).reshape(len(cells), -1))
