"""Which reader a folder or file gets."""

import io
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.dispatch import looks_like_path, read_folder, read_path
from igmc.ratings.readers.monti import MONTI_FILE

U_DATA = "10\t1\t3\t881250949\n20\t2\t1\t0\n"
RATINGS_DAT = "1::10::5::978300760\n2::20::3::0\n"
RATINGS_CSV = "userId,movieId,rating,timestamp\n5,7,0.5,964982703\n6,8,5.0,0\n"
LAYOUTS = [("u.data", (10, 20)), ("ratings.dat", (1, 2)), ("ratings.csv", (5, 6)), (MONTI_FILE, (0, 1, 2))]


def folder_of(folder, *files):
    """A folder that holds these layouts, each with users of its own."""
    texts = {"u.data": U_DATA, "ratings.dat": RATINGS_DAT, "ratings.csv": RATINGS_CSV}
    for name in files:
        if name == MONTI_FILE:
            with h5py.File(folder / name, "w") as file:
                for key, diagonal in (("M", [1, 1, 1]), ("Otraining", [1, 1, 0]), ("Otest", [0, 0, 1])):
                    file[key] = np.diag(diagonal).astype(float)
        else:
            (folder / name).write_text(texts[name])
    return folder


def test_a_folder_without_a_data_set(tmp_path):
    with pytest.raises(
        DataError, match=r"holds no data set; allowed: u\.data, ratings\.dat, ratings\.csv or"
    ):
        load_dataset(str(tmp_path))


def test_a_release_by_its_path(data_root):
    data = load_dataset(str(data_root / "ml-latest-33m-part"))
    assert data.name == "ml-latest-33m-part"
    assert (len(data.table), len(data.table.users), len(data.table.items)) == (206_585, 2149, 13_049)


@pytest.mark.parametrize(("file", "users"), LAYOUTS)
def test_a_folder_is_told_by_the_file_that_it_has(tmp_path, file, users):
    data = read_folder(folder_of(tmp_path, file), "any", DataConfig())
    assert (data.name, data.table.users.ids) == ("any", users)


def test_of_several_layouts_in_one_folder_the_first_is_taken(tmp_path):
    names = [name for name, _ in LAYOUTS]
    folder_of(tmp_path, *names)
    for name, users in LAYOUTS:
        assert read_folder(tmp_path, "any", DataConfig()).table.users.ids == users
        (tmp_path / name).unlink()


def test_a_path_to_a_folder_is_called_what_the_folder_is(tmp_path, monkeypatch):
    folder = tmp_path / "ml-mine"
    folder.mkdir()
    monkeypatch.chdir(folder_of(folder, "ratings.csv"))
    assert read_path(Path("."), DataConfig()).name == "ml-mine"
    with pytest.raises(
        ConfigError, match=r"--columns does not apply to a folder; got 'a,b,c'; .*path of the file"
    ):
        read_path(folder, DataConfig(columns="a,b,c"))


def test_a_file_inside_a_zip_gives_the_name_and_its_suffix_the_reader(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    content = io.BytesIO()
    pq.write_table(pa.table({"user": ["a", "b"], "item": [1, 2], "rating": [3, 4]}), content)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.writestr("in/first.csv", RATINGS_CSV)
        archive.writestr("in/second.parquet", content.getvalue())
    for name, users in (("first.csv", (5, 6)), ("second.parquet", ("a", "b"))):
        data = read_path(tmp_path / "all.zip" / "in" / name, DataConfig())
        assert (data.name, data.table.users.ids) == (name.split(".")[0], users)
        assert data.report.source == f"{tmp_path}/all.zip/in/{name}"


def test_the_rule_for_duplicates_reaches_a_file(tmp_path):
    (tmp_path / "x.csv").write_text("user,item,rating\n1,1,1\n1,1,3\n2,2,2\n")
    found = {rule: read_path(tmp_path / "x.csv", DataConfig(duplicates=rule)) for rule in ("last", "mean")}
    assert {rule: data.table.rating.tolist() for rule, data in found.items()} == {
        "last": [3, 2],
        "mean": [2, 2],
    }


@pytest.mark.parametrize(
    ("text", "is_path"),
    [
        ("a/b", True),
        ("./x", True),
        ("ratings.csv", True),
        ("there", True),
        ("~", True),
        ("ml_100", False),
        ("flixter", False),
        ("", True),
    ],
)
def test_what_is_meant_as_a_path(tmp_path, monkeypatch, text, is_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").touch()
    assert looks_like_path(text) is is_path


def test_a_folder_in_the_layout_of_movielens_with_a_scale_of_its_own(tmp_path):
    (tmp_path / "ratings.dat").write_text(
        "1::0114508::8::1381006850\n2::0208092::0::1381006851\n2::0114508::10::1\n1::0208092::4::1\n"
    )
    (tmp_path / "users.dat").write_text("1::139564917\n2::17528189\n")
    movies = "0114508::Species (1995)::Action|Sci-Fi\n0208092::Snatch (2000)::\n"
    (tmp_path / "movies.dat").write_text(movies)
    data = load_dataset(str(tmp_path))
    assert (data.scale_hint, data.user_info) == (None, None)
    assert data.table.rating.tolist() == [8, 0, 10, 4]
    assert data.table.items.ids == ("0114508", "0208092")
    assert data.item_info.title.tolist() == ["Species (1995)", "Snatch (2000)"]
    assert "ratings are 0, 4, 8, 10" in str(data.report)
    data = load_dataset(DataConfig(dataset=str(tmp_path), zero_is_missing=True))
    assert data.table.rating.tolist() == [8, 10, 4]


def test_a_folder_of_recbole(tmp_path):
    (tmp_path / "x.inter").write_text("user_id:token\titem_id:token\trating:float\n1\t10\t4.0\n2\t20\t3.0\n")
    (tmp_path / "x.item").write_text("item_id:token\tname:token_seq\n10\tTen\n20\tTwenty\n")
    data = load_dataset(str(tmp_path))
    assert (data.name, data.item_info.title.tolist()) == ("x", ["Ten", "Twenty"])


def test_a_folder_of_parquet_as_spark_writes_it(tmp_path):
    pa, pq = pytest.importorskip("pyarrow"), pytest.importorskip("pyarrow.parquet")
    folder = tmp_path / "ratings.parquet"
    for year in (2003, 2004):
        (folder / f"year={year}").mkdir(parents=True)
        table = pa.table({"user": [year, 1], "item": ["a", f"b{year}"], "rating": [3, 4]})
        pq.write_table(table, folder / f"year={year}" / "part-00000-c000.snappy.parquet")
    for name in ("_SUCCESS", "._SUCCESS.crc", "_metadata.txt"):
        (folder / name).touch()
    data = load_dataset(str(folder))
    assert (data.name, data.table.users.ids, len(data.table)) == ("ratings", (1, 2003, 2004), 4)
    with pytest.raises(ConfigError, match="--separator does not apply to Parquet"):
        load_dataset(DataConfig(dataset=str(folder), separator=";"))


def test_many_zeros_are_pointed_at(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("user,item,rating\n1,1,0\n1,2,7\n2,1,0\n2,2,5\n1,3,6\n2,3,0\n")
    assert "3 ratings are 0: if that means not rated, omit them (--zero-is-missing)" in str(
        load_dataset(str(path)).report
    )
    data = load_dataset(DataConfig(dataset=str(path), zero_is_missing=True, missing=7))
    assert data.table.rating.tolist() == [5, 6]
    assert "4 cells of 0 or 7 left out as not rated" in str(data.report)
