"""Files that tell of the items."""

import json
import zipfile

import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.ratings import Dataset
from igmc.ratings.ids import IdTable
from igmc.ratings.load import load_dataset
from igmc.ratings.readers.items import item_table, read_items

NUMBERS, TEXTS = IdTable((1, 2, 3)), IdTable(("0007", "b"))


def write(tmp_path, content, name="items.csv"):
    path = tmp_path / name
    path.write_text(content)
    return path


def told(info: pd.DataFrame) -> dict:
    return info.astype(object).where(info.notna(), None).to_dict("list")


def test_a_header_names_the_columns(tmp_path):
    content = 'item_id,title,genres,release_year\n3,"The C, 1",A|B,1990\n1,One,"Drama, Comedy",n/a\n9,No,,1\n'
    info, note = read_items(write(tmp_path, content), NUMBERS)
    assert told(info) == {
        "title": ["One", "", "The C, 1"],
        "year": [None, None, 1990],
        "genres": ["Drama|Comedy", "", "A|B"],
    }
    assert note == f"title, year, genres of 2 of 3 items known from {tmp_path}/items.csv (by item_id)"


def test_movielens_layouts(tmp_path):
    info, _ = read_items(
        write(tmp_path, "1::One (1994)::Drama|War\n2::Two (2001-)::\n", "movies.dat"), NUMBERS
    )
    assert told(info) == {
        "title": ["One (1994)", "Two (2001-)", ""],
        "year": [1994, 2001, None],
        "genres": ["Drama|War", "", ""],
    }
    info, _ = read_items(write(tmp_path, "1|One (1994)|01-Jan-1994||url|0|1\n", "u.item"), NUMBERS)
    assert told(info) == {"title": ["One (1994)", "", ""], "year": [1994, None, None]}


def test_recbole_json_and_parquet(tmp_path):
    content = "item_id:token\tmovie_title:token_seq\tclass:token_seq\n1\tOne\tDrama War\n"
    info, _ = read_items(write(tmp_path, content, "x.item"), NUMBERS)
    assert told(info) == {"title": ["One", "", ""], "genres": ["Drama|War", "", ""]}
    lines = json.dumps({"asin": "b", "title": "Bee", "categories": [["Toys", "Games"], ["Toys"]]})
    info, _ = read_items(write(tmp_path, lines, "meta.jsonl"), TEXTS)
    assert told(info) == {"title": ["", "Bee"], "genres": ["", "Toys|Games"]}
    pytest.importorskip("pyarrow")
    pd.DataFrame({"item_id": [2, 3], "name": ["Two", None], "year": [1999, 2000]}).to_parquet(
        tmp_path / "i.pq"
    )
    info, _ = read_items(tmp_path / "i.pq", NUMBERS)
    assert told(info) == {"title": ["", "Two", ""], "year": [None, 1999, 2000]}


def test_of_several_columns_of_ids_the_one_that_fits_counts(tmp_path):
    info, note = read_items(write(tmp_path, "id,book_id,title\n1,900,One\n2,1,Two\n"), NUMBERS)
    assert (told(info)["title"], "by id" in note) == (["One", "Two", ""], True)


def test_ids_that_are_written_otherwise_are_compared_as_numbers(tmp_path):
    info, _ = read_items(write(tmp_path, "item_id,title\n7,Seven\n"), TEXTS)
    assert told(info)["title"] == ["Seven", ""]


@pytest.mark.parametrize("content", ["item_id,title\n8,x\n", "a,b\nc,d\n", "item_id,colour\n1,red\n"])
def test_a_file_that_tells_nothing_is_refused(tmp_path, content):
    with pytest.raises(DataError, match=r"contains none of the rated items.*ids are such as 1, 2, 3"):
        read_items(write(tmp_path, content), NUMBERS)


def test_titles_come_with_a_file_of_ratings(tmp_path):
    ratings = write(tmp_path, "user,item,rating\na,1,3\nb,2,4\n", "ratings.csv")
    write(tmp_path, "item_id,title\n1,One\n2,Two\n")
    data = load_dataset(DataConfig(dataset=str(ratings), item_info=str(tmp_path / "items.csv")))
    assert data.item_info.title.tolist() == ["One", "Two"]
    assert "title of 2 of 2 items known from" in str(data.report)


def test_the_column_of_ids_may_be_named_as_in_the_ratings(tmp_path):
    ratings = write(tmp_path, "Kunde;Artikel;Note\na;01;3\nb;02;4\n", "ratings.csv")
    items = write(tmp_path, "Artikel;Name;Genre;Year\n01;One;A,B;1990\n02;Two;;\n")
    how = {"columns": "Kunde,Artikel,Note", "item_info": str(items)}
    data = load_dataset(DataConfig(dataset=str(ratings), **how))
    assert told(data.item_info) == {"title": ["One", "Two"], "year": [1990, None], "genres": ["A|B", ""]}
    assert "title, year, genres of 2 of 2 items known" in str(data.report)
    assert "(by Artikel)" in str(data.report)


def test_goodbooks(data_root):
    folder = data_root / "goodbooks"
    with zipfile.ZipFile(folder / "books.zip") as archive:
        assert archive.namelist() == ["books.csv"]
    info, _ = read_items(folder / "books.zip", IdTable(tuple(range(1, 10_001))))
    assert info.title[0] == "The Hunger Games (The Hunger Games, #1)"
    assert (info.title != "").all()


def test_a_table_as_it_stands_with_short_rows_filled(tmp_path):
    found = item_table(write(tmp_path, "id;title;year\n7;One;1990\n8;Two\n"))
    assert told(found) == {"id": ["7", "8"], "title": ["One", "Two"], "year": ["1990", ""]}


def test_an_item_may_stand_twice_but_not_with_two_titles(tmp_path):
    same = "item_id,title,price\n1,One,5\n2,Two,5\n1,One,6\n"
    info, _ = read_items(write(tmp_path, same), NUMBERS)
    assert told(info)["title"] == ["One", "Two", ""]
    with pytest.raises(DataError, match="describes an item twice, in different ways; got '1'"):
        read_items(write(tmp_path, same + "1,Other,5\n"), NUMBERS)
    frame = pd.read_csv(tmp_path / "items.csv")
    ratings = pd.DataFrame({"user": [1, 2, 1], "item": [1, 2, 3], "rating": [1, 2, 3]})
    assert Dataset.from_frame(ratings, items=frame[:3]).item_info.title.tolist()[:2] == ["One", "Two"]
    with pytest.raises(DataError, match="describes an id twice, in different ways; got 1; hint: keep one"):
        Dataset.from_frame(ratings, items=frame)
