"""Opens files of any compression and encoding; failures become a `DataError`."""

from __future__ import annotations

import bz2
import difflib
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TextIO, cast

from igmc.errors import DataError

__all__ = ["LONGEST", "RatingFile", "decoded", "find_file"]

LONGEST = 1 << 24  # characters of a line at most

_TABLE_SUFFIXES = (
    *(".csv", ".tsv", ".txt", ".dat", ".data", ".parquet", ".pq", ".json", ".jsonl", ".ndjson", ".inter"),
)
_PACKED = (".gz", ".bz2", ".xz")
_RATINGS_NAME = re.compile(r"(user[_-]?)?(ratings?|reviews?|interactions?)", re.IGNORECASE)
_PARQUET = b"PAR1"
# The first bytes of what is not text -> what it is, and what to do.
_KINDS = {
    b"\xd0\xcf\x11\xe0": ("an Excel workbook", "save the sheet as CSV UTF-8 in Excel, and give that file"),
    b"SQLite format 3": ("an SQLite database", "give --dataset 'sqlite:///{}?query=SELECT ...'"),
    b"\x89HDF": ("an HDF5 file", "write its ratings as CSV or Parquet"),
    b"\x93NUMPY": ("a NumPy array", "write its ratings as CSV or Parquet"),
    b"\x80\x04": ("a Python pickle", "load it and write its ratings as CSV or Parquet"),
    b"\x80\x05": ("a Python pickle", "load it and write its ratings as CSV or Parquet"),
}
_EXCEL = "save the sheet as CSV UTF-8 in Excel, or pandas.read_excel(...).to_csv(...), and give that file"
_DAMAGE = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, RuntimeError)
# The codec of each byte order mark; utf-8-sig also reads text without one.
_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_LONG_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32"}
_BLOCK = 1 << 20


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
        if name.suffix.lower() in _PACKED:
            name = name.with_suffix("")
        return name.suffix.lower()

    @property
    def is_parquet(self) -> bool:
        """Whether its first bytes are those of a Parquet file, or its name says that it should be one."""
        with self.open() as stream:
            return stream.read(4) == _PARQUET or self.suffix in (".parquet", ".pq")

    @contextmanager
    def open(self) -> Iterator[IO[bytes]]:
        """The decompressed bytes.

        Raises:
            DataError: if the file is missing, unreadable, or damaged, also while it is being read.
            MemoryError: naming the file, if there is not enough while it is being read.
        """
        try:
            with self._packed() as packed, _unpacked(packed) as stream:
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

    def lines(self, text: TextIO, start: int = 1) -> Iterator[str]:
        """The remaining lines of its text, numbered from ``start``.

        Raises:
            DataError: naming the line, if one is so long that it is none of a table.
        """
        number = start
        while line := text.readline(LONGEST + 1):
            if len(line) > LONGEST:
                raise DataError(
                    f"{self}, line {number}: the line is too long",
                    got=line[:1000],
                    allowed=f"at most {LONGEST:,} characters",
                    remedy="check that the file has one rating per line",
                )
            yield line
            number += 1

    def first_line_with(self, character: str, encoding: str) -> int | None:
        """The number of the first line of its text that has a character, from 1."""
        with self.open_text(encoding) as text:
            return next((number for number, line in enumerate(text, 1) if character in line), None)

    def encodings(self) -> tuple[str, ...]:
        """The encodings to try, in order.

        Raises:
            DataError: if it is not text; of kinds that are known, with their name.
        """
        with self.open() as stream:
            head = stream.read(4096)
        if head[:4] in _LONG_MARKS:
            return (_LONG_MARKS[head[:4]],)
        if head[:2] in _MARKS:
            return (_MARKS[head[:2]],)
        for magic, (kind, remedy) in _KINDS.items():
            if head.startswith(magic):
                raise DataError(f"{self} is {kind}, not a text file", remedy=remedy.format(self.path))
        if b"\0" in head:
            raise DataError(
                f"{self} is not a text file",
                allowed="CSV, TSV or other text, JSON lines, or Parquet",
                remedy="if it is text in UTF-16, use --encoding utf-16-le",
            )
        return ("utf-8-sig", "latin-1")

    def has_windows_text(self) -> bool:
        """Whether bytes occur that are letters in Windows' encoding, and control characters in Latin-1."""
        with self.open() as stream:
            blocks = iter(lambda: stream.read(_BLOCK), b"")
            return any(re.search(rb"[\x80-\x9f]", block) for block in blocks)

    def _packed(self) -> IO[bytes]:
        if self.member is None:
            return open(self.path, "rb")
        with zipfile.ZipFile(self.path) as archive:
            # The member holds the file open after the archive object is closed.
            return archive.open(self.member)


def _unpacked(stream: IO[bytes]) -> IO[bytes]:
    """A stream, or what is compressed in it, as its first bytes tell."""
    magic = stream.read(6)
    stream.seek(0)
    if magic.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.GzipFile(fileobj=stream))
    if magic.startswith(b"BZh"):
        return bz2.open(stream)
    if magic == b"\xfd7zXZ\0":
        return lzma.open(stream)
    return stream


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
    if "xl/workbook.xml" in names or "xl/workbook.bin" in names:
        raise DataError(f"{archive} is an Excel workbook, not a text file", remedy=_EXCEL)
    found = _meant(names, wanted)
    if found is not None:
        return found
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    raise DataError(
        f"{archive} is a zip that "
        + ("does not hold exactly one table" if wanted == "." else f"does not hold {wanted}"),
        allowed=listed or "a zip with a file in it",
        remedy=f"name one of its files, as in {archive}/{names[0] if names else 'ratings.csv'}",
    )


def _meant(names: list[str], wanted: str) -> str | None:
    """The member that is wanted, by path or name; of an archive (``"."``) its one table, or its ratings."""
    if wanted != ".":
        fitting = [name for name in names if wanted in (name, name.rpartition("/")[2])]
        return wanted if wanted in names else fitting[0] if len(fitting) == 1 else None
    if len(names) == 1:
        return names[0]
    plain = {name: _stripped(name.rpartition("/")[2].lower()) for name in names}
    tables = [name for name in names if plain[name].endswith(_TABLE_SUFFIXES)]
    if len(tables) > 1:
        tables = [name for name in tables if _RATINGS_NAME.fullmatch(plain[name].partition(".")[0])]
    return tables[0] if len(tables) == 1 else None


def _stripped(name: str) -> str:
    return name[: name.rindex(".")] if name.endswith(_PACKED) else name


def _damaged(file: RatingFile | Path, error: Exception) -> DataError:
    return DataError(
        f"{file} cannot be read ({error})",
        allowed="a readable file, plain or whole .gz, .bz2, .xz or .zip",
        remedy="check its permissions, or fetch it again",
    )


def _missing(path: Path) -> DataError:
    if path.is_dir():
        return DataError(f"{path} is a folder where a file is needed", remedy="give the path of a file")
    siblings = list(path.parent.iterdir()) if path.parent.is_dir() else []
    stems = difflib.get_close_matches(path.stem, {one.stem for one in siblings}, n=3)  # endings are all alike
    near = [one.name for stem in stems for one in siblings if one.stem == stem][:3]
    return DataError(
        f"there is no file {path}",
        remedy=f"did you mean {' or '.join(near)}?" if near else "check the path",
    )
