"""A data set by its name, its folder or its file; and what is said of one that is none."""

import contextlib
import gzip
import shutil
import sqlite3

import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.dataset import Dataset
from igmc.ratings.load import load_dataset, run_inputs


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


def test_columns_in_a_mapping_are_no_settings():
    with pytest.raises(ConfigError, match=r"got 'user, rating'; hint: pass pandas.DataFrame\(\.\.\.\) of it"):
        load_dataset({"user": [1, 2], "rating": [3, 4]})


@pytest.mark.parametrize("path", ["no/such", "ratings.csv", "./x"])
def test_a_path_that_does_not_exist(tmp_path, monkeypatch, path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=f"there is no file {path.removeprefix('./')}"):
        load_dataset(path)


def test_columns_apply_to_files_only(tmp_path):
    (tmp_path / "ratings.csv").touch()
    for dataset in ("ml_100k", "demo", str(tmp_path)):
        with pytest.raises(ConfigError, match=r"--columns does not apply to .*omit "):
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


def test_a_text_stands_for_a_configuration_with_that_data_set():
    assert load_dataset("demo").table.digest() == load_dataset(DataConfig(dataset="Demo")).table.digest()


@pytest.mark.parametrize("where", ["data_dir", "home"])
def test_a_name_in_any_spelling_is_found_in_the_given_folder(tmp_path, monkeypatch, where):
    monkeypatch.delenv("IGMC_DATA", raising=False)
    monkeypatch.setenv("IGMC_HOME", str(tmp_path / "nothing here"))
    folder = tmp_path / ("raw" if where == "home" else "") / "ml-latest-small"
    folder.mkdir(parents=True)
    (folder / "ratings.csv").write_text("userId,movieId,rating,timestamp\n1,1,0.5,1\n2,7,5.0,0\n")
    (folder / "movies.csv").write_text("movieId,title,genres\n1,X (1999),Drama\n")
    data = load_dataset(DataConfig(dataset="ML-Latest-Small", allow_changed=True), **{where: tmp_path})
    assert (data.name, data.table.users.ids) == ("ml_latest_small", (1, 2))
    assert data.scale_hint.high == 5


def test_a_path_may_begin_at_the_users_own_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.csv").write_text("user,item,rating\na,1,3\nb,2,4\n")
    assert load_dataset("~/mine.csv").name == "mine"


def test_a_file_of_the_name_of_a_data_set_does_not_hide_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "demo").write_text("user,item,rating\na,1,3\nb,2,4\n")
    assert len(load_dataset("demo").table) == 12_000
    assert len(load_dataset("./demo").table) == 2


def copied(data_root, tmp_path, *names):
    folder = tmp_path / "ml-100k"
    shutil.copytree(data_root / "ml-100k", folder)
    for name in names:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(lines[: len(lines) // 2]))
    return {"data_dir": tmp_path}


def test_a_known_data_set_that_was_cut_is_refused(data_root, tmp_path):
    place = copied(data_root, tmp_path, "u.data")
    with pytest.raises(
        DataError,
        match=r"u\.data differs from the published ml_100k; got '50,000 ratings'; .*--allow-changed",
    ):
        load_dataset("ml_100k", **place)
    config = DataConfig(dataset="ml_100k", allow_changed=True)
    assert len(load_dataset(config, **place).table) == 50_000


def test_a_split_of_a_known_data_set_that_was_cut_is_refused(data_root, tmp_path):
    place = copied(data_root, tmp_path, "u1.base")
    data = load_dataset("ml_100k", **place)
    with pytest.raises(
        DataError,
        match=r"the split u1 differs from the published split of ml_100k; got '40,000 ratings for training",
    ):
        data.splits["u1"]
    assert [len(part) for part in data.splits["u2"]] == [80_000, 20_000]
    config = DataConfig(dataset="ml_100k", allow_changed=True)
    assert len(load_dataset(config, **place).splits["u1"][0]) == 40_000


def test_settings_of_files_are_refused_beside_a_table():
    table = {"user": ["a", "b"], "item": [1, 2], "rating": [3, 4]}
    frame = pd.DataFrame(table)
    for settings in ({"item_info": "films.csv"}, {"items": "films.csv"}, {"separator": ";"}):
        with pytest.raises(ConfigError, match=r"applies to files, .*Dataset\.from_frame takes"):
            run_inputs(frame, settings)
    with pytest.raises(ConfigError, match="duplicates applies to files"):
        run_inputs(Dataset.from_frame(frame), {"duplicates": "mean"})
    doubled = pd.concat([frame, frame.assign(rating=5)])
    _, dataset = run_inputs(doubled, {"duplicates": "mean", "columns": "user,item,rating", "epochs": 1})
    assert dataset.table.rating.tolist() == [4, 4.5]


def test_settings_that_would_do_nothing_are_refused():
    for settings in (
        {"separator": ";"},
        {"matrix": True},
        {"missing": 99.0},
        {"item_info": "x.csv"},
        {"header": False},
    ):
        with pytest.raises(
            ConfigError, match=r"does not apply to ml_100k, whose layout is known; got .*omit --"
        ):
            load_dataset(DataConfig(dataset="ml_100k", **settings))


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet", "sql"])
def test_every_source_is_read_without_ratings(tmp_path, kind):
    frame = pd.DataFrame({"user": ["a", "b", "b"], "item": ["x", "y", "x"]})
    path = tmp_path / f"clicks.{kind}"
    source = str(path)
    if kind == "csv":
        frame.to_csv(path, index=False)
    elif kind == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    elif kind == "parquet":
        frame.to_parquet(path)
    else:
        with contextlib.closing(sqlite3.connect(path)) as connection:
            frame.to_sql("clicks", connection, index=False)
        source = f"sqlite:///{path}?query=SELECT user, item FROM clicks"
    found = load_dataset({"dataset": source, "implicit": True, "columns": "item,user"})
    assert found.implicit
    assert [found.table.users.ids[k] for k in found.table.user] == ["x", "y", "x"]
    assert found.table.rating.tolist() == [1, 1, 1]
    with pytest.raises((ConfigError, DataError), match="--implicit"):
        load_dataset({"dataset": source})


def test_known_data_sets_are_read_as_implicit(data_root):
    found = load_dataset({"dataset": "ml_100k", "implicit": True, "min_rating": 4}, data_dir=data_root)
    train, test = found.splits["u1"]
    assert len(found.table) == len(train) + len(test) == 55_375
    with pytest.raises(ConfigError, match="min_rating only goes with implicit data"):
        load_dataset({"dataset": "ml_100k", "min_rating": 4}, data_dir=data_root)
