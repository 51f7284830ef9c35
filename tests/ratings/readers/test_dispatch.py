"""Which reader a folder or file gets."""

import pytest

from igmc.errors import DataError
from igmc.ratings.load import load_dataset


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(
        DataError, match=r"holds no data set; allowed: u\.data, ratings\.dat, ratings\.csv or"
    ):
        load_dataset(str(tmp_path))


def test_a_release_by_its_path(data_root):
    data = load_dataset(str(data_root / "ml-latest-33m-part"))
    assert data.name == "ml-latest-33m-part"
    assert (len(data.table), len(data.table.users), len(data.table.items)) == (206_585, 2149, 13_049)
