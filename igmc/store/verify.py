"""Reads a whole store again, reports damaged files, and removes them so that they are extracted again."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError, StoreError
from igmc.files import locked, sweep, writing
from igmc.store.fingerprint import content_digest, pair_digests
from igmc.store.gather import allocate, fill
from igmc.store.manifest import MANIFEST, DamagedManifestError, Manifest, check_fingerprint, read_manifest
from igmc.store.schema import DIGEST, REMEDY
from igmc.store.shard import read_shard, shard_name

__all__ = ["Damage", "repair_store", "verify_store"]


@dataclass(frozen=True)
class Damage:
    """A file of a store that is missing or not as it was written, and why."""

    path: Path
    reason: str


def verify_store(folder: Path, *, fingerprint: str | None = None) -> list[Damage]:
    """Read every shard again, recompute all digests, and list each damaged or missing file.

    Raises:
        StoreError: if the store was made from other inputs, or has another format version.
    """
    try:
        manifest = read_manifest(folder)
    except DamagedManifestError as error:
        return [Damage(folder / MANIFEST, error.what)]
    if manifest is None:
        return [Damage(folder / MANIFEST, "it is missing")]
    if fingerprint is not None:
        check_fingerprint(folder, manifest, fingerprint)
    damage, digests = [], []
    for shard in range(manifest.shards):
        try:
            digests.append(_verified(folder, manifest, shard))
        except DataError as error:
            damage.append(Damage(folder / shard_name(shard), error.what))
    if not damage and manifest.content_digest is not None:
        got = content_digest(digests)
        if got != manifest.content_digest:
            reason = f"its content digest is {manifest.content_digest}, that of the shards {got}"
            damage.append(Damage(folder / MANIFEST, reason))
    return damage


def repair_store(folder: Path, *, fingerprint: str | None = None) -> list[Damage]:
    """Remove what `verify_store` finds damaged; the next extraction makes it again.

    Raises:
        StoreError: if the store was made from other inputs; such a store is left unchanged.
        IgmcError: if a file cannot be removed.
    """
    with locked(folder):
        sweep(folder)
        damage = verify_store(folder, fingerprint=fingerprint)
        for file in damage:
            with writing(file.path):
                file.path.unlink(missing_ok=True)
    return damage


def _verified(folder: Path, manifest: Manifest, number: int) -> NDArray[np.uint8]:
    """The pair digests of a shard, recomputed."""
    path = folder / shard_name(number)
    shard = read_shard(path, manifest.commit(folder, number))
    digests = pair_digests(shard.columns)
    if not np.array_equal(digests, shard.columns[DIGEST]):
        raise StoreError(f"shard {path} is damaged: its pairs do not match their digests", remedy=REMEDY)
    rows = np.arange(len(digests), dtype=np.int64)
    subgraphs = allocate({side: np.diff(ptr) for side, ptr in shard.ptr.items()})
    fill(subgraphs, rows, shard, rows)
    subgraphs.check()
    return digests
