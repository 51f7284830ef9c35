"""Data sets from tables of several libraries: ids, ratings, times, duplicates, and what is known of them."""

import datetime
import decimal
import json
import sys
import uuid

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import ConfigError, DataError, MissingExtraError
from igmc.ratings import Dataset, IdTable, ObjectIds, load_dataset

PLAIN = {"user_id": ["ann", "bo", "ann"], "item_id": [7, 7, 8], "rating": [5, 3.5, 4]}


def frame(**columns):
    return pd.DataFrame(PLAIN | columns)


def rows(dataset):
    table = dataset.table
    return list(
        zip(
            table.users.decode(table.user),
            table.items.decode(table.item),
            table.rating.tolist(),
            strict=True,
        )
    )


EXPECTED = [("ann", 7, 5.0), ("bo", 7, 3.5), ("ann", 8, 4.0)]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow", "duckdb", "columns"])
def test_the_same_table_of_any_library_is_the_same_data_set(library):
    if library == "columns":
        table = PLAIN
    elif library == "pandas":
        table = frame()
    else:
        module = pytest.importorskip(library)
        make = {
            "polars": lambda: module.DataFrame(PLAIN, strict=False),
            "pyarrow": lambda: module.table(PLAIN),
            "duckdb": lambda: module.from_df(frame()),
        }
        table = make[library]()
    found = Dataset.from_frame(table)
    assert rows(found) == EXPECTED
    assert [type(raw) for raw in found.table.items.ids] == [int, int]
    assert library in str(found.report) or library == "columns"
    assert found.table.digest() == Dataset.from_frame(frame()).table.digest()


def test_whole_numbers_of_arrow_stay_whole_where_one_is_missing():
    pa = pytest.importorskip("pyarrow")
    table = pa.table(PLAIN | {"item_id": [7, None, 8]})
    with pytest.raises(DataError, match="row 1 of the ratings has no item"):
        Dataset.from_frame(table)


def test_without_pyarrow_the_remedy_is_named(monkeypatch):
    class Foreign:
        def __arrow_c_stream__(self, requested_schema=None):
            raise AssertionError

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'igmc\[parquet\]'"):
        Dataset.from_frame(Foreign())


KINDS = {
    "uuid": [uuid.UUID(int=2), uuid.UUID(int=1)],
    "tuple": [("b", 1), ("a", (2, 3.5))],
    "date": [datetime.date(2020, 2, 1), datetime.date(2020, 1, 1)],
    "timestamp": [pd.Timestamp("2020-01-02T03:04:05.123456789Z"), pd.Timestamp("2019-01-01", tz="UTC")],
    "float": [0.5, 1.0],
    "bool": [True, False],
    "bytes": [b"\x00", b"a"],
    "decimal": [decimal.Decimal("1.10"), decimal.Decimal("1.1000001")],
    "mixed": [("a", 1), "a"],
    "frozenset": [frozenset({1, 2}), frozenset({3})],
}


@pytest.mark.parametrize("kind", KINDS)
def test_ids_of_any_kind_come_back_and_survive_a_file(kind):
    first, second = KINDS[kind]
    column = pd.Series([None, None, None], dtype=object)
    for k, raw in enumerate((first, second, first)):
        column.iat[k] = raw
    found = Dataset.from_frame(frame(user_id=column))
    assert [user for user, _, _ in rows(found)] == [first, second, first]
    users = found.table.users
    assert isinstance(users, ObjectIds)
    assert users.encode([second, first]).tolist() == [users.ids.index(second), users.ids.index(first)]
    again = IdTable.from_json(json.dumps(json.loads(users.to_json())))
    assert again == users
    assert [type(raw) for raw in again.ids] == [type(raw) for raw in users.ids]


def test_an_id_of_a_kind_that_no_file_holds_is_kept_in_memory_and_refused_there():
    class Person:
        def __repr__(self):
            return "somebody"

    ann, bo = Person(), Person()
    found = Dataset.from_frame(frame(user_id=[ann, bo, ann]))
    assert [user for user, _, _ in rows(found)] == [ann, bo, ann]
    with pytest.raises(DataError, match="type Person cannot be stored in a file; got somebody"):
        found.table.users.to_json()


@given(st.lists(st.one_of(st.integers(-3, 3), st.sampled_from(["1", "x", ""])), min_size=4, max_size=9))
def test_numbers_and_texts_in_one_column_are_told_apart(ids):
    if len(set(ids)) < 2:
        return
    found = Dataset.from_frame({"user": ids, "item": range(len(ids)), "rating": [1.0] * len(ids)})
    assert [user for user, _, _ in rows(found)] == ids
    assert type(found.table.users) is IdTable


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"user_id": ["ann", None, "bo"]}, "row 1 of the ratings has no user"),
        ({"item_id": [7, 8, np.nan]}, "row 2 of the ratings has no item"),
        ({"user_id": [["a"], ["b"], ["a"]]}, "user ids cannot be compared"),
        ({"user_id": [True, 1, "x"]}, "mix booleans with other types"),
        ({"user_id": ["ann", "ann", "ann"]}, "holds ratings of one user only; got 'ann'"),
        ({"rating": [5, "good", 4]}, "row 1 of the ratings: the rating is not a finite number; got 'good'"),
        ({"rating": [5, 3, None]}, "row 2 of the ratings: the rating is not a finite number"),
        ({"rating": [np.inf, 3, 1]}, "row 0 of the ratings: the rating is not a finite number; got inf"),
        ({"rating": pd.to_datetime(["2020-01-01"] * 3)}, "row 0 of the ratings: the rating is not"),
        ({"timestamp": ["2020-01-01", "noon", None]}, "timestamps cannot be read"),
    ],
)
def test_what_makes_no_sense_is_refused_with_its_row(columns, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_frame(frame(**columns))


def test_no_rows_are_no_data_set():
    with pytest.raises(DataError, match="there are no ratings"):
        Dataset.from_frame(frame().iloc[:0])


@pytest.mark.parametrize(
    "rating", [["5", "3.5", "4"], [decimal.Decimal("5"), decimal.Decimal("3.5"), 4], pd.array([5, 3.5, 4])]
)
def test_numbers_in_any_form_are_ratings(rating):
    assert rows(Dataset.from_frame(frame(rating=rating))) == EXPECTED


@pytest.mark.parametrize(
    ("times", "seconds"),
    [
        ([10, 0, 2.9], [10, 0, 2]),
        ([10.0, np.nan, -5], [10, -1, -5]),
        (pd.to_datetime(["1970-01-01T00:00:10", None, "1970-01-02T00:00:00"]), [10, -1, 86400]),
        (["1970-01-01T01:00:10+01:00", "", "1970-01-02"], [10, -1, 86400]),
        ([datetime.date(1970, 1, 2), None, datetime.date(1970, 1, 3)], [86400, -1, 172800]),
    ],
)
def test_times_are_seconds_of_utc(times, seconds):
    assert Dataset.from_frame(frame(timestamp=times)).table.timestamp.tolist() == seconds


@pytest.mark.parametrize(
    "columns",
    [
        {"user": "who", "item": "what", "rating": "stars"},
        {"user": "who", "item": "what"},
        ("who", "what", "stars"),
        "who, what, stars",
    ],
)
def test_columns_are_named_in_any_way(columns):
    table = frame().rename(columns={"user_id": "who", "item_id": "what", "rating": "stars"})
    assert rows(Dataset.from_frame(table, columns=columns)) == EXPECTED
    with pytest.raises(DataError, match=r"cannot find the column of the user by name.*columns=\{\"user\": "):
        Dataset.from_frame(table)


@pytest.mark.parametrize("columns", [{"usr": "a"}, "a,b", ("a", "a", "b"), 3, ["a"] * 9])
def test_columns_that_say_nothing_are_refused(columns):
    with pytest.raises((ConfigError, TypeError), match=r"columns has the wrong form|iterable"):
        Dataset.from_frame(frame(), columns=columns)


def test_a_column_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no such column for the item; got 'sku'; allowed: user_id"):
        Dataset.from_frame(frame(), columns={"item": "sku"})


@pytest.mark.parametrize(("rule", "rating"), [("last", 1.0), ("mean", 3.0)])
def test_duplicates_are_merged_and_counted(rule, rating):
    table = pd.concat([frame(), frame().iloc[:1].assign(rating=1.0)])
    found = Dataset.from_frame(table, duplicates=rule)
    assert sorted(rows(found)) == sorted([("ann", 7, rating), *EXPECTED[1:]])
    assert (found.report.rows, found.report.duplicates) == (4, 1)


def test_a_duplicate_can_be_an_error():
    table = pd.concat([frame(), frame().iloc[:1]])
    with pytest.raises(DataError, match="row 3 of the ratings: user 'ann' has rated item 7 before"):
        Dataset.from_frame(table, duplicates="error")
    with pytest.raises(ConfigError, match="unknown rule for duplicates; got 'first'"):
        Dataset.from_frame(table, duplicates="first")


def test_frames_of_items_and_users_bring_what_is_known_of_them():
    items = pd.DataFrame(
        {
            "item_id": [8, 9],
            "Title": ["Alien", "nobody rated this"],
            "genre": [["Horror", "Sci-Fi"], []],
            "release_year": [1979.0, None],
            "description": ["In space", None],
        }
    )
    users = pd.DataFrame({"age": [30], "sex": ["f"]}, index=pd.Index(["bo"], name="user_id"))
    found = Dataset.from_frame(frame(), users, items)
    assert found.item_info.astype(object).where(found.item_info.notna(), None).to_dict("records") == [
        {"title": "", "genres": "", "year": None, "text": ""},
        {"title": "Alien", "genres": "Horror|Sci-Fi", "year": 1979, "text": "In space"},
    ]
    assert found.user_info["gender"].tolist() == ["", "f"]
    assert found.user_info["age"].tolist()[1] == 30


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"item_id": [7, 7], "title": ["a", "b"]}, "describes an id twice, in different ways; got 7"),
        ({"item_id": [7], "colour": ["red"]}, "has no column of side information; got 'item_id, colour'"),
        ({"sku": [7], "title": ["a"]}, "cannot find the column of ids"),
        ({"item_id": ["7", "8"], "title": ["a", "b"]}, r"contains none of the rated items; got \['7', '8'\]"),
    ],
)
def test_a_frame_of_items_that_makes_no_sense_is_refused(items, message):
    with pytest.raises(DataError, match=message):
        Dataset.from_frame(frame(), items=items)


@pytest.mark.parametrize("wrong", [3, "demo", [1, 2], None, pd.Series([1, 2])])
def test_what_is_no_table_is_refused(wrong):
    with pytest.raises(ConfigError, match="a DataFrame of pandas, polars"):
        Dataset.from_frame(wrong)


def test_every_function_takes_a_frame_for_a_data_set():
    assert load_dataset(frame()).table.digest() == Dataset.from_frame(frame()).table.digest()


def test_a_data_set_shows_itself_in_a_line():
    assert repr(Dataset.from_frame(frame(), name="mine")) == "Dataset('mine': 3 ratings, 2 users, 2 items)"


def test_columns_of_a_wrong_type_are_refused():
    with pytest.raises(ConfigError, match=r"columns has the wrong form; got 3; allowed: \{"):
        Dataset.from_frame(frame(), columns=3)


def test_a_frame_is_read_as_a_file_is():
    """One path for both: the same notes, the same cells, a float32 for its shortest decimal."""
    ratings = frame(rating=np.array([3.1, 3.5, 0], np.float32), time=[1.4e12, 1.5e12, 1.4e12])
    films = pd.DataFrame(
        {"movieId": [7, 8], "name": [" Alien (1979)", None], "categories": ["Horror, War", ""]}
    )
    found = Dataset.from_frame(ratings, items=films)
    assert found.table.rating.tolist() == [3.1, 3.5, 0]
    assert found.table.timestamp.tolist() == [1_400_000_000, 1_500_000_000, 1_400_000_000]
    assert found.report.notes == ("times are milliseconds", "ratings are 0, 3.1, 3.5")
    assert found.item_info["title"].tolist() == ["Alien (1979)", ""]
    assert found.item_info["genres"].tolist() == ["Horror|War", ""]
    assert found.item_info["year"].isna().tolist() == [False, True]
    assert found.item_info["year"][0] == 1979


def test_a_frame_and_its_csv_are_the_same_data_set(tmp_path):
    rng = np.random.default_rng(4)
    table = pd.DataFrame({"user": rng.integers(0, 9, 80), "item": rng.integers(0, 7, 80)})
    table["rating"] = rng.integers(1, 10, 80) / 10
    table.to_csv(tmp_path / "r.csv", index=False)
    for rule in ("last", "mean"):
        one = Dataset.from_frame(table, duplicates=rule)
        other = load_dataset({"dataset": str(tmp_path / "r.csv"), "duplicates": rule})
        assert one.table.digest() == other.table.digest()
        assert (one.report.rows, one.report.duplicates) == (other.report.rows, other.report.duplicates)


@pytest.mark.parametrize(
    "columns", [None, "user,item", ["user", "item"], {"item": "item"}, ["user", "item", None, "time"]]
)
def test_implicit_frames_need_no_ratings(columns):
    clicks = pd.DataFrame({"user": [1, 2, 1], "item": ["x", "y", "x"], "time": [5, 6, 7]})
    found = Dataset.from_frame(clicks, columns=columns, implicit=True)
    assert found.table.rating.tolist() == [1, 1]
    assert found.table.timestamp.tolist() == [6, 7]
    assert "3 interactions read from a pandas DataFrame; 1 duplicates of a (user, item) pair merged" in str(
        found.report
    )
    with pytest.raises(DataError, match=r"cannot find the column of the rating.*implicit=True"):
        Dataset.from_frame(clicks)
