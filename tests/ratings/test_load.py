"""A data set by its name, its folder or its file; and what is said of one that is none."""

import gzip

import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.load import load_dataset


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
