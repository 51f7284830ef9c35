"""Reads a store: checks every shard's record on opening, then serves from a bounded cache of shards."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from pathlib import Path
from weakref import WeakSet

import numpy as np
from numpy.typing import ArrayLike, NDArray

from igmc.errors import StoreError
from igmc.graph import Subgraphs
from igmc.store.gather import allocate, fill
from igmc.store.manifest import check_fingerprint, read_manifest
from igmc.store.shard import Shard, read_column, read_shard, shard_name
from igmc.store.verify import Damage, verify_store

__all__ = ["CACHE_BYTES", "StoreReader"]

CACHE_BYTES = 2**31


class StoreReader:
    """The subgraphs of a complete store, by number; safe to use from several threads.

    Each shard is checked against its digest whenever it is read from the disk.

    Args:
        folder: of the store.
        fingerprint: what the store must have been made from; None takes any.
        cache_bytes: bound on the decoded shards that are kept in memory.

    Raises:
        StoreError: if the store is missing, incomplete, damaged, or made from something else.
    """

    def __init__(
        self, folder: str | Path, *, fingerprint: str | None = None, cache_bytes: int = CACHE_BYTES
    ) -> None:
        self.folder = Path(folder)
        manifest = read_manifest(self.folder)
        if manifest is None:
            raise StoreError(f"there is no store in {self.folder}", remedy="run igmc-extract first")
        if fingerprint is not None:
            check_fingerprint(self.folder, manifest, fingerprint)
        if manifest.content_digest is None:
            raise StoreError(
                f"the store {self.folder} is not complete",
                remedy="run igmc-extract with the same options again: it resumes where it stopped",
            )
        self.content_digest: str = manifest.content_digest
        self.fingerprint: str = manifest.fingerprint
        self._pairs = manifest.pairs
        self._commits = [manifest.commit(self.folder, shard) for shard in range(manifest.shards)]
        self._shard_size = manifest.shard_size
        self._cache: OrderedDict[int, Shard] = OrderedDict()
        self._cache_bytes, self._cached_bytes = cache_bytes, 0
        self._lock = threading.Lock()
        _READERS.add(self)

    def __len__(self) -> int:
        return self._pairs

    @property
    def cached_bytes(self) -> int:
        """Bytes of the decoded shards that are in memory now; at most `cache_bytes`."""
        return self._cached_bytes

    @property
    def windows(self) -> NDArray[np.int64]:
        """Bounds of runs of pairs that random access is cheap within: int64 [windows + 1].

        One window if the cache holds the store; else runs of whole shards that fill at most half of it (or
        one shard), so that a loader can begin a window while it ends the one before.
        """
        sizes = [_memory(commit.data_bytes, commit.pairs) for commit in self._commits]
        room = self._cache_bytes if sum(sizes) <= self._cache_bytes else self._cache_bytes // 2
        bounds, filled = [0], 0
        for commit, size in zip(self._commits, sizes, strict=True):
            if filled and filled + size > room:
                bounds.append(commit.first)
                filled = 0
            filled += size
        return np.array([*bounds, self._pairs], dtype=np.int64)

    @property
    def ratings(self) -> NDArray[np.float32]:
        """The rating of each pair, float32 [P]; read from the disk."""
        names = (shard_name(shard) for shard in range(len(self._commits)))
        columns = [read_column(self.folder / name, "pair/rating") for name in names]
        return np.concatenate([np.empty(0, np.float32), *columns]).astype(np.float32)

    def read(self, indices: ArrayLike) -> Subgraphs:
        """The subgraphs of these pairs, in this order.

        Args:
            indices: int [n], 0..len-1, in any order, repeated or not. Fast within one of `windows`.

        Raises:
            IndexError: on an index out of range.
            StoreError: if a shard is damaged.
        """
        wanted = np.atleast_1d(np.asarray(indices, dtype=np.int64))
        if wanted.size and (wanted.min() < 0 or wanted.max() >= self._pairs):
            raise IndexError(f"pair numbers {wanted.min()}..{wanted.max()} in a store of {self._pairs}")
        shard_of = wanted // self._shard_size
        shards = np.flatnonzero(np.bincount(shard_of)).tolist()
        places = {shard: np.flatnonzero(shard_of == shard) for shard in shards}
        sizes = {side: np.empty(len(wanted), np.int64) for side in ("user", "item", "edge")}
        for shard in shards:
            at = places[shard]
            rows = wanted[at] - shard * self._shard_size
            for side, ptr in self._shard(shard).ptr.items():
                sizes[side][at] = ptr[rows + 1] - ptr[rows]
        out = allocate(sizes)
        for shard in reversed(shards):  # the last one read is still in the cache
            at = places[shard]
            fill(out, at, self._shard(shard), wanted[at] - shard * self._shard_size)
        return out

    def verify(self) -> list[Damage]:
        """Read everything again from the disk; returns all damage found, which is nothing if all is well."""
        return verify_store(self.folder, fingerprint=self.fingerprint)

    def _shard(self, number: int) -> Shard:
        with self._lock:
            shard = self._cache.get(number)
            if shard is not None:
                self._cache.move_to_end(number)
                return shard
            shard = read_shard(self.folder / shard_name(number), self._commits[number])
            if shard.nbytes <= self._cache_bytes:
                self._cached_bytes += shard.nbytes
                self._cache[number] = shard
            while self._cached_bytes > self._cache_bytes:
                self._cached_bytes -= self._cache.popitem(last=False)[1].nbytes
            return shard


def _memory(data_bytes: int, pairs: int) -> int:
    """Bytes of a decoded shard: its columns and three int64 pointers a pair."""
    return data_bytes + 3 * 8 * (pairs + 1)


_READERS: WeakSet[StoreReader] = WeakSet()


def _renew_locks() -> None:
    """In a forked child no thread is left that could release them."""
    for reader in _READERS:
        reader._lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)
