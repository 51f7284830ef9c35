"""Digests: what a store was made from, what a shard holds, and what a whole store holds. See FORMAT.md."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from igmc.config import ExtractConfig
from igmc.graph import BipartiteGraph
from igmc.ratings import Pairs
from igmc.store.schema import COLUMNS, FORMAT, VERSION, Columns, pointers

__all__ = ["content_digest", "data_digest", "fingerprint", "fingerprint_of", "origin", "pair_digests"]

PAIR_DIGEST_BYTES = 16


def origin(graph: BipartiteGraph, pairs: Pairs, config: ExtractConfig, seed: int) -> dict[str, Any]:
    """All that determines the subgraphs of a store, as plain JSON types."""
    sha = hashlib.sha256(str(len(pairs)).encode())
    for array, kind in ((pairs.user, "<i4"), (pairs.item, "<i4"), (pairs.rating, "<f4")):
        sha.update(_bytes(array.astype(kind)))
    return {
        "format": FORMAT,
        "version": VERSION,
        "graph": graph.digest(),
        "pairs": sha.hexdigest(),
        "extract": config.to_dict(),
        "seed": seed,
    }


def fingerprint_of(source: dict[str, Any]) -> str:
    """64 hex digits (SHA-256) of an `origin`."""
    return hashlib.sha256(json.dumps(source, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def fingerprint(graph: BipartiteGraph, pairs: Pairs, config: ExtractConfig, seed: int) -> str:
    """64 hex digits that change with any training rating, pair, extraction setting, seed or format."""
    return fingerprint_of(origin(graph, pairs, config, seed))


def pair_digests(columns: Columns) -> NDArray[np.uint8]:
    """A digest of each pair's subgraph and rating, uint8 [P, 16]; the same however the pairs are sharded."""
    ptr = pointers(columns)
    users, items, edges = (ptr[side].tolist() for side in ("user", "item", "edge"))
    pairs = len(columns["pair/user"])
    heads = np.empty((pairs, 6), "<u4")
    heads[:, :3] = np.stack([columns[f"pair/{name}"].view("<u4") for name in ("user", "item", "rating")], 1)
    heads[:, 3:] = np.stack([columns[f"pair/{name}"] for name in ("users", "items", "edges")], 1)
    head, user_id, degree, item_id = (
        _bytes(a.astype("<u4", copy=False))
        for a in (heads, columns["user/id"], columns["user/degree"], columns["item/id"])
    )
    user_label, item_label, level = (
        _bytes(columns[name]) for name in ("user/label", "item/label", "edge/level")
    )
    edge_item = columns["edge/item"]
    narrow = edge_item.itemsize == 1 and int(columns["pair/items"].max(initial=0)) <= 2**8
    edge_bytes = _bytes(edge_item)
    digests = bytearray()
    for p in range(pairs):
        u0, u1, i0, i1, e0, e1 = users[p], users[p + 1], items[p], items[p + 1], edges[p], edges[p + 1]
        sha = hashlib.sha256(head[24 * p : 24 * p + 24])
        sha.update(user_id[4 * u0 : 4 * u1])
        sha.update(user_label[u0:u1])
        sha.update(degree[4 * u0 : 4 * u1])
        sha.update(item_id[4 * i0 : 4 * i1])
        sha.update(item_label[i0:i1])
        # The width follows the pair's own size, not the shard's, or the digest would depend on the sharding.
        sha.update(edge_bytes[e0:e1] if narrow else _bytes(edge_item[e0:e1].astype(_edge_type(i1 - i0))))
        sha.update(level[e0:e1])
        digests += sha.digest()[:PAIR_DIGEST_BYTES]
    return np.frombuffer(digests, np.uint8).reshape(pairs, PAIR_DIGEST_BYTES)


def content_digest(digests: Iterable[NDArray[np.uint8]]) -> str:
    """64 hex digits of a whole store: SHA-256 over the pair digests of its shards, in order."""
    sha = hashlib.sha256()
    for array in digests:
        sha.update(_bytes(array))
    return sha.hexdigest()


def data_digest(columns: Columns) -> str:
    """64 hex digits of a shard as it is stored: names, types, shapes and bytes of all columns, in order."""
    sha = hashlib.sha256()
    for name in COLUMNS:
        array = columns[name]
        shape = ",".join(map(str, array.shape))
        sha.update(f"{name} {array.dtype.kind}{array.dtype.itemsize} {shape}\n".encode())
        sha.update(_bytes(array))
    return sha.hexdigest()


def _edge_type(items: int) -> str:
    return "<u1" if items <= 2**8 else "<u2" if items <= 2**16 else "<u4"


def _bytes(array: NDArray[Any]) -> memoryview:
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data
