"""Small stores for the tests."""

from pathlib import Path

import numpy as np

from igmc.config import ExtractConfig
from igmc.graph.bipartite import BipartiteGraph
from igmc.graph.kernel import extract_subgraphs
from igmc.graph.subgraph import Subgraphs
from igmc.ratings.table import Pairs
from igmc.store.fingerprint import content_digest, fingerprint_of, origin
from igmc.store.manifest import Manifest, write_manifest
from igmc.store.schema import DIGEST
from igmc.store.shard import read_column, shard_name
from igmc.store.writer import write_shard
from tests.graph.graphs import all_pairs, random_graph

CONFIG = ExtractConfig(hops=2, max_nodes_per_hop=6)
GRAPH = random_graph(12, 10, 5, 0.4, seed=3)


def pairs_of(graph: BipartiteGraph, limit: int = 10**9) -> Pairs:
    users, items = (array[:limit] for array in all_pairs(graph))
    ratings = np.linspace(0.5, 5, len(users), dtype=np.float32)
    return Pairs(users.astype(np.int32), items.astype(np.int32), ratings)


def subgraphs_of(graph: BipartiteGraph, pairs: Pairs, config: ExtractConfig, seed: int = 0) -> Subgraphs:
    return extract_subgraphs(graph, pairs.user.copy(), pairs.item.copy(), config, seed=seed)


def make_store(
    folder: Path,
    graph: BipartiteGraph = GRAPH,
    config: ExtractConfig = CONFIG,
    *,
    seed: int = 0,
    shard_size: int = 32,
    compress: bool = False,
    pairs: Pairs | None = None,
) -> Subgraphs:
    """Write a complete store and return what it holds."""
    pairs = pairs_of(graph) if pairs is None else pairs
    subgraphs = subgraphs_of(graph, pairs, config, seed)
    source = origin(graph, pairs, config, seed)
    manifest = Manifest(fingerprint_of(source), source, len(pairs), shard_size)
    folder.mkdir(exist_ok=True)
    for shard in range(manifest.shards):
        rows = manifest.rows(shard)
        write_shard(
            folder / shard_name(shard),
            [(subgraphs[rows], pairs.rating[rows])],
            fingerprint=manifest.fingerprint,
            first=rows.start,
            shard_size=shard_size,
            compress=compress,
        )
    names = [shard_name(shard) for shard in range(manifest.shards)]
    digest = content_digest(read_column(folder / name, DIGEST) for name in names)
    write_manifest(folder, Manifest(**{**vars(manifest), "content_digest": digest}))
    return subgraphs


def take(subgraphs: Subgraphs, indices: np.ndarray) -> Subgraphs:
    """The slow way of choosing pairs."""
    return Subgraphs.concat([subgraphs[:0], *(subgraphs[int(k) : int(k) + 1] for k in indices)])


def assert_equal(left: Subgraphs, right: Subgraphs) -> None:
    for name, array in left.arrays().items():
        other = getattr(right, name)
        assert array.dtype == other.dtype, name
        np.testing.assert_array_equal(array, other, err_msg=name)
