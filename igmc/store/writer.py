"""Writes shards: encode, digest, and put in place atomically."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from igmc.files import replace_file
from igmc.graph import Subgraphs
from igmc.store.fingerprint import data_digest, pair_digests
from igmc.store.schema import COLUMNS, DIGEST, encode
from igmc.store.shard import Commit, shard_image

__all__ = ["write_shard"]


def write_shard(
    path: Path,
    blocks: Iterable[tuple[Subgraphs, NDArray[np.float32]]],
    *,
    fingerprint: str,
    first: int,
    shard_size: int,
    compress: bool = False,
) -> None:
    """Store subgraphs in one file, atomically and durably.

    Args:
        path: of the shard.
        blocks: one or more blocks of consecutive subgraphs, with the float32 ratings of their pairs. Each is
            made narrow before the next is asked for: that takes a fraction of one large block's memory.
        fingerprint: of the store.
        first: number of the first pair in the store.
        shard_size: pairs a shard of this store.
        compress: gzip the columns; smaller files, several times slower to write.

    Raises:
        IgmcError: if the file cannot be written.
    """
    encoded = []
    for subgraphs, ratings in blocks:
        columns = encode(subgraphs, ratings)
        columns[DIGEST] = pair_digests(columns)
        encoded.append(columns)
    columns = {name: np.concatenate([block[name] for block in encoded]) for name in COLUMNS}
    commit = Commit(
        fingerprint=fingerprint,
        shard_size=shard_size,
        first=first,
        pairs=len(columns["pair/user"]),
        data_bytes=sum(a.nbytes for a in columns.values()),
        data_digest=data_digest(columns),
    )
    replace_file(path, shard_image(columns, commit, compress=compress))
