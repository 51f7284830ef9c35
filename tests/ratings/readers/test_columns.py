import pytest

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.columns import choose, parse_columns, text_layout
from igmc.ratings.readers.files import find_file


def test_parse_columns():
    assert parse_columns(None) is None
    assert parse_columns("a, b,c") == ("a", "b", "c")
    assert parse_columns('"user, the",b,c,d') == ("user, the", "b", "c", "d")


@pytest.mark.parametrize("text", ["", "a", "a,b", "a,b,c,d,e", "a,b,a", "a,,c"])
def test_malformed_columns(text):
    with pytest.raises(ConfigError, match=r"--columns is malformed; got .*user,item,rating\[,timestamp\]"):
        parse_columns(text)


@pytest.mark.parametrize(
    ("header", "places"),
    [
        (["userId", "movieId", "rating", "timestamp"], [0, 1, 2, 3]),
        (["book_id", "user_id", "rating"], [1, 0, 2]),
        (["", "Stars", "User-ID", "ASIN"], [2, 3, 1]),
        (["ts", "item", "extra", "user", "score"], [3, 1, 4, 0]),
    ],
)
def test_usual_names(header, places):
    assert choose("x", header, None) == places


@pytest.mark.parametrize("header", [["user", "rating"], ["user", "item", "movie", "rating"], ["1", "2", "3"]])
def test_unclear_names(header):
    with pytest.raises(
        DataError, match=r"x, line 1: the columns .* not clear.* --columns 1,2,3 \(positions\)"
    ):
        choose("x, line 1", header, None)


def test_wrong_column():
    with pytest.raises(
        DataError,
        match=r"x: there is no such column; got 'usre'; allowed: user, item, rating.*did you mean user\?",
    ):
        choose("x", ["user", "item", "rating"], ("usre", "item", "rating"))
    with pytest.raises(
        DataError, match=r"no such column; got 'stars'.*if the file has no header, give positions"
    ):
        choose("x", ["user", "item", "rating"], ("user", "item", "stars"))
    with pytest.raises(DataError, match="several columns have the same name; got 'user'"):
        choose("x", ["user", "user", "rating"], ("user", "user2", "rating"))


def test_position_out_of_range(tmp_path):
    path = tmp_path / "x.tsv"
    path.write_text("\n1\t2\t3\n")
    with pytest.raises(DataError, match=r"x\.tsv, line 2: .* got 'position 4'; allowed: 1\.\.3, .*'\\t'"):
        text_layout(find_file(path), ("1", "2", "3", "4"), "utf-8")
    assert text_layout(find_file(path), ("2", "1", "3"), "utf-8").user == 1


def test_digits_that_are_no_positions_are_names(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("0,1,2\na,b,3\n")
    layout = text_layout(find_file(path), ("0", "1", "2"), "utf-8")
    assert (layout.skip, layout.user, layout.rating) == (1, 0, 2)


@pytest.mark.parametrize("delimiter", ["::", "\t", ",", ";", "|"])
def test_the_delimiter_is_the_one_that_stands_in_the_first_line(tmp_path, delimiter):
    path = tmp_path / "x.txt"
    path.write_text("\n  \n" + delimiter.join(["when", "item", "user", "rating"]) + "\n")
    layout = text_layout(find_file(path), ("user", "item", "rating"), "utf-8")
    assert (layout.delimiter, layout.fields) == (delimiter, 4)
    assert (layout.user, layout.item, layout.rating, layout.timestamp) == (2, 1, 3, None)
    assert (layout.skip, layout.blank) == (3, 2)
    layout = text_layout(find_file(path), ("1", "2", "4", "3"), "utf-8", fields=9)
    assert (layout.fields, layout.user, layout.timestamp, layout.skip) == (9, 0, 2, 2), "no header to skip"


def test_a_delimiter_within_quotes_parts_nothing(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text('"user, the",item,rating\n')
    layout = text_layout(find_file(path), ("user, the", "item", "rating"), "utf-8")
    assert (layout.delimiter, layout.fields, layout.user) == (",", 3, 0)


def test_an_empty_file_has_no_layout(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("\n \n\n")
    with pytest.raises(
        DataError, match=r"x\.csv is empty; allowed: at least one rating; to mend it: check the file"
    ):
        text_layout(find_file(path), None, "utf-8")
