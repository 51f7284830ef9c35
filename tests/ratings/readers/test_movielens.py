import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.movielens import read_csv_release, read_dat_release, read_ml_100k
from igmc.ratings.split import make_split

ITEMS = (
    "1|Toy Story (1995)|01-Jan-1995||http://x|0|1|1\n"
    "2|Un indien (1994-1996)|||http://x|0|0|0\n"
    "3|Misérables, Les|||http://x|1|0|0\n\n"
)


@pytest.fixture
def tiny_100k(tmp_path):
    folder = tmp_path / "ml-100k"
    folder.mkdir()
    files = {
        "u.data": "10\t1\t3\t881250949\n20\t2\t1\t0\n10\t3\t5\t878887116\n",
        "u.user": "10|24|M|technician|85711\n20|53|F|other|T8H1N\n30|7|F|none|0\n",
        "u.item": ITEMS,
        "u.genre": "unknown|0\nAction|1\nComedy|2\n\n",
        "u1.base": "10\t3\t5\t878887116\n20\t2\t1\t0\n",
        "u1.test": "10\t1\t3\t881250949\n",
    }
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("latin-1"))
    return folder


def test_ml_100k(tiny_100k):
    data = read_ml_100k(tiny_100k, "ml_100k", "last")
    assert data.table.users.ids == (10, 20)
    assert data.table.timestamp.tolist() == [881250949, -1, 878887116]
    assert data.user_info.to_dict("records") == [
        {"age": 24, "gender": "M", "occupation": "technician", "zip_code": "85711"},
        {"age": 53, "gender": "F", "occupation": "other", "zip_code": "T8H1N"},
    ]
    assert data.item_info.title.tolist() == ["Toy Story (1995)", "Un indien (1994-1996)", "Misérables, Les"]
    assert data.item_info.genres.tolist() == ["Action|Comedy", "", "unknown"]
    assert data.item_info.year.tolist() == [1995, 1994, pd.NA]
    assert {name: [part.tolist() for part in data.splits[name]] for name in data.splits} == {
        "u1": [[2, 1], [0]]
    }
    assert data.scale_hint.values().tolist() == [1, 2, 3, 4, 5]


def test_metadata_may_be_missing(tiny_100k):
    for name in ("u.user", "u.item", "u.genre", "u1.base", "u1.test"):
        (tiny_100k / name).unlink()
    data = read_ml_100k(tiny_100k, "ml_100k", "last")
    assert data.user_info is data.item_info is None
    assert dict(data.splits) == {}


@pytest.mark.parametrize(
    ("file", "text", "match"),
    [
        (
            "u.data",
            "10\t1\t6\t0\n20\t2\t1\t0\n",
            r"u\.data, line 1: the rating is outside the scale; got 6\.0",
        ),
        ("u.data", "10\t1\t3\t0\t9\n20\t2\t1\t0\n", r"u\.data, line 1: there are 5 fields"),
        ("u.data", "10 1 3 0\n", r"u\.data, line 1: there is no such column; got 'position 4'"),
        (
            "u.user",
            "10|24|M|technician\n",
            r"u\.user, line 1: .*wrong number of fields; .*5 fields separated by '\|'",
        ),
        ("u.user", "10|24|M|a|b\n\n20|old|M|a|b\n", r"u\.user, line 3: a field is malformed .*'old'"),
        ("u.item", "1|Toy Story|1|2\n", r"u\.item, line 1: .*wrong number of fields"),
        ("u.genre", "unknown|0\nAction\n", r"u\.genre, line 2: .*wrong number of fields"),
    ],
)
def test_malformed_files(tiny_100k, file, text, match):
    (tiny_100k / file).write_text(text)
    with pytest.raises(DataError, match=match):
        read_ml_100k(tiny_100k, "ml_100k", "last")


@pytest.mark.parametrize(
    ("file", "text", "match"),
    [
        ("u1.base", "10\t3\t4\t0\n", r"u1\.base, line 1: this rating is not in u\.data; .*item 3, rating 4"),
        ("u1.base", "10\t3\t5\t0\n20\t1\t1\t0\n", r"u1\.base, line 2: this rating is not in u\.data"),
        ("u1.test", "99\t1\t3\t0\n", r"u1\.test, line 1: this rating is not in u\.data; got 'user 99"),
        ("u1.test", "20\t2\t1\t0\n", r"u1\.base and \.test share a rating; got 'user 20, item 2'"),
        ("u1.test", None, r"there is no file .*u1\.test"),
    ],
)
def test_a_wrong_official_split_spoils_only_itself(tiny_100k, file, text, match):
    if text is None:
        (tiny_100k / file).unlink()
    else:
        (tiny_100k / file).write_text(text)
    data = read_ml_100k(tiny_100k, "ml_100k", "last")
    make_split(data, DataConfig(split="random"), 1)
    with pytest.raises(DataError, match=match):
        make_split(data, DataConfig(split="u1"), 1)


def test_dat_release(tmp_path):
    (tmp_path / "ratings.dat").write_text("1::10::5::978300760\n1::20::3::0\n2::10::4::978302109\n")
    (tmp_path / "users.dat").write_text("1::F::1::10::48067\n2::M::56::16::70072\n")
    (tmp_path / "movies.dat").write_bytes("10::Léon: X (1994)::Action|Drama\n".encode("latin-1"))
    data = read_dat_release(tmp_path, "ml_1m", "last")
    assert data.table.timestamp.tolist() == [978300760, -1, 978302109]
    assert data.scale_hint.values().tolist() == [1, 2, 3, 4, 5]
    assert data.user_info.occupation.tolist() == ["K-12 student", "self-employed"]
    assert data.user_info.age.tolist() == [1, 56]
    assert data.item_info.astype(object).replace({pd.NA: None}).to_dict("list") == {
        "title": ["Léon: X (1994)", ""],
        "year": [1994, None],
        "genres": ["Action|Drama", ""],
    }


def test_dat_release_with_half_stars(tmp_path):
    path = tmp_path / "ratings.dat"
    path.write_text("1::122::4.5::838985046\n2::185::5::838983525\n")
    assert len(read_dat_release(tmp_path, "ml_10m", "last").scale_hint.values()) == 10
    with pytest.raises(DataError, match=r"ratings\.dat, line 1: the rating is outside the scale; got 4\.5"):
        read_dat_release(tmp_path, "ml_1m", "last")
    path.write_text("1::122::4.3::838985046\n2::185::5::838983525\n")
    with pytest.raises(DataError, match=r"allowed: 0\.5\.\.5 in steps of 0\.5"):
        read_dat_release(tmp_path, "ml_10m", "last")


def test_csv_release(tmp_path):
    (tmp_path / "ratings.csv").write_bytes(
        b"userId,movieId,rating,timestamp\r\n1,1,0.5,964982703\r\n2,7,5.0,0\r\n"
    )
    (tmp_path / "movies.csv").write_text(
        'movieId,title,genres\n1,"American President, The (1995)",Drama\n7,"""X"" ",(no genres listed)\n'
    )
    data = read_csv_release(tmp_path, "ml_latest_small", "last")
    assert data.item_info.title.tolist() == ["American President, The (1995)", '"X" ']
    assert data.item_info.genres.tolist() == ["Drama", ""]
    assert data.item_info.year.tolist() == [1995, pd.NA]
    (tmp_path / "ratings.csv").write_text("user,movieId,rating,timestamp\n1,1,0.5,964982703\n")
    with pytest.raises(DataError, match=r"ratings\.csv, line 1: there is no such column; got 'userId'"):
        read_csv_release(tmp_path, "ml_latest_small", "last")


def test_the_duplicates_rule_reaches_every_layout(tiny_100k, tmp_path):
    double = {"ratings.dat": "1::1::1::0\n1::1::3::0\n2::2::2::0\n"}
    double["ratings.csv"] = "userId,movieId,rating,timestamp\n1,1,1,0\n1,1,3,0\n2,2,2,0\n"
    double["u.data"] = "1\t1\t1\t0\n1\t1\t3\t0\n2\t2\t2\t0\n"
    for reader, file in (
        (read_dat_release, "ratings.dat"),
        (read_csv_release, "ratings.csv"),
        (read_ml_100k, "u.data"),
    ):
        (tmp_path / file).write_text(double[file])
        assert reader(tmp_path, "x", "last").table.rating.tolist() == [3, 2]
        assert reader(tmp_path, "x", "mean").table.rating.tolist() == [2, 2]


@pytest.mark.parametrize(
    ("name", "ratings", "users", "items", "levels", "unknown"),
    [
        ("ml_100k", 100_000, 943, 1682, 5, 0),
        ("ml_1m", 1_000_168, 6040, 3697, 5, 512_518),
        ("ml_latest_small", 100_836, 610, 9724, 10, 0),
    ],
)
def test_real_data(data_root, name, ratings, users, items, levels, unknown):
    config = DataConfig(dataset=name)
    data = load_dataset(config, data_dir=data_root)
    assert (len(data.table), len(data.table.users), len(data.table.items)) == (ratings, users, items)
    assert len(make_split(data, DataConfig(), 1).scale) == levels
    assert int((data.table.timestamp == -1).sum()) == unknown
    assert (data.report.rows, data.report.duplicates, data.report.blank_lines) == (ratings, 0, 0)
    assert (data.item_info.title != "").all()
    assert data.item_info.year.between(1900, 2020).mean() > 0.99


def test_the_seven_official_splits(data_root):
    data = load_dataset("ML-100K", data_dir=data_root)
    assert list(data.splits) == ["u1", "u2", "u3", "u4", "u5", "ua", "ub"]
    tests = {}
    for name, (train, test) in data.splits.items():
        assert sorted([*train, *test]) == list(range(100_000))
        tests[name] = set(test.tolist())
    assert [len(test) for test in tests.values()] == [20000] * 5 + [9430] * 2
    assert len(set().union(*(tests[f"u{k}"] for k in range(1, 6)))) == 100_000
    assert not tests["ua"] & tests["ub"]
    # The first lines of u1.test.
    row = data.splits["u1"][1][:3]
    assert data.table.users.decode(data.table.user[row]) == [1, 1, 1]
    assert data.table.items.decode(data.table.item[row]) == [6, 10, 12]
    assert data.table.rating[row].tolist() == [5, 3, 5]
    made = make_split(data, DataConfig(), 1)
    assert (made.name, len(made.train), len(made.validation), len(made.test)) == ("u1", 72000, 8000, 20000)
