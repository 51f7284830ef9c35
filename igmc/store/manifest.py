"""The manifest of a store: which shards belong to it, what it was made from, and whether it is complete."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from igmc.errors import StoreError
from igmc.files import replace_file
from igmc.store.schema import FORMAT, REMEDY, VERSION
from igmc.store.shard import Commit, read_commit, shard_name

__all__ = [
    "MANIFEST",
    "DamagedManifestError",
    "Manifest",
    "check_fingerprint",
    "read_manifest",
    "write_manifest",
]

MANIFEST = "manifest.json"


class DamagedManifestError(StoreError):
    """A manifest that cannot be understood, as opposed to one of another format version."""


@dataclass(frozen=True)
class Manifest:
    """What a store folder holds.

    Attributes:
        fingerprint: 64 hex digits, of `origin`.
        origin: what the subgraphs were made from.
        pairs: number of pairs in the store.
        shard_size: pairs a shard, the last one excepted; 1 or more.
        content_digest: 64 hex digits once the store is complete, None before.
    """

    fingerprint: str
    origin: dict[str, Any]
    pairs: int
    shard_size: int
    content_digest: str | None = None

    @property
    def shards(self) -> int:
        """Number of shards."""
        return -(-self.pairs // self.shard_size)

    def rows(self, shard: int) -> slice:
        """The pairs of a shard."""
        first = shard * self.shard_size
        return slice(first, min(first + self.shard_size, self.pairs))

    def commit(self, folder: Path, shard: int) -> Commit:
        """The commit record of a shard, checked to be that of this store and place.

        Raises:
            StoreError: if the shard is missing, damaged or does not belong here.
        """
        path, rows = folder / shard_name(shard), self.rows(shard)
        commit = read_commit(path)
        got = (commit.fingerprint, commit.shard_size, commit.first, commit.pairs)
        allowed = (self.fingerprint, self.shard_size, rows.start, rows.stop - rows.start)
        if got != allowed:
            raise StoreError(
                f"shard {path} does not belong to this store", got=got, allowed=str(allowed), remedy=REMEDY
            )
        return commit


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, atomically.

    Raises:
        IgmcError: if it cannot be written.
    """
    record = {"format": FORMAT, "version": VERSION, **asdict(manifest)}
    replace_file(folder / MANIFEST, json.dumps(record, indent=1).encode() + b"\n")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a store folder, None if there is none.

    Raises:
        StoreError: if it is damaged or of another format version.
    """
    path = folder / MANIFEST
    try:
        record = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedManifestError(f"the manifest {path} cannot be read: {error}", remedy=REMEDY) from error
    if not isinstance(record, dict):
        raise DamagedManifestError(f"the manifest {path} is not a JSON object", remedy=REMEDY)
    kind = (record.pop("format", None), record.pop("version", None))
    if kind != (FORMAT, VERSION):
        raise StoreError(
            f"the store {folder} has another format",
            got=kind,
            allowed=f"{FORMAT} version {VERSION}",
            remedy="read it with the igmc that wrote it, or remove the folder and extract again",
        )
    types = {"fingerprint": str, "origin": dict, "pairs": int, "shard_size": int}
    digest = record.get("content_digest", "")
    if (
        set(record) != {f.name for f in fields(Manifest)}
        or not all(type(record[name]) is kind for name, kind in types.items())
        or not (digest is None or isinstance(digest, str))
        or record["pairs"] < 0
        or record["shard_size"] < 1
    ):
        raise DamagedManifestError(f"the manifest {path} is damaged", remedy=REMEDY)
    return Manifest(**record)


def check_fingerprint(folder: Path, manifest: Manifest, expected: str) -> None:
    """Raise if the store was made for something else.

    Raises:
        StoreError: always an error, never a warning: such subgraphs would silently be the wrong ones.
    """
    if manifest.fingerprint != expected:
        raise StoreError(
            f"the store {folder} was made from other ratings, pairs, settings or seed",
            got=manifest.fingerprint,
            allowed=expected,
            remedy="use another folder, or remove this one and extract again",
        )
