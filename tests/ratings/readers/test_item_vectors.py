"""Vectors come to the items that they are of."""

import numpy as np
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.item_vectors import read_item_vectors

IDS = IdTable((1, 2, 30))


def write(tmp_path, text):
    path = tmp_path / "vectors.csv"
    path.write_text(text)
    return path


def test_rows_are_found_by_their_ids(tmp_path):
    found = read_item_vectors(write(tmp_path, "item,a,b\n30,1,2.5\n7,9,9\n1,-1,0\n"), IDS)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, [[-1, 0], [np.nan, np.nan], [1, 2.5]])


def test_a_data_set_gets_them(tmp_path):
    ratings = tmp_path / "ratings.csv"
    ratings.write_text("user,item,rating\n1,1,5\n1,2,3\n2,30,4\n")
    path = write(tmp_path, "item,a\n1,1\n2,2\n30,3\n")
    dataset = load_dataset(DataConfig(dataset=str(ratings), item_features=str(path)))
    np.testing.assert_array_equal(dataset.item_vectors, [[1], [2], [3]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("item\n1\n", "holds no vectors"),
        ("item,a\n8,1\n", "tells of none of the items"),
        ("item,a\n1,1\n1,2\n", "names an item twice"),
        ("item,a\n1,x\n", "the column a holds something that is not a number"),
        ("item,a\n1,nan\n", "a number of an item is not finite; got '1'"),
    ],
)
def test_errors(tmp_path, text, message):
    with pytest.raises(DataError, match=message):
        read_item_vectors(write(tmp_path, text), IDS)
