import pytest

from igmc.errors import ConfigError, DataError
from igmc.ratings.readers.columns import bare_names, choose, parse_columns


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
