"""One shard: a block of consecutive pairs in an HDF5 file that says itself whether it is whole."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from igmc.errors import IgmcError, StoreError
from igmc.store.fingerprint import data_digest
from igmc.store.schema import COLUMNS, FORMAT, REMEDY, VERSION, Columns, check_columns, pointers

__all__ = ["Commit", "Shard", "read_column", "read_commit", "read_shard", "shard_image", "shard_name"]

COMMIT = "commit"
CHUNK_BYTES = 2**20
# Metadata of this and later file versions carries checksums; that of HDF5's default version does not.
LIBVER = ("v110", "v110")
_NOT_DAMAGE = (errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM)


@dataclass(frozen=True)
class Commit:
    """The record that ends a shard; without one no shard is trusted.

    Attributes:
        fingerprint: of the store.
        shard_size: pairs a shard of this store, the last one excepted.
        first: number of the shard's first pair.
        pairs: number of its pairs.
        data_bytes: size of its columns when read.
        data_digest: SHA-256 of its columns.
    """

    fingerprint: str
    shard_size: int
    first: int
    pairs: int
    data_bytes: int
    data_digest: str


@dataclass(frozen=True, eq=False)
class Shard:
    """The columns of a shard in memory, as narrow as on disk, and where each pair's nodes and edges begin."""

    columns: Columns
    ptr: dict[str, NDArray[np.int64]]

    @property
    def nbytes(self) -> int:
        """Bytes it takes in memory."""
        return sum(a.nbytes for part in (self.columns, self.ptr) for a in part.values())


def shard_name(number: int) -> str:
    """File name of shard 0, 1, ..."""
    return f"{number:05d}.h5"


def shard_image(columns: Columns, commit: Commit, *, compress: bool) -> bytes:
    """The bytes of the HDF5 file; made in memory, so that HDF5 never meets a full disk."""
    room = commit.data_bytes + CHUNK_BYTES  # allocated once rather than grown
    with h5py.File("shard", "w", driver="core", backing_store=False, block_size=room, libver=LIBVER) as file:
        for name in COLUMNS:
            options: dict[str, Any] = {}
            if columns[name].size:  # HDF5 has no chunks, hence no filters, for nothing
                options = {"chunks": _chunk(columns[name]), "fletcher32": True}
                if compress:
                    options |= {"compression": "gzip", "compression_opts": 1, "shuffle": True}
            file.create_dataset(name, data=columns[name], **options)
        record = {"format": FORMAT, "version": VERSION, **asdict(commit)}
        file.attrs[COMMIT] = np.bytes_(json.dumps(record).encode())  # variable-length text has no checksum
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


def read_commit(path: Path) -> Commit:
    """The commit record of a shard, without its data.

    Raises:
        StoreError: if the file is missing, is no shard, or has no commit record of this version.
    """
    with _opened(path) as file:
        return _commit(file)


def read_column(path: Path, name: str) -> NDArray[Any]:
    """One column of a shard, checked by its checksum filter only.

    Raises:
        StoreError: if it cannot be read.
    """
    with _opened(path) as file:
        column: NDArray[Any] = file[name][()]
        return column


def read_shard(path: Path, expected: Commit) -> Shard:
    """The whole shard, checked against its digest.

    Raises:
        StoreError: if it is damaged or is not the one expected.
    """
    with _opened(path) as file:
        if _commit(file) != expected:
            raise StoreError("its commit record has changed")
        columns = {name: file[name][()] for name in COLUMNS}
        check_columns(columns, expected.pairs)
        # Not left to fletcher32: a zero-filled block passes that, and full disks leave such blocks.
        if data_digest(columns) != expected.data_digest:
            raise StoreError("its data do not match its digest")
    return Shard(columns, pointers(columns))


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """The file, with every way that HDF5 has of saying "damaged" turned into one error."""
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield file
    except FileNotFoundError as error:
        raise StoreError(f"shard {path} is missing", remedy=REMEDY) from error
    except (StoreError, OSError, LookupError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, OSError) and error.errno in _NOT_DAMAGE:
            raise IgmcError(
                f"shard {path} cannot be read: {os.strerror(error.errno)}",
                remedy="fix its permissions, or free some memory, and run the same command again",
            ) from error
        reason = str(error).strip('"') or type(error).__name__
        raise StoreError(f"shard {path} is damaged: {reason}", remedy=REMEDY) from error


def _commit(file: h5py.File) -> Commit:
    if COMMIT not in file.attrs:
        raise StoreError("it has no commit record")
    text = file.attrs[COMMIT]
    if not isinstance(text, bytes):
        raise StoreError("its commit record is not text")
    record = json.loads(text)
    kind = (record.pop("format", None), record.pop("version", None))
    if kind != (FORMAT, VERSION):
        raise StoreError("it has another format", got=kind, allowed=f"{FORMAT} version {VERSION}")
    commit = Commit(**record)
    if any(type(getattr(commit, f.name)).__name__ != f.type for f in fields(commit)):
        raise StoreError("its commit record has values of the wrong type")
    return commit


def _chunk(array: NDArray[Any]) -> tuple[int, ...]:
    """Chunks of equal size up to a megabyte, so that the last one is not mostly padding."""
    chunks = -(-array.nbytes // CHUNK_BYTES)
    return (-(-len(array) // chunks), *array.shape[1:])
