import dataclasses

import numpy as np
import pandas as pd
import pytest

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset
from igmc.recommenders.training_data import Ratings, TrainingData
from tests.evaluation.splits import make_split
from tests.recommenders.boards import data_of, ratings

SPLIT = make_split([(0, 0, 5.0), (2, 1, 1.0)], [(1, 0, 3.0)], [(1, 1, 4.0)], users=4, items=3)


def test_rows_of_a_table_in_the_order_asked():
    found = Ratings.of(SPLIT.table, np.array([2, 0]))
    assert [found.user.tolist(), found.item.tolist(), found.rating.tolist()] == [[1, 0], [0, 0], [3, 5]]
    assert [a.dtype for a in dataclasses.astuple(found)] == [np.int32, np.int32, np.float32, np.int64]
    assert found.timestamp.tolist() == [-1, -1], "no time is known"
    timed = dataclasses.replace(SPLIT.table, timestamp=np.arange(4, dtype=np.int64))
    assert Ratings.of(timed, np.array([2, 0])).timestamp.tolist() == [2, 0]


def test_sums_keep_the_order_and_columns_lead_back():
    one, two = ratings([0, 1], [0, 1], [5, 4]), ratings([2], [2], [3])
    both = one + two
    assert len(both) == 3
    assert both.rating.tolist() == [5, 4, 3]
    assert (two + one).rating.tolist() == [3, 5, 4]
    again = Ratings(**both.columns())
    for old, new in zip(dataclasses.astuple(both), dataclasses.astuple(again), strict=True):
        np.testing.assert_array_equal(old, new)


def test_a_rating_of_0_is_stored_like_any_other():
    matrix = ratings([1, 1, 0], [2, 0, 1], [0, 4, 5]).matrix(3, 4)
    assert (matrix.shape, matrix.dtype, matrix.nnz) == ((3, 4), np.float32, 3)
    assert matrix.indices.tolist() == [1, 0, 2], "ascending in each row"
    assert matrix.data.tolist() == [5, 4, 0]


def test_nothing_of_the_test_part_is_in_the_training_data():
    data = TrainingData.from_split(SPLIT)
    assert (data.n_users, data.n_items, data.scale) == (4, 3, SPLIT.scale)
    assert data.train.rating.tolist() == [5, 1]
    assert data.validation.rating.tolist() == [3]
    assert 4 not in data.merged().train.rating
    assert (data.user_info, data.item_info, data.item_tags) == (None, None, None)


def test_what_is_known_of_users_and_items_comes_along():
    users, items = pd.DataFrame({"age": [1, 2, 3, 4]}), pd.DataFrame({"genres": list("abc")})
    dataset = Dataset("x", SPLIT.table, None, user_info=users, item_info=items, item_tags=dict)
    data = TrainingData.from_split(SPLIT, dataset)
    assert (data.user_info is users, data.item_info is items, data.item_tags) == (True, True, dict)
    assert data.merged().item_info is items


def test_merged_data_have_the_validation_ratings_last_and_nothing_to_choose_by():
    data = data_of(ratings([0, 1], [0, 1], [5, 4]), ratings([1], [0], [2]), n_users=2, n_items=2)
    merged = data.merged()
    assert merged.train.rating.tolist() == [5, 4, 2]
    assert len(merged.validation) == 0
    assert len(data.train) == 2, "the data themselves stay"
    np.testing.assert_array_equal(merged.matrix().toarray(), [[5, 0], [2, 4]])


def test_there_must_be_something_to_learn_from():
    with pytest.raises(DataError, match="no training ratings"):
        data_of(ratings([], [], []), ratings([0], [0], [5]), n_users=1, n_items=1)
