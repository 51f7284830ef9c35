"""A line for each user, a column for each item."""

import pytest

from igmc.config import DataConfig
from igmc.errors import ConfigError, DataError
from igmc.ratings.load import load_dataset


def load(tmp_path, content, **settings):
    path = tmp_path / "m.csv"
    path.write_text(content)
    return load_dataset(DataConfig(dataset=str(path), matrix=True, **settings))


def triples(data):
    table = data.table
    return list(
        zip(
            table.users.decode(table.user), table.items.decode(table.item), table.rating.tolist(), strict=True
        )
    )


def test_jesters_layout(tmp_path):
    data = load(tmp_path, "2,-7.82,99,8.79\n1,99,4.08,99\n0,99,99,99\n", missing=99)
    assert triples(data) == [(1, 1, -7.82), (1, 3, 8.79), (2, 2, 4.08)]
    said = str(data.report)
    assert (
        "a matrix of 3 users and 3 items; the first column, which counts the ratings of its line, left out"
        in said
    )
    assert "6 cells of 99 left out as not rated" in said


@pytest.mark.parametrize("corner", ["", "user"])
def test_a_header_names_the_items_and_the_first_column_the_users(tmp_path, corner):
    data = load(tmp_path, f"{corner};10;20\nanna;3,5;\nbert;0;4\n", zero_is_missing=True)
    assert triples(data) == [("anna", 10, 3.5), ("bert", 20, 4.0)]


def test_without_header_and_counts_all_columns_are_ratings(tmp_path):
    assert triples(load(tmp_path, "5 1\n3 4\n")) == [(1, 1, 5), (1, 2, 1), (2, 1, 3), (2, 2, 4)]


@pytest.mark.parametrize(
    ("content", "match"),
    [
        ("101,5,3\n102,4,2\n103,1,1\n", r"the first column looks like ids of users .*; got \[101\.0"),
        ("5,1\n3,x\n", "line 2, column 2: the rating is not a finite number; got 'x'"),
        ("5,1\n3,nan\n", "line 2, column 2: the rating is not a finite number"),
        ("5,1\n3,1.2.3\n", "line 2, column 2: the rating is not a finite number"),
        ("5,1\n3\n", "line 2: there are 1 fields; the first line has 2"),
        ("5\n3\n", "is not a matrix; got '1 columns'"),
        ("", "is not a matrix; got '0 columns'"),
        (",10,10\na,1,2\nb,3,4\n", "an id of a item is empty or occurs twice"),
        ("99,99\n99,99\n", "holds only ratings that mean 'not rated'; got '99'"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, content, match):
    with pytest.raises(DataError, match=match):
        load(tmp_path, content, missing=99)


def test_columns_do_not_apply(tmp_path):
    with pytest.raises(ConfigError, match="--columns does not apply to a matrix"):
        load(tmp_path, "5,1\n3,4\n", columns="1,2,3")


def test_jester(data_root):
    path = data_root / "jester" / "jester-data-1.csv.gz"
    data = load_dataset(DataConfig(dataset=str(path), matrix=True, missing=99))
    assert (len(data.table), len(data.table.users), len(data.table.items)) == (1_810_455, 24_983, 100)
    assert data.table.rating[:3].tolist() == [-7.82, 8.79, -9.66]
