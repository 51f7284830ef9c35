"""A shard is written whole or not at all, and is the same in however many blocks its subgraphs come."""

import os
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from igmc.errors import IgmcError
from igmc.graph.bipartite import BipartiteGraph
from igmc.ratings.table import Pairs
from igmc.store.shard import Commit, read_commit, read_shard
from igmc.store.writer import write_shard
from tests.store.small_stores import CONFIG, GRAPH, pairs_of, subgraphs_of

PAIRS = pairs_of(GRAPH, 24)
STORED = subgraphs_of(GRAPH, PAIRS, CONFIG)


def write(path, blocks=((0, 24),), **options):
    """Write the stored subgraphs in blocks from..to, as pairs 48 to 71 of a store."""
    parts = [(STORED[a:b], PAIRS.rating[a:b]) for a, b in blocks]
    write_shard(path, parts, **({"fingerprint": "f" * 64, "first": 48, "shard_size": 24} | options))
    return path


@given(borders=st.sets(st.integers(1, 23)))
def test_the_file_is_the_same_for_any_blocks(tmp_path_factory, borders):
    folder = tmp_path_factory.mktemp("blocks")
    ends = [0, *sorted(borders), 24]
    parts = write(folder / "parts.h5", pairwise(ends))
    assert parts.read_bytes() == write(folder / "whole.h5").read_bytes()


def test_types_are_as_narrow_as_the_largest_block_allows(tmp_path):
    # pair 0 has 300 item nodes, so that its edges need two bytes; pair 1 has 2
    graph = BipartiteGraph.from_ratings(
        np.zeros(299), np.arange(299), np.zeros(299), n_users=2, n_items=301, n_levels=1
    )
    pairs = Pairs([0, 1], [300, 299], [1.0, 2.0])
    stored = subgraphs_of(graph, pairs, CONFIG.replace(hops=1, max_nodes_per_hop=None))
    blocks = [(stored[:1], pairs.rating[:1]), (stored[1:], pairs.rating[1:])]
    for name, order in (("a", blocks), ("b", blocks[::-1])):
        write_shard(tmp_path / name, order, fingerprint="f", first=0, shard_size=2)
        columns = read_shard(tmp_path / name, read_commit(tmp_path / name)).columns
        assert columns["edge/item"].dtype == np.uint16
        assert columns["pair/edges"].tolist() == [299, 0][:: 1 if name == "a" else -1]


def test_the_record_says_where_the_shard_belongs_and_what_it_holds(tmp_path):
    commit = read_commit(write(tmp_path / "x.h5"))
    assert (commit.fingerprint, commit.shard_size, commit.first, commit.pairs) == ("f" * 64, 24, 48, 24)
    columns = read_shard(tmp_path / "x.h5", commit).columns
    assert commit.data_bytes == sum(column.nbytes for column in columns.values())
    assert columns["pair/rating"].tolist() == PAIRS.rating.tolist()


def test_compression_changes_the_file_but_not_the_record(tmp_path):
    plain, small = write(tmp_path / "plain.h5"), write(tmp_path / "small.h5", compress=True)
    assert isinstance(read_commit(plain), Commit)
    assert read_commit(small) == read_commit(plain)
    assert small.read_bytes() != plain.read_bytes()


def test_where_it_cannot_be_written_the_old_file_stays_and_nothing_else(tmp_path, monkeypatch):
    path = write(tmp_path / "x.h5")
    before = path.read_bytes()

    def full(handle):
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(IgmcError, match=r"cannot write .*x\.h5: No space left on device.*free some space"):
        write(path, first=0)
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == ["x.h5"]
    with pytest.raises(IgmcError, match=r"cannot write .*: No such file or directory.*check the path"):
        write(tmp_path / "nowhere" / "x.h5")
