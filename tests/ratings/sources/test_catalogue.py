"""The catalogue says of every data set where it comes from and how it is checked."""

import dataclasses
import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.ratings.sources.archive import is_archive
from igmc.ratings.sources.catalogue import DATASETS, Source, canonical_name


@pytest.mark.parametrize("source", [s for s in DATASETS.values() if not s.generated], ids=lambda s: s.name)
def test_catalogue_is_complete(source: Source) -> None:
    assert re.fullmatch("[0-9a-f]{64}", source.sha256)
    assert source.size > 900_000
    assert source.urls
    assert all(re.match("https?://", url) for url in source.urls)
    assert source.archive.endswith(".mat") == (source.inside == "")
    assert all((source.title, source.files, source.hash_source, source.licence, source.homepage))
    assert source.citation.startswith("@")
    assert source.citation.count("{") == source.citation.count("}")


def test_catalogue_names() -> None:
    names = "ml_100k ml_1m ml_10m ml_25m ml_latest_small flixster douban yahoo_music demo"
    assert list(DATASETS) == names.split()
    assert DATASETS["demo"].generated


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("ml_100k", "ml_100k"),
        (" ML-100K ", "ml_100k"),
        ("ml-10M100K", "ml_10m"),
        ("Yahoo-Music", "yahoo_music"),
        ("Demo", "demo"),
        ("ml_100", None),
        ("", None),
    ],
)
def test_canonical_name(text: str, name: str | None) -> None:
    assert canonical_name(text) == name


@pytest.mark.parametrize("name", ["flixster", "douban", "yahoo_music"])
def test_hash_of_the_monti_files(name: str, data_root: Path) -> None:
    file = data_root / name / "training_test_dataset.mat"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == DATASETS[name].sha256
    assert file.stat().st_size == DATASETS[name].size


@given(
    name=st.sampled_from([alias for s in DATASETS.values() for alias in (s.name, *s.folders)]),
    upper=st.booleans(),
    dash=st.booleans(),
    around=st.sampled_from(["", " ", "\t", "\n"]),
)
def test_a_name_or_folder_is_known_in_any_spelling(name: str, upper: bool, dash: bool, around: str) -> None:
    text = name.upper() if upper else name.lower()
    text = text.replace("_", "-") if dash else text.replace("-", "_")
    found = canonical_name(around + text + around)
    assert found is not None
    assert name in (found, *DATASETS[found].folders)


def test_no_two_data_sets_share_a_folder_or_a_download() -> None:
    for what in ("folders", "urls"):
        places = [place for source in DATASETS.values() for place in getattr(source, what)]
        assert len(places) == len(set(places))
    hashes = [source.sha256 for source in DATASETS.values() if not source.generated]
    assert len(hashes) == len(set(hashes))


@pytest.mark.parametrize("source", [s for s in DATASETS.values() if not s.generated], ids=lambda s: s.name)
def test_what_is_downloaded_can_be_unpacked_or_is_the_file_itself(source: Source) -> None:
    if source.inside:
        assert is_archive(source.archive)
    else:
        assert source.files == (source.archive,)
    assert all(url.rpartition("/")[2] == source.archive for url in source.urls)


def test_the_catalogue_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        DATASETS["mine"] = DATASETS["demo"]  # type: ignore[index]
    with pytest.raises(dataclasses.FrozenInstanceError):
        DATASETS["demo"].title = "mine"  # type: ignore[misc]
