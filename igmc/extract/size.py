"""Estimates the size of a store from a sample of its pairs."""

from __future__ import annotations

import numpy as np

from igmc.config import ExtractConfig
from igmc.graph import Part, extract_subgraphs
from igmc.rng import stream
from igmc.store import encode

__all__ = ["bytes_per_pair", "choose_shard_size", "projected_bytes"]

SAMPLE = 1024  # pairs
BLOCK = 32  # pairs
ENOUGH_BYTES = 2**26  # of sampled subgraphs: huge ones need no more of a sample
SHARD_BYTES = 2**25
MAX_SHARD_PAIRS = 2**14
DIGEST_BYTES = 16  # a pair


def projected_bytes(part: Part, config: ExtractConfig, *, seed: int) -> int:
    """Estimated size of the uncompressed store of a part on disk, in bytes."""
    return round(bytes_per_pair(part, config, seed=seed) * len(part.pairs))


def bytes_per_pair(part: Part, config: ExtractConfig, *, seed: int) -> float:
    """Mean bytes of a stored subgraph in a sample of the part's pairs; 0 for a part without pairs."""
    pairs = part.pairs
    order = stream(seed, "projected size").permutation(len(pairs))[:SAMPLE]
    sampled = stored = 0
    for start in range(0, len(order), BLOCK):
        rows = order[start : start + BLOCK]
        subgraphs = extract_subgraphs(part.graph, pairs.user[rows], pairs.item[rows], config, seed=seed)
        columns = encode(subgraphs, pairs.rating[rows])
        stored += sum(column.nbytes for column in columns.values()) + DIGEST_BYTES * len(rows)
        sampled += len(rows)
        if stored > ENOUGH_BYTES:
            break
    return stored / max(sampled, 1)


def choose_shard_size(pair_bytes: float) -> int:
    """Pairs per shard of about 32 MiB: large enough for fast writes, small enough to hold in memory."""
    return int(np.clip(SHARD_BYTES // max(pair_bytes, 1.0), 1, MAX_SHARD_PAIRS))
