import datetime
import io
import sys
import zipfile

import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings.readers.dispatch import read_path
from igmc.ratings.readers.files import find_file
from igmc.ratings.readers.parquet import read_parquet

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

GOOD = {"item": [7, 8, 7], "user": ["1", "01", "x"], "rating": [1, 2, 5], "extra": [None, "a", "b"]}


def read_raw(tmp_path, **changes):
    path = tmp_path / "ratings.parquet"
    pq.write_table(pa.table({**GOOD, **changes}), path)
    return read_parquet(find_file(path), None)


def read(tmp_path, columns=None, **changes):
    path = tmp_path / "ratings.parquet"
    pq.write_table(pa.table({**GOOD, **changes}), path)
    return read_path(path, DataConfig(columns=columns)).table


def test_types_are_kept(tmp_path):
    table = read(tmp_path)
    assert table.users.decode(table.user) == ["1", "01", "x"]
    assert table.items.decode(table.item) == [7, 8, 7]
    assert table.rating.tolist() == [1, 2, 5]
    assert table.timestamp is None
    # Unlike in a text file, texts that look like numbers stay texts.
    assert read(tmp_path, user=["1", "2", "2"]).users.ids == ("1", "2")


@pytest.mark.parametrize(
    "changes",
    [
        {"user": pa.array(["1", "01", "x"]).dictionary_encode()},
        {"user": pa.array(["1", "01", "x"], pa.large_string())},
        {"item": pa.array([7, 8, 7], pa.uint64())},
        {"rating": pa.array([1.0, 2.0, 5.0], pa.float32())},
        {"rating": pa.array([1, 2, 5]).cast(pa.decimal128(20, 1))},
    ],
)
def test_other_types_of_the_same_values(tmp_path, changes):
    assert read(tmp_path, **changes).digest() == read(tmp_path).digest()


def test_truth_values_are_ratings(tmp_path):
    assert read(tmp_path, rating=[True, False, True]).rating.tolist() == [1, 0, 1]


def test_columns_by_name(tmp_path):
    table = read(tmp_path, "item,user,rating")
    assert table.users.ids == (7, 8)


@pytest.mark.parametrize(
    "stamps",
    [
        pa.array([86400, None, -86400], pa.int64()),
        pa.array([86400.7, float("nan"), -86400.0]),
        pa.array([datetime.datetime(1970, 1, 2), None, datetime.datetime(1969, 12, 31)], pa.timestamp("us")),
        pa.array([datetime.date(1970, 1, 2), None, datetime.date(1969, 12, 31)]),
        pa.array([86_400_000, None, -86_400_000], pa.timestamp("ms", tz="UTC")),
    ],
)
def test_timestamps(tmp_path, stamps):
    assert read(tmp_path, timestamp=stamps).timestamp.tolist() == [86400, -1, -86400]


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        (
            {"user": [1.0, 2.5, 3.0]},
            r"ratings\.parquet, row 2: the user is not a whole number; got '2\.5'",
        ),
        ({"user": [True, False, True]}, "column user has the wrong type; got 'bool'"),
        ({"user": ["a", None, "b"]}, r"ratings\.parquet, row 2: the user is empty"),
        ({"rating": ["1", "2", "3"]}, "column rating has the wrong type; got 'string'; allowed: numbers"),
        ({"rating": [1.0, 2.0, None]}, r"row 3: the rating is not a finite number; got 'None'"),
        ({"rating": [1.0, float("inf"), 2.0]}, "row 2: the rating is not a finite number; got 'inf'"),
        ({"timestamp": ["2004-03-15", "b", "c"]}, "row 2: the timestamp is not an ISO date; got 'b'"),
        ({"timestamp": [b"a", b"b", b"c"]}, "column timestamp has the wrong type"),
        ({"timestamp": [1.0, -1e300, 2.0]}, "row 2: the timestamp is too large"),
        ({"timestamp": [1.0, 2.0, 1e300]}, "row 3: the timestamp is too large"),
        ({"user": ["a", "a", "a"]}, "ratings of one user only"),
    ],
)
def test_bad_columns(tmp_path, changes, match):
    with pytest.raises(DataError, match=match):
        read(tmp_path, **changes)


def test_wrong_columns(tmp_path):
    with pytest.raises(
        DataError, match=r"no such column; got 'usr'; allowed: item, user, rating, extra; .*user\?"
    ):
        read(tmp_path, "usr,item,rating")
    with pytest.raises(ConfigError, match="Parquet columns have names; got '1,2,3'"):
        read(tmp_path, "1,2,3")


def test_duplicates_name_rows(tmp_path):
    path = tmp_path / "ratings.parquet"
    pq.write_table(pa.table({"user": [1, 2, 1], "item": [1, 2, 1], "rating": [1, 2, 3]}), path)
    with pytest.raises(
        DataError, match=r"parquet, row 3: user 1 has rated item 1 before, in .*parquet, row 1"
    ):
        read_path(path, DataConfig(duplicates="error"))


def test_empty_and_damaged_files(tmp_path):
    path = tmp_path / "ratings.parquet"
    pq.write_table(pa.table(GOOD).slice(0, 0), path)
    with pytest.raises(DataError, match="holds no ratings"):
        read_path(path, DataConfig())
    pq.write_table(pa.table(GOOD), path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match="is not a Parquet file, or damaged"):
        read_path(path, DataConfig())


def test_inside_a_zip(tmp_path):
    content = io.BytesIO()
    pq.write_table(pa.table(GOOD), content)
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("r.parquet", content.getvalue())
    assert len(read_path(path, DataConfig()).table) == 3


def test_without_pyarrow(tmp_path, monkeypatch):
    pq.write_table(pa.table(GOOD), tmp_path / "ratings.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs pyarrow; hint: pip install 'igmc\[parquet\]'"):
        read_path(tmp_path / "ratings.parquet", DataConfig())


def test_float32_stands_for_its_shortest_decimal(tmp_path):
    ratings = pa.array([3.1, 3.3, 0.1], pa.float32())
    assert read(tmp_path, rating=ratings).rating.tolist() == [3.1, 3.3, 0.1]


def test_ids_are_trimmed_and_floats_that_are_whole_are_numbers(tmp_path):
    raw = read_raw(tmp_path, user=["a ", "a", "b"], item=pa.array([1.0, 2.0, 27.0]))
    assert ([raw.users[k] for k in raw.user], raw.items) == (["a", "a", "b"], [1, 2, 27])
    assert raw.notes == ("blanks around 1 ids cut off", "3 ids such as 27.0 read as whole numbers")


def test_an_empty_id_is_refused(tmp_path):
    for empty in ("", "  "):
        with pytest.raises(DataError, match=r"ratings\.parquet, row 2: the user is empty"):
            read(tmp_path, user=["a", empty, "b"])


def test_times_in_another_unit_and_in_words(tmp_path):
    raw = read_raw(tmp_path, timestamp=pa.array([1_420_167_845_000, None, 1_420_167_846_000]))
    assert (raw.timestamp.tolist(), raw.notes) == (
        [1_420_167_845, -1, 1_420_167_846],
        ("times are milliseconds",),
    )
    assert read(tmp_path, timestamp=["2004-03-15", None, ""]).timestamp.tolist() == [1079308800, -1, -1]
