"""Subgraphs are copied out of shards pair by pair, to where they are wanted and nowhere else."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from igmc.store.gather import allocate, fill
from igmc.store.schema import encode, pointers
from igmc.store.shard import Shard
from tests.graph.any_graph import extract_configs, graphs
from tests.store.small_stores import CONFIG, GRAPH, assert_equal, pairs_of, subgraphs_of, take


def shard_of(subgraphs) -> Shard:
    columns = encode(subgraphs, np.ones(len(subgraphs), np.float32))
    return Shard(columns, pointers(columns))


def sizes_of(subgraphs) -> dict[str, np.ndarray]:
    return {side: np.diff(getattr(subgraphs, f"{side}_ptr")) for side in ("user", "item", "edge")}


@given(graph=graphs, config=extract_configs, seed=st.integers(0, 2**32 - 1))
def test_pairs_of_two_shards_in_any_order_some_of_them_twice(graph, config, seed):
    stored = subgraphs_of(graph, pairs_of(graph, 30), config)
    rng = np.random.default_rng(seed)
    border = int(rng.integers(len(stored) + 1))
    wanted = rng.integers(len(stored), size=rng.integers(1, 40))
    expected = take(stored, wanted)
    out = allocate(sizes_of(expected))
    for shard, first, chosen in (
        (shard_of(stored[:border]), 0, wanted < border),
        (shard_of(stored[border:]), border, wanted >= border),
    ):
        fill(out, np.flatnonzero(chosen), shard, wanted[chosen] - first)
    assert_equal(out, expected)


def test_other_places_are_left_as_they_were():
    stored = subgraphs_of(GRAPH, pairs_of(GRAPH, 20), CONFIG)
    out = allocate(sizes_of(stored))
    written = set(out.arrays()) - {"user_ptr", "item_ptr", "edge_ptr"}
    for name in written:
        getattr(out, name)[:] = 99
    rows = np.arange(5, 10)
    fill(out, rows, shard_of(stored), rows)
    assert_equal(out[5:10], stored[5:10])
    for rest in (out[:5], out[10:]):
        assert all((getattr(rest, name) == 99).all() for name in written)


def test_room_for_nothing():
    nothing = allocate({side: np.empty(0, np.int64) for side in ("user", "item", "edge")})
    nothing.check()
    assert (len(nothing), nothing.n_nodes, nothing.n_edges) == (0, 0, 0)
