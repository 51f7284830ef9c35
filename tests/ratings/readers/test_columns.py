import pytest

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.columns import bare_names, choose, parse_columns


def test_parse_columns():
    assert parse_columns(None) is None
    assert parse_columns("a, b,c") == ("a", "b", "c")
    assert parse_columns('"user, the",b,c,d') == ("user, the", "b", "c", "d")


@pytest.mark.parametrize("text", ["", "a", "a,b,c,d,e", "a,b,a", "a,,c"])
def test_malformed_columns(text):
    with pytest.raises(ConfigError, match=r"--columns is malformed; got .*user,item,rating\[,timestamp\]"):
        parse_columns(text)


def test_implicit_data_need_no_rating():
    assert parse_columns("a,b", implicit=True) == ("a", "b", "")
    assert parse_columns("a,b,,t", implicit=True) == ("a", "b", "", "t")
    assert parse_columns("a,b,c,t", implicit=True) == ("a", "b", "c", "t")
    for text in ("a", "a,a", "a,,", "a,b,,a", "a,b,,"):
        with pytest.raises(ConfigError, match=r"--columns is malformed; .*user,item,,timestamp"):
            parse_columns(text, implicit=True)


def test_two_columns_ask_for_implicit_and_a_time_is_no_rating():
    for text in ("a,b", "a,b,,t"):
        with pytest.raises(ConfigError, match=r"--columns names no rating.*clicks or purchases.*--implicit"):
            parse_columns(text)
    with pytest.raises(ConfigError, match=r"the third .* is the rating.*--columns a,b,,Timestamp"):
        parse_columns("a,b,Timestamp", implicit=True)


@pytest.mark.parametrize(
    ("header", "columns", "places"),
    [
        (["item", "user"], None, [1, 0, None]),
        (["item", "user", "ts"], None, [1, 0, None, 2]),
        (["item", "user", "stars"], None, [1, 0, 2]),
        (["who", "what", "when"], ("who", "what", "", "when"), [0, 1, None, 2]),
    ],
)
def test_places_of_implicit_data(header, columns, places):
    assert choose("x", header, columns, implicit=True) == places


def test_a_header_without_a_rating_asks_for_implicit():
    with pytest.raises(DataError, match=r"x: cannot find the column of the rating.*--implicit"):
        choose("x", ["user", "item", "when"], None)
    with pytest.raises(DataError, match="cannot find the columns of user and item by name"):
        choose("x", ["user", "rating"], None, implicit=True)


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
        DataError, match=r"x, line 1: cannot find the columns .* --columns 1,2,3 \(positions\)"
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


def test_the_types_of_recbole_are_no_part_of_the_names():
    assert bare_names(["user_id:token", " item_id:token", "rating:float"]) == ["user_id", "item_id", "rating"]
    assert bare_names(["user:id", "item:token", "rating"]) == ["user:id", "item:token", "rating"]
