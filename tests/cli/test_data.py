"""igmc data: what there is, where it is, and how to get it."""

import dataclasses
import hashlib
import json
import sys
import zipfile

import pytest

from igmc.ratings.sources.catalogue import DATASETS
from igmc.ratings.sources.locate import locate


@pytest.fixture
def folder(tmp_path):
    """A data folder with one (empty) data set in it."""
    for name in DATASETS["ml_1m"].files:
        path = tmp_path / "data" / "ml-1m" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "data"


def listed(run):
    code, out, err = run
    assert (code, err) == (0, "")
    return {entry["name"]: entry for entry in json.loads(out)["datasets"]}


def test_all_data_sets_are_listed_with_what_is_here(command, home, folder):
    entries = listed(command("igmc", "data", "list", "--data-dir", folder, "--json"))
    assert set(entries) == set(DATASETS)
    assert [name for name, entry in entries.items() if entry["available"]] == ["ml_1m", "demo"]
    assert entries["ml_1m"]["folder"] == str(folder / "ml-1m")
    assert not home.exists(), "listing downloads nothing"


def test_the_environment_variable_counts_too(command, home, folder, monkeypatch):
    assert listed(command("igmc", "data", "list", "--json"))["ml_1m"]["folder"] is None
    monkeypatch.setenv("IGMC_DATA", str(folder))
    assert listed(command("igmc", "data", "list", "--json"))["ml_1m"]["folder"] == str(folder / "ml-1m")


def test_the_list_for_people_names_licence_and_remedy(command, home, folder):
    code, out, _ = command("igmc", "data", "list", "--data-dir", folder)
    assert code == 0
    assert f"in {folder / 'ml-1m'}" in out
    assert "not on this machine: igmc data fetch ml_100k (4.9 MB)" in out
    assert "no redistribution without permission" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nosuch"], 2, "unknown data set; got 'nosuch'; allowed: ml_100k"),
        (["demo"], 2, "demo has no files"),
        (["ml_1m", "--from-zip", "missing.zip"], 3, "no file missing.zip"),
        ([], 2, "Missing argument 'NAME'; see igmc data fetch -h"),
    ],
)
def test_what_cannot_be_fetched(command, home, arguments, code, message):
    got, out, err = command("igmc", "data", "fetch", *arguments)
    assert (got, out) == (code, "")
    assert err.startswith("igmc: error: ")
    assert message in err


def test_an_archive_that_is_not_what_it_should_be_is_refused(command, home, tmp_path):
    archive = tmp_path / "ml-1m.zip"
    archive.write_bytes(b"something else")
    code, _, err = command("igmc", "data", "fetch", "ml_1m", "--from-zip", archive)
    assert code == 3
    assert f"{archive} is not the ml-1m.zip of ml_1m; got 'sha256 " in err
    assert not (home / "raw" / "ml-1m").exists()


def test_an_archive_at_hand_is_checked_and_unpacked_and_its_terms_are_told(
    command, home, tmp_path, monkeypatch
):
    archive = tmp_path / "ml-1m.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in DATASETS["ml_1m"].files:
            file.writestr(f"ml-1m/{name}", f"this is {name}")
    pinned = {"sha256": hashlib.sha256(archive.read_bytes()).hexdigest(), "size": archive.stat().st_size}
    source = dataclasses.replace(DATASETS["ml_1m"], **pinned)
    monkeypatch.setattr(sys.modules[locate.__module__], "DATASETS", {**DATASETS, "ml_1m": source})
    code, out, err = command("igmc", "data", "fetch", "ML-1M", "--from-zip", archive)
    assert (code, err) == (0, "")
    first, second, third, *citation = out.splitlines()
    assert first == f"ml_1m is in {home / 'raw' / 'ml-1m'}"
    assert second == f"licence: {source.licence}"
    assert third == "please cite:"
    assert "\n".join(citation) == source.citation
    assert (home / "raw" / "ml-1m" / "users.dat").read_text() == "this is users.dat"
    assert listed(command("igmc", "data", "list", "--json"))["ml_1m"]["folder"] == str(home / "raw" / "ml-1m")


def test_what_is_there_is_not_fetched_again(command, home, tmp_path, monkeypatch):
    (tmp_path / "data" / "ml-100k").mkdir(parents=True)
    for name in DATASETS["ml_100k"].files:
        (tmp_path / "data" / "ml-100k" / name).write_text("1\t1\t5\t1\n")
    monkeypatch.setenv("IGMC_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("igmc.ratings.sources.fetch", None)
    code, out, err = command("igmc-data", "fetch", "ML-100K")
    assert code == 0, err
    assert out.startswith(f"ml_100k is already there: {tmp_path / 'data' / 'ml-100k'}\n")
