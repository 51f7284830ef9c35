"""Unpacks untrusted archives: every entry is checked before the first byte is written."""

from __future__ import annotations

import errno
import functools
import gzip
import lzma
import os
import shutil
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from igmc.errors import DataError

__all__ = ["is_archive", "unpack"]

MAX_BYTES = 8 * 2**30  # ML-25M, the largest data set, unpacks to 1.2 GB
MAX_RATIO = 100  # unpacked / packed; ratings as text reach about 6
MAX_ENTRIES = 10_000
_CORRUPT = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, lzma.LZMAError, zlib.error),
    *(EOFError, RuntimeError, ValueError, struct.error),
)


@dataclass(frozen=True)
class _Entry:
    """One entry as the archive declares it; `open` gives its content."""

    name: str
    size: int
    kind: str  # "file", "folder", or what else it claims to be
    open: Callable[[], IO[bytes] | None]


def is_archive(name: str) -> bool:
    """Whether `unpack` handles files of this name: .zip, .tar, .tar.gz, .tgz, .tar.bz2, .tar.xz."""
    return name.lower().endswith((".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz"))


def unpack(archive: Path, target: Path, *, inside: str, files: Iterable[str]) -> None:
    """Unpack the folder `inside` of an archive to the folder `target`, atomically.

    Args:
        archive: a .zip or .tar.* file.
        target: the folder to make; its parent exists, and it is absent or empty. One process at a time.
        inside: name of the top folder in the archive whose content is wanted; the rest is left out.
        files: names that must be there afterwards.

    Raises:
        DataError: if the archive is corrupt, holds an unsafe entry or lacks a file; nothing is left behind.
        OSError: if `target` cannot be written.
    """
    work = target.with_name(f".{target.name}.partial")
    shutil.rmtree(work, ignore_errors=True)  # left by a process that was killed
    work.mkdir()
    try:
        try:
            _unpack_into(archive, work)
        except (*_CORRUPT, OSError) as error:
            if _is_disk_trouble(error):
                raise
            raise DataError(f"{archive} cannot be unpacked: {error}", remedy="download it again") from error
        folder = work / inside
        missing = [name for name in files if not (folder / name).is_file()]
        if missing:
            raise DataError(f"{archive} lacks {', '.join(f'{inside}/{name}' for name in missing)}")
        os.replace(folder, target)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _is_disk_trouble(error: Exception) -> bool:
    # zipfile seeks to wherever a damaged header sends it, which may be before the beginning.
    corrupt = isinstance(error, gzip.BadGzipFile) or getattr(error, "errno", None) == errno.EINVAL
    return isinstance(error, OSError) and not corrupt


def _unpack_into(archive: Path, folder: Path) -> None:
    if archive.name.lower().endswith(".zip"):
        with zipfile.ZipFile(archive) as opened_zip:
            _write(archive, _checked(archive, _zip_entries(opened_zip)), folder)
    else:
        with tarfile.open(archive) as opened_tar:
            _write(archive, _checked(archive, _tar_entries(opened_tar)), folder)


def _zip_entries(opened: zipfile.ZipFile) -> Iterator[_Entry]:
    for info in opened.infolist():
        mode = stat.S_IFMT(info.external_attr >> 16)  # 0 from systems that know no such thing
        kind = "folder" if info.is_dir() else "file"
        if mode not in (0, stat.S_IFREG, stat.S_IFDIR):
            kind = "link" if mode == stat.S_IFLNK else "special file"
        elif info.flag_bits & 1:
            kind = "encrypted file"
        # The name as it is stored: `filename` ends at the first NUL.
        yield _Entry(info.orig_filename, info.file_size, kind, functools.partial(opened.open, info))


def _tar_entries(opened: tarfile.TarFile) -> Iterator[_Entry]:
    for info in opened:
        kind = "special file"
        if info.isdir():
            kind = "folder"
        elif info.issym() or info.islnk():
            kind = "link"
        elif info.isreg() and not info.issparse():
            kind = "file"
        yield _Entry(info.name, info.size, kind, functools.partial(opened.extractfile, info))


def _checked(archive: Path, entries: Iterable[_Entry]) -> list[_Entry]:
    """All entries, if every one is a plain file or folder with a tame name and all are of sane size.

    They are judged as they come, so that a bomb is refused when its headers pass a limit, not at its end.
    """
    kept: list[_Entry] = []
    seen: dict[str, str] = {}
    limit = min(MAX_BYTES, MAX_RATIO * max(archive.stat().st_size, 10_000))
    total = 0
    for entry in entries:
        path = entry.name.rstrip("/")
        if entry.kind not in ("file", "folder"):
            raise _unsafe(archive, entry, f"is a {entry.kind}")
        if not _is_tame(path):
            raise _unsafe(archive, entry, "would be written elsewhere")
        parents = ["/".join(path.split("/")[:depth]) for depth in range(1, path.count("/") + 1)]
        clashes = "file" in (entry.kind, seen.get(path)) if path in seen else False
        if clashes or any(seen.get(parent) == "file" for parent in parents):
            raise _unsafe(archive, entry, "is there twice")
        seen.update(dict.fromkeys(parents, "folder"))
        seen[path] = entry.kind
        total += entry.size
        if total > limit:
            raise _unsafe(archive, entry, f"makes it unpack to more than {limit:,} bytes")
        kept.append(entry)
        if len(kept) > MAX_ENTRIES:
            raise _unsafe(archive, entry, f"is one of more than {MAX_ENTRIES:,}")
    return kept


def _is_tame(path: str) -> bool:
    """Relative, below the folder it is unpacked in, and meaning the same on every system."""
    parts = path.split("/")
    return not any(part in ("", ".", "..") for part in parts) and not any(c in path for c in "\\:\0")


def _unsafe(archive: Path, entry: _Entry, why: str) -> DataError:
    return DataError(
        f"{archive} is not safe to unpack: entry {entry.name!r} {why}",
        allowed="plain files and folders below one folder",
        remedy="get the archive from its makers",
    )


def _write(archive: Path, entries: list[_Entry], folder: Path) -> None:
    for entry in entries:
        path = folder / entry.name
        if entry.kind == "folder":
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        content = entry.open()
        if content is None:  # the type of tarfile's answer for what is no file; _checked let none pass
            continue
        with content, path.open("xb") as out:
            shutil.copyfileobj(content, out, 1 << 20)
            written = out.tell()
            out.flush()
            os.fsync(out.fileno())
        if written != entry.size:
            raise DataError(f"{archive} is cut short in entry {entry.name!r}", remedy="download it again")
