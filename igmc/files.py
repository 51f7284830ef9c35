"""Locations of files, atomic writes, and locks of folders."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import glob
import logging
import os
import platform
import re
import shutil
import stat
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from igmc.errors import CheckpointError, ConfigError, IgmcError, WriteError

__all__ = [
    "WORK",
    "LineFile",
    "check_run",
    "home_dir",
    "locked",
    "replace_file",
    "replacing",
    "sweep",
    "sweep_shared",
    "writing",
]

logger = logging.getLogger(__name__)

WORK = ".work"  # folder of an extraction's scratch files
_HOST = re.sub(r"[^\w-]+", "-", platform.node()) or "host"  # without dots, which part what a name is made of
_ELSEWHERE = "choose a folder that can be written: IGMC_HOME for downloads and stores, --out for runs"
_REMEDIES = {
    errno.ENOSPC: "free some space and run the same command again: it resumes where it stopped",
    errno.EDQUOT: "free some of your quota and run the same command again: it resumes where it stopped",
    errno.EEXIST: "choose another folder: a file stands in its place",
    errno.ENOTDIR: "choose another folder: a file stands in its place",
    errno.ENOENT: "check the path",
    errno.EFBIG: "raise the limit on file sizes (ulimit -f), or use smaller shards",
    errno.EROFS: _ELSEWHERE,
    errno.EACCES: _ELSEWHERE,
    errno.EPERM: _ELSEWHERE,
}


def home_dir() -> Path:
    """Folder of downloads and stores: $IGMC_HOME, else `igmc` in the user's cache folder.

    Raises:
        ConfigError: if neither is known, as for an account without a home folder.
    """
    home, cache = os.environ.get("IGMC_HOME"), os.environ.get("XDG_CACHE_HOME")
    try:
        if home:
            return Path(home).expanduser()
        return (Path(cache) if cache else Path.home() / ".cache") / "igmc"
    except RuntimeError as error:
        raise ConfigError(
            "this account has no home folder", remedy="set IGMC_HOME to a writable folder"
        ) from error


def check_run(path: object) -> Path:
    """Check that a path looks like a run folder, without importing anything heavy, and return it.

    Raises:
        CheckpointError: if it has no ``config.json``.
        ConfigError: if it is not a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise ConfigError("this is not a run", got=path, allowed="a run folder, or the report of a run")
    folder = Path(path)
    if not (folder / "config.json").is_file():
        raise CheckpointError(
            f"{folder} is not a run folder: it has no config.json",
            remedy="give the run folder that igmc-train printed",
        )
    return folder


@contextlib.contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn an OSError while writing `path` into a WriteError with a hint.

    Raises:
        WriteError: on a full disk, a read-only folder and the like.
    """
    try:
        yield
    except OSError as error:
        raise WriteError(
            f"cannot write {path}: {error.strerror or error}",
            remedy=_REMEDIES.get(error.errno or 0, "check the disk and run the same command again"),
        ) from error


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file atomically: after a crash it is complete, or absent.

    Raises:
        WriteError: if it cannot be written; nothing is left behind.
    """
    # Host and process keep a worker that outlived its parent from renaming a file that a rerun is writing.
    partial = path.with_name(f"{path.name}.{_HOST}-{os.getpid()}.partial")
    with writing(path):
        try:
            with partial.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def replace_file(path: Path, *chunks: bytes) -> None:
    """Write this content to a file atomically; see `replacing`.

    Raises:
        WriteError: if it cannot be written; nothing is left behind.
    """
    with replacing(path) as file:
        file.writelines(chunks)


def sweep(folder: Path) -> None:
    """Remove partial files of killed processes; call it only under the lock."""
    with writing(folder):
        for partial in folder.glob("*.partial"):
            partial.unlink(missing_ok=True)
        if (folder / WORK).exists():
            shutil.rmtree(folder / WORK)


def sweep_shared(folder: Path, name: str = "*") -> None:
    """Remove the files that `replacing` had begun in processes that are no more; others may be at work here.

    Args:
        folder: that is written without a lock.
        name: of one file, if only what was to become that is meant.
    """
    with writing(folder):
        for partial in folder.glob(f"{name if name == '*' else glob.escape(name)}.*.partial"):
            host, _, writer = partial.suffixes[-2][1:].rpartition("-")
            if host in ("", _HOST) and writer.isdecimal() and not _lives(int(writer)):
                partial.unlink(missing_ok=True)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True


@contextlib.contextmanager
def locked(folder: Path, *, wait: bool = False) -> Iterator[None]:
    """Hold an existing folder alone, among the processes that ask; the lock goes with the process.

    Args:
        folder: what to hold.
        wait: until another process lets go of it, rather than giving up.

    Raises:
        IgmcError: if another process holds it.
    """
    handle = os.open(folder, os.O_RDONLY)  # a lock on the folder itself: no lock file to leave behind
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if not wait:
                raise IgmcError(
                    f"another process is writing to {folder}", remedy="wait until it has finished, or stop it"
                ) from error
            logger.info("waiting for another process to finish writing to %s", folder)
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


class LineFile:
    """A file that grows by whole lines; any number of threads and forked processes may append to it.

    A line is written by one call of the system, so that lines do not mix. When the file was renamed or
    deleted, as logrotate does, the next line begins a new one. A line that cannot be written is counted in
    `lost`.

    Args:
        path: made if it does not exist.

    Raises:
        WriteError: if it cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.lost = path, 0
        self._lock = threading.Lock()
        with writing(path):
            self._file, self._torn = self._opened()

    def __enter__(self) -> LineFile:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._file)

    def append(self, line: str) -> None:
        """Append a line, given without its end."""
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._lock:
            try:
                if not self._is_current():
                    old = self._file
                    self._file, self._torn = self._opened()
                    os.close(old)
                data = b"\n" + data if self._torn else data  # the rest of a torn line spoils no other
                written = os.write(self._file, data)
                self._torn = 0 < written < len(data)
                if written < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                if not self.lost:
                    logger.error("cannot write to %s: %s; lines are lost", self.path, error.strerror)
                self.lost += 1

    def _opened(self) -> tuple[int, bool]:
        """The file, and whether its last line is torn, as a crash leaves it."""
        found = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        state = os.fstat(found)
        if not stat.S_ISREG(state.st_mode) or not state.st_size:
            return found, False
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return found, file.read(1) != b"\n"

    def _is_current(self) -> bool:
        try:
            return os.path.samestat(os.stat(self.path), os.fstat(self._file))
        except FileNotFoundError:
            return False
