import gzip

import numpy as np
import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset, LazySplits, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.side_features import side_features
from igmc.ratings.table import RatingTable

TABLE = RatingTable(IdTable(("a", "b")), IdTable((1, 2, 3)), [0, 1], [2, 0], [1.0, 2.0])
REPORT = ReadReport("toy", 2)


@pytest.mark.parametrize("name", ["ml_100x", "ML-100", "flixter"])
def test_unknown_name_offers_close_ones(name):
    near = {"flixter": "flixster"}.get(name, "ml_100k")
    with pytest.raises(
        ConfigError, match=rf"unknown data set; got '{name}'; allowed: .*did you mean .*{near}"
    ):
        load_dataset(name)


def test_unknown_name_that_is_like_none():
    with pytest.raises(
        ConfigError, match=r"unknown data set; .*or the path of a file or folder; .*check the name"
    ):
        load_dataset("zzzzzz")


@pytest.mark.parametrize("path", ["no/such", "ratings.csv", "./x"])
def test_a_path_that_does_not_exist(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"there is no file {path.removeprefix('./')}"):
        load_dataset(path)


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(
        DataError, match=r"holds no data set; allowed: u\.data, ratings\.dat, ratings\.csv or"
    ):
        load_dataset(str(tmp_path))


def test_columns_apply_to_files_only(tmp_path):
    for dataset in ("ml_100k", "demo", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"--columns does not apply to .*leave "):
            load_dataset(DataConfig(dataset=dataset, columns="a,b,c"))


def test_a_file_as_its_user_would_call_it(tmp_path):
    path = tmp_path / "my.ratings.csv.gz"
    path.write_bytes(gzip.compress(b"10,a,3\n20,b,4\n20,b,5\n"))
    data = load_dataset(DataConfig(dataset=str(path), columns="2,1,3", duplicates="mean"))
    assert (data.name, data.table.users.ids, data.table.rating.tolist()) == ("my", ("a", "b"), [3, 4.5])
    assert data.scale_hint is None
    assert dict(data.splits) == {}


def test_goodbooks(data_root):
    config = DataConfig(
        dataset=str(data_root / "goodbooks" / "ratings.zip"), columns="user_id,book_id,rating"
    )
    data = load_dataset(config)
    assert (len(data.table.users), len(data.table.items)) == (53_424, 10_000)
    assert (data.report.rows, data.report.duplicates) == (981_756, 2_278)
    assert len(data.table) == 981_756 - 2_278


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
