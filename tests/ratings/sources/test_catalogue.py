"""The catalogue says of every data set where it comes from and how it is checked."""

import hashlib
import re
from pathlib import Path

import pytest

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
