"""Locates or downloads the raw files of a known data set."""

from __future__ import annotations

import logging
import os
import shutil
from pathlib import Path

from igmc.errors import ConfigError, DataError
from igmc.files import home_dir, locked, replacing, writing
from igmc.ratings.sources.archive import is_archive, unpack
from igmc.ratings.sources.catalogue import DATASETS, Source, canonical_name
from igmc.ratings.sources.download import download, sha256_of

__all__ = ["fetch", "home_dir", "locate"]

logger = logging.getLogger(__name__)


def locate(
    name: str, *, data_dir: str | Path | None = None, home: str | Path | None = None, progress: bool = True
) -> Path:
    """The folder of the raw files of a data set, which is downloaded if not found.

    Looked for in `data_dir` if given, else in $IGMC_DATA if set (there, or in a folder of the set's name),
    then in `<home>/raw`. The files are used as found: nothing is written to that folder, and no hash is
    checked. If `data_dir` is given, nothing is downloaded.

    Raises:
        ConfigError: on an unknown name.
        DataError: if files are missing, or could not be downloaded.
    """
    source = _known(name)
    given = data_dir or os.environ.get("IGMC_DATA")
    roots = [Path(given).expanduser()] if given else []
    places = [root / folder for root in roots for folder in source.folders]
    # Sets share names of files: the folder of another set is never taken for this one.
    places += [root for root in roots if canonical_name(root.resolve().name) in (None, source.name)]
    places.append(_raw(home) / source.folders[0])
    for place in places:
        if not _missing(source, place):
            return place
    # A folder of the set's name that lacks files is a mistake to be told, not one to be downloaded around.
    partly = [place for place in places if place.is_dir() and place not in roots]
    if data_dir is None and not partly:
        return fetch(name, home=home, progress=progress)
    lacking = _missing(source, partly[0]) if partly else source.files
    raise DataError(
        f"{source.name}: {', '.join(lacking)} not found"
        + (f" in {partly[0]}" if partly else "")
        + f"; looked in {', '.join(map(str, places))}",
        remedy=_remedy(source),
    )


def fetch(
    name: str, *, home: str | Path | None = None, from_zip: Path | None = None, progress: bool = True
) -> Path:
    """Download a data set, or take it from a downloaded archive, verify it and unpack it.

    Args:
        name: a data set, as in `DATASETS`.
        home: the home folder; `home_dir()` if not given.
        from_zip: path of the archive (or .mat file) if already on this machine; it is not modified.
        progress: show a bar on stderr if that is a terminal.

    Returns:
        The folder `<home>/raw/<set>` with its files; one that is already complete is used as it is.

    Raises:
        ConfigError: on an unknown name.
        DataError: if the archive cannot be downloaded, has the wrong hash or is unsafe; nothing is left
            unpacked.
        IgmcError: if the home folder cannot be written.
    """
    source = _known(name)
    raw = _raw(home)
    target = raw / source.folders[0]
    if not _missing(source, target):
        return target
    if from_zip is not None:
        _verify(source, from_zip)
    with writing(raw):
        raw.mkdir(parents=True, exist_ok=True)
        with locked(raw, wait=True):
            if _missing(source, target):  # still: another process may have had the lock
                _refuse_leftovers(source, target)
                _install(source, target, from_zip, progress=progress)
    return target


def _install(source: Source, target: Path, from_zip: Path | None, *, progress: bool) -> None:
    archive = from_zip
    if archive is None:
        logger.info("downloading %s (%s); %s", source.name, source.homepage, source.licence)
        archive = target.with_name(source.name + Path(source.archive).suffix)
        download(source.urls, archive, size=source.size, sha256=source.sha256, progress=progress)
    if is_archive(source.archive):
        unpack(archive, target, inside=source.inside, files=source.files)
    else:
        work = target.with_name(f".{target.name}.partial")
        work.mkdir(exist_ok=True)
        with archive.open("rb") as content, replacing(work / source.archive) as copy:
            shutil.copyfileobj(content, copy, 1 << 20)
        os.replace(work, target)
    if from_zip is None:
        archive.unlink()


def _known(name: str) -> Source:
    canonical = canonical_name(name)
    downloadable = [source.name for source in DATASETS.values() if not source.generated]
    if canonical is None:
        raise ConfigError("unknown data set", got=name, allowed=", ".join(DATASETS))
    if DATASETS[canonical].generated:
        raise ConfigError(
            f"{canonical} has no files: igmc makes it from a seed", allowed=", ".join(downloadable)
        )
    return DATASETS[canonical]


def _raw(home: str | Path | None) -> Path:
    return Path(home or home_dir()) / "raw"


def _missing(source: Source, folder: Path) -> list[str]:
    return [file for file in source.files if not (folder / file).is_file()]


def _verify(source: Source, archive: Path) -> None:
    if not archive.is_file():
        raise DataError(f"no file {archive}", remedy=_remedy(source))
    got = sha256_of(archive)
    if got != source.sha256:
        raise DataError(
            f"{archive} is not the {source.archive} of {source.name}",
            got=f"sha256 {got}",
            allowed=f"sha256 {source.sha256} ({source.hash_source})",
            remedy=f"download it from {source.urls[0]}",
        )


def _refuse_leftovers(source: Source, target: Path) -> None:
    if target.is_dir() and any(target.iterdir()):
        raise DataError(
            f"{target} is incomplete: {', '.join(_missing(source, target))} not found",
            remedy="move that folder away and fetch again",
        )


def _remedy(source: Source) -> str:
    return (
        f"run 'igmc data fetch {source.name}', or download {source.urls[0]} yourself and run "
        f"'igmc data fetch {source.name} --from-zip {source.archive}'"
    )
