"""Lists of many users in a folder: each as it would be alone, whatever the partition."""

import dataclasses
import json
import shutil

import pandas as pd
import pytest

from igmc.config import ListConfig
from igmc.errors import ConfigError, DataError, IgmcError, MissingExtraError
from igmc.inference.lists import list_parts
from igmc.inference.lists.list_parts import MANIFEST, recommend_parts
from igmc.inference.lists.recommend import recommend
from igmc.inference.lists.request import ListRequest
from igmc.ratings import IdTable

pytest.importorskip("pyarrow")

REQUEST = ListRequest(ratings={}, genre=("Drama",), config=ListConfig(k=3, order="score"))
USERS = [5, 1, 300, 7, 8]


def read(folder):
    return pd.concat(
        [pd.read_parquet(path) for path in sorted(folder.glob("part-*.parquet"))], ignore_index=True
    )


@pytest.fixture(scope="module")
def written(predictor, tmp_path_factory):
    folder = tmp_path_factory.mktemp("lists")
    told = recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
    return folder, told


def test_each_list_is_the_one_of_that_user(predictor, written):
    folder, told = written
    assert told == (5, 15, 0)
    assert sorted(path.name for path in folder.iterdir() if not path.name.startswith(".")) == [
        MANIFEST,
        *(f"part-0000{part}.parquet" for part in range(3)),
    ]
    found = read(folder)
    alone = [recommend(predictor, user_id=user, k=3, genre="Drama", order="score") for user in USERS]
    expected = pd.concat(alone)
    for name in ("user_id", "item_id", "title", "genres", "rank", "year", "source"):
        assert found[name].tolist() == expected[name].tolist()
    assert found.score.tolist() == expected.score.tolist()
    kinds = {tuple(map(str, pd.read_parquet(path).dtypes)) for path in folder.glob("part-*")}
    assert len(kinds) == 1


def test_the_partition_changes_no_list(predictor, written, tmp_path):
    recommend_parts(predictor, tmp_path / "whole", REQUEST, users=USERS, progress=False)
    assert read(tmp_path / "whole").equals(read(written[0]))


def test_what_was_interrupted_goes_on(predictor, written, tmp_path, monkeypatch):
    folder = shutil.copytree(written[0], tmp_path / "lists")
    whole = read(folder)
    (folder / "part-00001.parquet").unlink()
    (folder / "part-00001.parquet.host-99999999.partial").write_bytes(b"half")
    made = []
    real = list_parts._write
    monkeypatch.setattr(list_parts, "_write", lambda *a: made.append(a[2][0]) or real(*a))
    told = recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
    assert (made, told) == ([1], written[1])
    assert read(folder).equals(whole)
    assert not list(folder.glob("*.partial"))


def test_a_part_that_fails_leaves_nothing_of_itself(predictor, tmp_path, monkeypatch):
    real, calls = list_parts.list_items, []

    def breaking(*given, **more):
        calls.append(1)
        if len(calls) == 4:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(list_parts, "list_items", breaking)
    with pytest.raises(KeyboardInterrupt):
        recommend_parts(predictor, tmp_path, REQUEST, users=USERS, block=2, progress=False)
    assert [path.name for path in tmp_path.glob("part-*")] == ["part-00000.parquet"]


@pytest.mark.parametrize("change", ["request", "users", "block", "known", "settings"])
def test_a_folder_of_other_lists_is_refused(predictor, written, change):
    given = {"request": REQUEST, "users": USERS, "block": 2}
    if change == "request":
        given["request"] = dataclasses.replace(REQUEST, exclude=frozenset({"f001"}))
    elif change == "settings":
        given["request"] = dataclasses.replace(REQUEST, config=ListConfig(k=4, order="score"))
    elif change == "known":
        predictor = predictor.add_ratings({"user_id": [1], "item_id": ["f001"], "rating": [5]})
    else:
        given[change] = {"users": [5, 1], "block": 3}[change]
    with pytest.raises(
        DataError, match=r"lists of another run or request; got 'another .*hint: name another"
    ):
        recommend_parts(predictor, written[0], progress=False, **given)


def test_a_folder_with_the_columns_of_an_earlier_version_is_refused(predictor, written, tmp_path):
    folder = shutil.copytree(written[0], tmp_path / "lists")
    told = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps({**told, "format": "lists of igmc, version 1"}))
    before = sorted(folder.iterdir())
    with pytest.raises(
        DataError,
        match=r"format of another version of igmc; got '.*version 1'; allowed: .*version 2; hint: name",
    ):
        recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
    assert sorted(folder.iterdir()) == before


def test_what_cannot_be_written_is_refused_before_anything_is(predictor, tmp_path, monkeypatch):
    folder = tmp_path / "lists"
    mixed = dataclasses.replace(predictor, users=IdTable((1, *map(str, predictor.users.ids[1:]))))
    for one, users, match in (
        (mixed, None, "cannot hold the user ids; got 'int and str'"),
        (predictor, [1, 999], "the run knows no such user; got 999"),
    ):
        with pytest.raises(DataError, match=match):
            recommend_parts(one, folder, REQUEST, users=users, progress=False)
    with pytest.raises(ConfigError, match="unknown executor; got 'dask'"):
        recommend_parts(predictor, folder, REQUEST, executor="dask")
    with pytest.raises(ConfigError, match="load the predictor themselves; got 'no load'"):
        recommend_parts(predictor, folder, REQUEST, executor="ray")
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"needs pyarrow; hint: pip install 'igmc\[parquet\]'"):
        recommend_parts(predictor, folder, REQUEST, users=USERS)
    assert not folder.exists()


def test_a_folder_without_its_manifest_and_a_damaged_part_are_named(predictor, written, tmp_path):
    folder = shutil.copytree(written[0], tmp_path / "lists")
    (folder / "part-00001.parquet").write_bytes(b"PAR1 no")
    with pytest.raises(IgmcError, match=r"part-00001.parquet is damaged: .*hint: remove it"):
        recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
    told = json.loads((folder / MANIFEST).read_text())
    assert (told["users"], told["parts"], told["block"]) == (5, 3, 2)
    (folder / MANIFEST).write_text("{")
    with pytest.raises(DataError, match=r"manifest\.json cannot be read"):
        recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
    (folder / MANIFEST).unlink()
    with pytest.raises(DataError, match="lists without a manifest"):
        recommend_parts(predictor, folder, REQUEST, users=USERS, block=2, progress=False)
