"""Files of any compression and encoding, opened one way; what goes wrong with them is a `DataError`."""

from __future__ import annotations

import bz2
import difflib
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from igmc.errors import DataError

__all__ = ["RatingFile", "decoded", "find_file"]

_TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".dat", ".data", ".parquet")
_DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
# The codec of each byte order mark; utf-8-sig also reads text without one.
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class RatingFile:
    """A file, or a member of a zip, that is decompressed while it is read. Make one with `find_file`.

    Attributes:
        path: the file on disk.
        member: the name inside it if it is a zip.
    """

    path: Path
    member: str | None = None

    def __str__(self) -> str:
        return str(self.path) if self.member is None else f"{self.path}/{self.member}"

    @property
    def suffix(self) -> str:
        """The lower-case suffix of what is inside: ``.csv`` for ``x.csv.gz``."""
        name = Path(self.member or self.path.name)
        if name.suffix.lower() in (".gz", ".bz2", ".xz"):
            name = name.with_suffix("")
        return name.suffix.lower()

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The decompressed bytes.

        Raises:
            DataError: if the file is missing, unreadable, or damaged, also while it is being read.
            MemoryError: naming the file, if there is not enough while it is being read.
        """
        try:
            with self._decompressed() as stream:
                yield stream
        except FileNotFoundError as error:
            raise _missing(self.path) from error
        except _DAMAGE as error:
            raise _damaged(self, error) from error
        except MemoryError as error:
            raise MemoryError(f"while reading {self}") from error

    @contextmanager
    def open_text(self, encoding: str) -> Iterator[io.TextIOWrapper]:
        """The text with its line ends as they are; ``UnicodeDecodeError`` if it has another encoding."""
        with self.open() as stream, io.TextIOWrapper(stream, encoding=encoding, newline="") as text:
            yield text

    def encodings(self) -> tuple[str, ...]:
        """The encodings to try, in order."""
        with self.open() as stream:
            head = stream.read(4096)
        if head[:2] in _MARKS:
            return (_MARKS[head[:2]],)
        if b"\0" in head:
            raise DataError(f"{self} is not a text file", allowed="CSV, TSV or other text, or Parquet")
        return ("utf-8-sig", "latin-1")

    def _decompressed(self) -> IO[bytes]:
        if self.member is not None:
            with zipfile.ZipFile(self.path) as archive:
                # The member holds the file open after the archive object is closed.
                return archive.open(self.member)
        with open(self.path, "rb") as file:
            magic = file.read(6)
        if magic.startswith(b"\x1f\x8b"):
            return cast(IO[bytes], gzip.open(self.path))
        if magic.startswith(b"BZh"):
            return bz2.open(self.path)
        if magic == b"\xfd7zXZ\0":
            return lzma.open(self.path)
        return open(self.path, "rb")


def find_file(path: Path) -> RatingFile:
    """The file at a path, which may lead into a zip (``x.zip`` with one table inside, or ``x.zip/a/b.csv``).

    Raises:
        DataError: if there is no such file, or a zip does not say which of its files is meant.
    """
    for archive in (path, *path.parents):
        if archive.is_file():
            if zipfile.is_zipfile(archive):
                return RatingFile(archive, _member(archive, path.relative_to(archive).as_posix()))
            if archive == path:
                return RatingFile(path)
    raise _missing(path)


def decoded(data: bytes) -> str:
    """Text that is Latin-1 unless it is UTF-8, or UTF-16 with its mark.

    >>> decoded("Müller".encode("latin-1")), decoded("Müller".encode("utf-8-sig"))
    ('Müller', 'Müller')
    """
    try:
        return data.decode(_MARKS.get(data[:2], "utf-8-sig"))
    except UnicodeDecodeError:
        return data.decode("latin-1")


def _member(archive: Path, wanted: str) -> str:
    try:
        with zipfile.ZipFile(archive) as zipped:
            names = [n for n in zipped.namelist() if not n.endswith("/") and not n.startswith("__MACOSX/")]
    except _DAMAGE as error:
        raise _damaged(archive, error) from error
    if wanted == ".":
        fitting = [n for n in names if n.lower().endswith(_TABLE_SUFFIXES)] if len(names) != 1 else names
        if len(fitting) == 1:
            return fitting[0]
    elif wanted in names:
        return wanted
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    raise DataError(
        f"{archive} is a zip that "
        + ("does not hold exactly one table" if wanted == "." else f"does not hold {wanted}"),
        allowed=listed or "a zip with a file in it",
        remedy=f"name one of its files, as in {archive}/{names[0] if names else 'ratings.csv'}",
    )


def _damaged(file: RatingFile | Path, error: Exception) -> DataError:
    return DataError(
        f"{file} cannot be read ({error})",
        allowed="a readable file, plain or whole .gz, .bz2, .xz or .zip",
        remedy="check its permissions, or fetch it again",
    )


def _missing(path: Path) -> DataError:
    if path.is_dir():
        return DataError(f"{path} is a folder where a file is needed", remedy="give the path of a file")
    siblings = [p.name for p in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, siblings, n=3)
    return DataError(
        f"there is no file {path}",
        remedy=f"did you mean {' or '.join(near)}?" if near else "check the path",
    )
