"""Lists of many users in one file: each as it would be alone, the file whole or not there."""

import csv
import json

import pandas as pd
import pytest

from igmc.config import ListConfig
from igmc.errors import ConfigError, DataError, IgmcError
from igmc.inference.lists.recommend import recommend
from igmc.inference.lists.recommend_all import recommend_all
from igmc.inference.lists.request import ListRequest


def test_all_users_are_written_as_each_alone(predictor, tmp_path):
    request = ListRequest(ratings={}, genre=("Drama",), config=ListConfig(k=3, candidates=20))
    users = [5, 1, 300]
    written = recommend_all(predictor, tmp_path / "all.csv", request, users=users, progress=False)
    assert written == (3, 9, 0)
    frame = pd.read_csv(tmp_path / "all.csv")
    alone = [recommend(predictor, user_id=user, k=3, genre="Drama", candidates=20) for user in users]
    expected = pd.concat(alone, ignore_index=True)
    assert list(frame) == list(expected)
    assert frame.user_id.tolist() == expected.user_id.tolist()
    assert frame.item_id.tolist() == expected.item_id.tolist()
    assert frame.score.tolist() == pytest.approx(expected.score.tolist(), abs=6e-5)
    recommend_all(predictor, tmp_path / "all.jsonl", request, users=users, progress=False)
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [line["user_id"] for line in lines] == users
    assert [row["item_id"] for line in lines for row in line["items"]] == expected.item_id.tolist()
    assert lines[0]["items"][0]["title"] == expected.title[0]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "all.jsonl"]


def test_all_users_are_all_users_and_short_lists_are_counted(predictor, tmp_path):
    request = ListRequest(ratings={}, items=frozenset({"f001"}), config=ListConfig(k=1))
    written = recommend_all(predictor, tmp_path / "all.csv", request, progress=False)
    with (tmp_path / "all.csv").open() as file:
        rows = list(csv.reader(file))
    assert written.users == 300
    assert written.items + written.short == 300
    assert len(rows) == 1 + written.items
    empty = ListRequest(ratings={}, items=frozenset({"x"}))
    assert recommend_all(predictor, tmp_path / "none.jsonl", empty, users=[1]) == (1, 0, 1)
    line = json.loads((tmp_path / "none.jsonl").read_text())
    assert line["items"] == []
    assert line["reason"].startswith("no item is left: of 250 items, 0 of the 1 allowed")


def test_a_file_of_all_users_is_there_whole_or_not_at_all(predictor, tmp_path):
    request = ListRequest(ratings={}, config=ListConfig(k=1))
    with pytest.raises(DataError, match="this user is unknown; got 999"):
        recommend_all(predictor, tmp_path / "all.csv", request, users=[1, 999], progress=False)
    assert not list(tmp_path.iterdir())
    with pytest.raises(ConfigError, match=r"got 'all.txt'; allowed: a name that ends in .csv or .jsonl"):
        recommend_all(predictor, tmp_path / "all.txt", request)
    with pytest.raises(IgmcError, match=r"cannot write .*nowhere"):
        recommend_all(predictor, tmp_path / "nowhere" / "all.csv", request, users=[1])
