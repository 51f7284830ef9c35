"""Files of pairs, ratings and item ids: read by their headers, ids as the run writes them, lines named."""

import dataclasses
import gzip
import io

import pandas as pd
import pytest

from igmc.errors import DataError
from igmc.inference.input_files import (
    read_item_ids,
    read_own_ratings,
    read_pairs,
    read_pairs_file,
    with_ratings_file,
)
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import RatingScale
from tests.inference.small import GRAPH, make_scorer, predictor_of


@pytest.fixture(scope="module")
def known():
    """A predictor that knows users 0..19 and items 0..14, whole numbers all, and ratings 1..5."""
    return predictor_of(GRAPH, make_scorer())


@pytest.fixture
def write(tmp_path):
    """Writes a file and gives its path."""

    def written(text, name="mine.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


@pytest.mark.parametrize("delimiter", list(",\t;|"))
def test_pairs_are_read_by_the_names_of_their_columns(known, delimiter):
    lines = ["item_id,when,user_id", "3,x,1", "", "new,,2", "03,,1"]
    text = io.StringIO("\n".join(lines).replace(",", delimiter))
    assert read_pairs(known, text, "p") == ([1, 2, 1], [3, "new", "03"])


def test_a_byte_order_mark_is_no_part_of_a_name(known):
    assert read_pairs(known, io.StringIO("\ufeffuser,item\n1,2\n"), "p") == ([1], [2])


def test_pairs_of_a_file_may_be_compressed_marked_or_in_latin_1(known, write):
    text = "userId,item\nMüller,3\n"
    for content, name in (
        (text.encode("utf-8-sig"), "a.csv"),
        (text.encode("latin-1"), "b.csv"),
        (gzip.compress(text.encode()), "c.csv.gz"),
    ):
        assert read_pairs_file(known, write(content, name)) == (["Müller"], [3])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the first line of p does not name the column of users and that of items"),
        (
            "1,2\n",
            "does not name the column of users and that of items; got '1,2'; allowed: .*user_id",
        ),
        ("user,item,item_id\n1,2,3\n", "does not name the column"),
        ("user,item\n\n", "p holds no pairs"),
        ("user,item\n1,2\n3\n", "p, line 3: the user or the item is missing; got '3'"),
        ('user,item\n1,"2\n', "p, line 2: unexpected end of data"),
    ],
)
def test_what_holds_no_pairs(known, text, message):
    with pytest.raises(DataError, match=message):
        read_pairs(known, io.StringIO(text), "p")


def test_own_ratings_are_typed_or_in_a_file(known, write):
    expected = {1: 5.0, "x": 2.0, 7: 4.0}
    assert read_own_ratings(known, "1=5, x=2,7=4.0") == expected
    assert read_own_ratings(known, str(write("stars\titem\n5\t1\n2\tx\n\n4\t7\n"))) == expected
    assert read_own_ratings(known, str(write("item,rating\n"))) == {}


def test_of_a_file_of_several_users_the_lines_of_one_are_read(known, write):
    several = str(write("user,item,rating\nyou,1,5\n3,1,4\n3,2,1\n"))
    assert read_own_ratings(known, several, 3) == {1: 4.0, 2: 1.0}
    assert read_own_ratings(known, several, "you") == {1: 5.0}
    with pytest.raises(DataError, match=r"holds the ratings of several users; got 'you, 3'; .*--user"):
        read_own_ratings(known, several)
    with pytest.raises(DataError, match="holds no rating of user 4; got 'ratings of you, 3'"):
        read_own_ratings(known, several, 4)
    assert read_own_ratings(known, str(write("user,item,rating\n3,2,1\n"))) == {2: 1.0}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("1=good", "--ratings: a rating is not a number; got 'good'; allowed: ratings such as"),
        ("1=5,1=4", "--ratings: item 1 is rated twice"),
        ("1=5,2=1,5", "--ratings: a rating without an item; got '5'; .*write decimals with a point"),
        ("1=5,2=9", r"--ratings: a rating is not on the scale; got 9\.0"),
        ("missing.csv", "there is no file missing.csv"),
        ("1:5", "--ratings: neither a file nor ratings; got '1:5'; allowed: a file, or item=rating"),
    ],
)
def test_typed_ratings_that_are_none(known, given, message):
    with pytest.raises(DataError, match=message):
        read_own_ratings(known, given)


def test_the_line_of_a_bad_rating_is_named(known, write):
    for text, message in (
        (
            "item,rating\n1,5\n2,x\n",
            r"mine\.csv, line 3: a rating is not a number; got 'x'",
        ),
        ("item,rating\n1,5\n\n2,9\n", r"mine\.csv, line 4: a rating is not on the scale"),
        ("item,rating\n1,5\n1,4\n", r"mine\.csv, line 3: item 1 is rated twice"),
    ):
        with pytest.raises(DataError, match=message):
            read_own_ratings(known, str(write(text)))


def test_item_ids_stand_one_a_line_or_in_their_column(known, write):
    assert read_item_ids(known, write("1\n\n x \n07\n")) == [1, "x", "07"]
    assert read_item_ids(known, write("price;item_id\n2;1\n3;x\n")) == [1, "x"]
    with pytest.raises(DataError, match=r"mine\.csv, line 2: several item ids, or a column without a header"):
        read_item_ids(known, write("1\n2,3\n"))
    with pytest.raises(DataError, match="holds no item ids; allowed: one per line"):
        read_item_ids(known, write("\n"))


def test_ids_are_texts_where_the_run_has_texts(known, write):
    texts = dataclasses.replace(known, items=IdTable(tuple(map(str, known.items.ids))))
    assert read_item_ids(texts, write("1\n7\n")) == ["1", "7"]
    assert read_own_ratings(texts, "1=5") == {"1": 5.0}


@pytest.mark.parametrize("name", ["new.csv", "new.parquet"])
def test_ratings_of_a_file_become_known(known, tmp_path, name):
    frame = pd.DataFrame({"user": ["3", "me", "me"], "item": ["4", "4", "new"], "rating": [1, 5, 2]})
    frame.to_csv(tmp_path / name, index=False) if name == "new.csv" else frame.to_parquet(tmp_path / name)
    found = with_ratings_file(known, tmp_path / name)
    expected = known.add_ratings({"user_id": [3, "me", "me"], "item_id": [4, 4, "new"], "rating": [1, 5, 2]})
    assert (found.users, found.items) == (expected.users, expected.items)
    assert found.users.ids[-1] == "me"
    assert found.graph.rebuilt().digest() == expected.graph.rebuilt().digest()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("user,item,rating\n", r"mine\.csv holds no ratings"),
        ("user,item,rating\nme,1,4\nme,2,9\n", r"mine\.csv, line 3: a rating is not on the scale; got 9\.0"),
        ("user,item,rating\nme,1,4\nme,1,5\n", r"mine\.csv: user 'me' rates item 1 twice; allowed: each"),
    ],
)
def test_ratings_of_a_file_that_cannot_be_known(known, write, text, message):
    with pytest.raises(DataError, match=message):
        with_ratings_file(known, write(text))


def test_decimal_commas_in_a_file_of_ratings_are_read_as_in_tables(known, write):
    assert read_own_ratings(known, str(write("item_id;rating\n2;1,0\n3;4,0\n"))) == {2: 1.0, 3: 4.0}


@pytest.mark.parametrize(
    "given", ["3,7", "3=1,7", "3\n7\n", "item_id\n3\n7\n", "user,item\n9,3\n9,7\n", "item,rating\n3,4\n7,1\n"]
)
def test_where_all_ratings_are_equal_the_items_do(known, write, given):
    clicks = dataclasses.replace(known, scale=RatingScale.fit([1.0]))
    text = str(write(given, "mine.txt")) if "\n" in given else given
    assert read_own_ratings(clicks, text) == {3: 1.0, 7: 1.0}
    if "user" in given:
        assert read_own_ratings(clicks, text, 9) == {3: 1.0, 7: 1.0}
        with pytest.raises(DataError, match="holds no rating of user 8"):
            read_own_ratings(clicks, text, 8)
    with pytest.raises(DataError, match="item 3 is rated twice"):
        read_own_ratings(clicks, "3,7,3")
