"""What is exported is what a server knows, and is read as it was written."""

import numpy as np
import pandas as pd
import pytest

from igmc.config import DataConfig
from igmc.errors import DataError
from igmc.live.applying import applied
from igmc.live.entries import Change, Draft
from igmc.live.exporting import export
from igmc.live.log import RatingLog
from igmc.ratings import Split, load_dataset
from tests.live.test_applying import by_hand


def stored(path, *drafts):
    with RatingLog(str(path)) as log:
        log.append([Change(drafts)])
        return log.read(0)


def table_of(data):
    table = data.table
    pairs = zip(table.users.decode(table.user), table.items.decode(table.item), strict=True)
    return dict(zip(pairs, table.rating.tolist(), strict=True))


@pytest.fixture
def run_ratings(demo_run):
    table = Split.load(demo_run / "split.npz").table
    pairs = zip(table.users.decode(table.user), table.items.decode(table.item), strict=True)
    return dict(zip(pairs, table.rating.tolist(), strict=True))


def test_the_ratings_of_the_run_as_the_log_has_changed_them(demo_run, run_ratings, predictor, tmp_path):
    pairs = list(run_ratings)
    known, other = pairs[0], next(pair for pair in pairs if pair[0] != pairs[0][0])
    erased = next(pair[0] for pair in pairs if pair[0] not in (known[0], other[0]))
    about = '{"title": "New, with \\"quotes\\"", "genres": ["Drama", "War"], "year": 2031}'
    log = stored(
        tmp_path / "a.db",
        Draft("item", None, "f900", about=about),
        Draft("rate", *known, 1.0, 1_700_000_000),
        Draft("rate", 9001, "f900", 5.0, 1_700_000_001),
        Draft("delete", *other),
        Draft("rate", erased, "f001", 3.0, 1_700_000_002),
        Draft("erase", erased),
    )
    out, items = tmp_path / "all.csv", tmp_path / "films.csv"
    found = export(demo_run, str(tmp_path / "a.db"), out, items)
    expected = by_hand(run_ratings, log)
    assert (found.ratings, found.position) == (len(expected), 6)
    data = load_dataset(DataConfig(dataset=str(out), item_info=str(items)))
    assert table_of(data) == expected
    assert all(user != erased for user in data.table.users.ids)
    (row,) = data.table.items.encode(["f900"])
    assert data.item_info["title"].iloc[row] == 'New, with "quotes"'
    assert (data.item_info["genres"].iloc[row], int(data.item_info["year"].iloc[row])) == ("Drama|War", 2031)
    at = np.flatnonzero(data.table.item == row)
    assert data.table.timestamp[at].tolist() == [1_700_000_001]
    served = applied(predictor, log)
    assert served.graph.n_ratings <= found.ratings  # the run holds some ratings back, for its test


def test_ids_that_a_file_cannot_tell_apart_are_refused(demo_run, tmp_path):
    stored(tmp_path / "a.db", Draft("rate", "ann", "f001", 3.0))  # where all users are numbers
    with pytest.raises(DataError, match="these user ids change in a file"):
        export(demo_run, str(tmp_path / "a.db"), tmp_path / "all.csv")
    assert not (tmp_path / "all.csv").exists()


def test_without_a_log_it_is_the_data_of_the_run(demo_run, run_ratings, tmp_path):
    export(demo_run, str(tmp_path / "new.db"), tmp_path / "all.csv")
    assert len(pd.read_csv(tmp_path / "all.csv")) == len(run_ratings)
    assert table_of(load_dataset(str(tmp_path / "all.csv"))) == run_ratings
