"""Where the stores of a data set lie, so that `igmc-extract` writes what `igmc-train` finds."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["store_folder"]


def store_folder(home: Path, dataset: str, part: str, fingerprint: str) -> Path:
    """The folder of one part's store: ``<home>/processed/<dataset>/<part>-<first 16 digits>``.

    Args:
        home: see `igmc.files.home_dir`.
        dataset: name of the data set; characters that are awkward in a file name become ``_``.
        part: "train", "validation" or "test".
        fingerprint: of the store, see `igmc.store.fingerprint.fingerprint`.

    >>> store_folder(Path("cache"), "my ratings.csv", "test", "0123456789abcdef0123").as_posix()
    'cache/processed/my_ratings.csv/test-0123456789abcdef'
    """
    name = re.sub(r"[^\w.-]+", "_", dataset).lstrip(".") or "_"
    return home / "processed" / name / f"{part}-{fingerprint[:16]}"
