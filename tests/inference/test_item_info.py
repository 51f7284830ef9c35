"""What a run folder keeps of its items: titles, genres, years; read back whole, or refused."""

import gzip
import shutil

import pandas as pd
import pytest

from igmc.errors import CheckpointError
from igmc.inference.item_info import ITEMS_FILE, ItemInfo
from igmc.inference.predictor import Predictor
from igmc.ratings.ids import IdTable

ITEMS = IdTable(("a", "b", "c", "d"))
INFO = ItemInfo(("One", "Two", "Three", ""), ("Drama|War", "drama", "Comedy", ""), (1990, 2000, None, 2010))


def test_items_are_found_by_genre_whatever_the_capitals():
    assert INFO.genre_names == ("Comedy", "Drama", "War", "drama")
    assert INFO.of_genres(["DRAMA"]).tolist() == [True, True, False, False]
    assert INFO.of_genres(["war", "comedy"]).tolist() == [True, False, True, False]
    assert INFO.of_genres(["Western"]).tolist() == INFO.of_genres([]).tolist() == [False] * 4
    assert INFO.of_genres(["war"]).tolist() == [True, False, False, False], "a search changes nothing"


def test_items_are_found_by_year_and_both_ends_count():
    assert INFO.of_years(1990, 2000).tolist() == [True, True, False, False]
    assert INFO.of_years(2000, None).tolist() == [False, True, False, True]
    assert INFO.of_years(None, 1990).tolist() == [True, False, False, False]


def test_columns_that_a_data_set_does_not_have_are_unknown():
    info = ItemInfo.of(pd.DataFrame({"title": ["One", None]}))
    assert (info.titles, info.genres, info.years) == (("One", ""), ("", ""), (None, None))
    assert ItemInfo.of(pd.DataFrame(index=range(2))).titles == ("", "")


@pytest.fixture
def copied(demo_run, tmp_path):
    return shutil.copytree(demo_run, tmp_path / "run")


def test_titles_of_another_run_or_a_damaged_file_are_refused(copied, predictor):
    content = (copied / ITEMS_FILE).read_bytes()
    for damaged in (content[:-20], b"x", gzip.compress(b"[]"), gzip.compress(b'{"format": 1}')):
        (copied / ITEMS_FILE).write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"items.json.gz cannot be read.*delete items.json.gz"):
            Predictor.from_run(copied, device="cpu")
    ItemInfo(("a",), ("",), (None,)).save(copied, IdTable((1,)))
    with pytest.raises(CheckpointError, match="is not of the items of this run"):
        Predictor.from_run(copied, device="cpu")


def test_what_is_known_of_items_survives_the_file(tmp_path):
    frame = pd.DataFrame({"title": ['Ünï, "x"', ""], "year": pd.array([1999, None], "Int64")})
    items = IdTable((1, "1"))
    ItemInfo.of(frame).save(tmp_path, items)
    info = ItemInfo.load(tmp_path, items)
    assert (info.titles, info.genres, info.years) == (('Ünï, "x"', ""), ("", ""), (1999, None))
    assert info.of_years(None, None).tolist() == [True, False]
    assert ItemInfo.load(tmp_path / "nowhere", items) is None


def test_the_file_holds_no_time_so_that_equal_items_make_equal_bytes(tmp_path):
    INFO.save(tmp_path, ITEMS)
    assert (tmp_path / ITEMS_FILE).read_bytes()[4:8] == bytes(4)  # where gzip writes the time
