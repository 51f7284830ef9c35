"""Data sets by name: found where they are, or fetched, verified and unpacked."""

import dataclasses
import hashlib
import os
import re
import sys
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from igmc.errors import ConfigError, DataError, IgmcError
from igmc.ratings.sources.catalogue import DATASETS
from igmc.ratings.sources.locate import fetch, locate
from tests.ratings.sources.bad_server import BadServer, bad_server

SMALL = "ml_latest_small"


@pytest.fixture(autouse=True)
def _no_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("IGMC_DATA", raising=False)
    monkeypatch.delenv("IGMC_HOME", raising=False)


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    path = tmp_path / "given.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("ml-latest-small/ratings.csv", "userId,movieId,rating,timestamp\n1,2,3.5,4\n")
        file.writestr("ml-latest-small/movies.csv", "movieId,title,genres\n2,A (1999),Drama\n")
    return path


@pytest.fixture
def server(archive: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadServer]:
    """Serves the archive, which is for the time being the pinned one of latest-small."""
    content = archive.read_bytes()
    with bad_server(content) as running:
        pinned = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        source = dataclasses.replace(DATASETS[SMALL], urls=(running.url("/good"),), **pinned)
        monkeypatch.setattr(sys.modules[locate.__module__], "DATASETS", {**DATASETS, SMALL: source})
        yield running


def make(folder: Path, *files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file).write_text("here")
    return folder


def listing(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_real_folders_are_used_as_they_are(data_root: Path, tmp_path: Path) -> None:
    for name in ("ml_100k", "ml_1m", "ml_latest_small", "flixster", "douban", "yahoo_music"):
        assert locate(name, data_dir=data_root, home=tmp_path) == data_root / DATASETS[name].folders[0]
    assert list(tmp_path.iterdir()) == []


def test_places_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = DATASETS["ml_10m"].files
    home = tmp_path / "home"
    in_home = make(home / "raw" / "ml-10m", *files)
    assert locate("ML-10M", home=home) == in_home
    monkeypatch.setenv("IGMC_DATA", str(tmp_path / "env"))
    in_env = make(tmp_path / "env" / "ml-10M100K", *files)  # as the archive unpacks
    assert locate("ml_10m", home=home) == in_env
    assert locate("ml_10m", home=home, data_dir=make(tmp_path / "empty")) == in_home
    itself = make(tmp_path / "my-copy", *files)
    assert locate("ml_10m", home=home, data_dir=itself) == itself
    below = make(itself / "ml-10m", *files)
    assert locate("ml_10m", home=home, data_dir=itself) == below


def test_places_given_as_text(tmp_path: Path) -> None:
    make(tmp_path / "data" / "ml-latest-small", *DATASETS[SMALL].files)
    make(tmp_path / "raw" / "ml-latest-small", *DATASETS[SMALL].files)
    assert locate(SMALL, data_dir=f"{tmp_path}/data") == tmp_path / "data" / "ml-latest-small"
    assert fetch(SMALL, home=str(tmp_path)) == tmp_path / "raw" / "ml-latest-small"


def test_folder_of_another_set_is_not_taken(tmp_path: Path) -> None:
    flixster = make(tmp_path / "flixster", "training_test_dataset.mat")
    assert locate("flixster", data_dir=flixster, home=tmp_path) == flixster
    with pytest.raises(DataError, match=r"douban: training_test_dataset.mat not found"):
        locate("douban", data_dir=flixster, home=tmp_path)


def test_missing_files_are_named_with_places_and_remedy(tmp_path: Path, server: BadServer) -> None:
    folder = make(tmp_path / "data" / "ml-latest-small", "movies.csv")
    home = tmp_path / "home"
    where = f"ratings.csv not found in {folder}; looked in {folder}, {folder.parent}, {home}/raw"
    with pytest.raises(DataError, match=re.escape(where)) as caught:
        locate(SMALL, data_dir=folder.parent, home=home)
    assert f"download {server.url('/good')} yourself" in str(caught.value)
    assert "igmc data fetch ml_latest_small --from-zip ml-latest-small.zip" in str(caught.value)
    assert "movies.csv not found" not in str(caught.value)
    assert server.requests == []
    assert listing(tmp_path / "data") == ["ml-latest-small/movies.csv"]


def test_incomplete_folder_of_the_environment_is_told_not_downloaded_around(
    tmp_path: Path, server: BadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "env" / "ml-latest-small", "movies.csv")
    monkeypatch.setenv("IGMC_DATA", str(tmp_path / "env"))
    with pytest.raises(DataError, match=r"ratings\.csv not found in"):
        locate(SMALL, home=tmp_path / "home")
    assert server.requests == []


def test_data_dir_is_taken_at_its_word(tmp_path: Path, server: BadServer) -> None:
    with pytest.raises(DataError, match=r"ratings\.csv, movies\.csv not found"):
        locate(SMALL, data_dir=tmp_path / "no-such-folder", home=tmp_path / "home")
    assert server.requests == []


def test_downloaded_once_if_it_is_nowhere(tmp_path: Path, server: BadServer, archive: Path) -> None:
    home = tmp_path / "home"
    folder = locate(SMALL, home=home)
    assert folder == home / "raw" / "ml-latest-small"
    assert listing(home) == ["raw/ml-latest-small/movies.csv", "raw/ml-latest-small/ratings.csv"]
    assert locate(SMALL, home=home) == fetch(SMALL, home=home) == folder
    assert len(server.requests) == 1


def test_two_at_once_download_once(tmp_path: Path, server: BadServer) -> None:
    threads = [threading.Thread(target=fetch, args=(SMALL,), kwargs={"home": tmp_path}) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(server.requests) == 1
    assert listing(tmp_path / "raw") == ["ml-latest-small/movies.csv", "ml-latest-small/ratings.csv"]


def test_from_zip(tmp_path: Path, server: BadServer, archive: Path) -> None:
    home = tmp_path / "home"
    folder = fetch(SMALL, home=home, from_zip=archive)
    assert (folder / "ratings.csv").read_text().endswith("1,2,3.5,4\n")
    assert archive.is_file()
    assert server.requests == []
    assert listing(home) == ["raw/ml-latest-small/movies.csv", "raw/ml-latest-small/ratings.csv"]


def test_from_zip_of_a_single_file(tmp_path: Path, data_root: Path) -> None:
    given = data_root / "yahoo_music" / "training_test_dataset.mat"
    folder = fetch("yahoo-music", home=tmp_path, from_zip=given)
    assert listing(tmp_path) == ["raw/yahoo_music/training_test_dataset.mat"]
    assert (folder / given.name).read_bytes() == given.read_bytes()


def test_from_zip_with_the_wrong_file(tmp_path: Path, server: BadServer) -> None:
    home = tmp_path / "home"
    with pytest.raises(DataError, match=r"no file .*gone.zip"):
        fetch(SMALL, home=home, from_zip=tmp_path / "gone.zip")
    wrong = make(tmp_path, "wrong.zip") / "wrong.zip"
    hashes = r"is not the ml-latest-small\.zip .*got 'sha256 [0-9a-f]{64}'; allowed: sha256 [0-9a-f]{64} "
    with pytest.raises(DataError, match=hashes):
        fetch(SMALL, home=home, from_zip=wrong)
    assert not home.exists()


def test_download_with_the_wrong_hash_leaves_nothing(
    tmp_path: Path, server: BadServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = dataclasses.replace(sys.modules[locate.__module__].DATASETS[SMALL], urls=(server.url("/wrong"),))
    monkeypatch.setattr(sys.modules[locate.__module__], "DATASETS", {SMALL: source})
    with pytest.raises(DataError, match="not the expected one"):
        fetch(SMALL, home=tmp_path / "home")
    assert listing(tmp_path / "home") == []


def test_incomplete_own_folder_is_not_overwritten(tmp_path: Path, server: BadServer) -> None:
    make(tmp_path / "raw" / "ml-latest-small", "movies.csv")
    with pytest.raises(DataError, match=r"is incomplete: ratings.csv not found.*move that folder away"):
        fetch(SMALL, home=tmp_path)
    assert listing(tmp_path) == ["given.zip", "raw/ml-latest-small/movies.csv"]


@pytest.mark.parametrize(
    ("home", "remedy"),
    [
        ("/proc/igmc", "check the path"),
        ("file/igmc", "a file stands in its place"),
        ("read-only", "IGMC_HOME for downloads"),
    ],
)
def test_home_that_cannot_be_written(home: str, remedy: str, tmp_path: Path, server: BadServer) -> None:
    make(tmp_path, "file")
    make(tmp_path / "read-only").chmod(0o555)
    if home == "read-only" and os.geteuid() == 0:
        pytest.skip("root may write anywhere")
    with pytest.raises(IgmcError, match=rf"cannot write .*raw: .*{remedy}") as caught:
        fetch(SMALL, home=tmp_path / home)
    assert caught.value.exit_code == 1


def test_full_disk(tmp_path: Path, server: BadServer, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("igmc.ratings.sources.archive.shutil.copyfileobj", full)
    with pytest.raises(IgmcError, match=r"cannot write .*No space left on device"):
        fetch(SMALL, home=tmp_path / "home")
    assert listing(tmp_path / "home") == ["raw/ml_latest_small.zip"]  # verified: not fetched again
    monkeypatch.undo()


@pytest.mark.parametrize("use", [locate, fetch])
def test_names_without_files(use: object, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"unknown data set; got 'ml_2m'; allowed: ml_100k, .*demo"):
        use("ml_2m", home=tmp_path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match="demo has no files: igmc makes it from a seed"):
        use("demo", home=tmp_path)  # type: ignore[operator]
