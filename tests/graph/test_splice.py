"""Rows laid over rows, against a dictionary."""

import numpy as np
import pytest

from igmc.graph.splice import RowSplice


def made(rng, size):
    nodes = np.flatnonzero(rng.random(size) < 0.5).astype(np.int32)
    ptr = np.concatenate([[0], np.cumsum(rng.integers(0, 4, len(nodes)))])
    return nodes, ptr, rng.integers(0, 100, int(ptr[-1])), rng.random((len(nodes), 2))


@pytest.mark.parametrize("seed", range(40))
def test_a_row_of_the_new_set_counts_and_the_others_stay(seed):
    rng = np.random.default_rng(seed)
    sets = [made(rng, int(rng.integers(0, 9))) for _ in range(2)]
    rows, facts = {}, {}
    for nodes, ptr, values, of_rows in sets:
        for k, node in enumerate(nodes.tolist()):
            rows[node], facts[node] = values[ptr[k] : ptr[k + 1]].tolist(), of_rows[k].tolist()
    (old, old_ptr, *old_rest), (new, new_ptr, *new_rest) = sets
    splice = RowSplice(old, new, old_ptr, new_ptr)
    assert splice.nodes.tolist() == sorted(rows)
    values, found = splice.values(old_rest[0], new_rest[0]), splice.facts(old_rest[1], new_rest[1])
    for k, node in enumerate(splice.nodes.tolist()):
        assert values[splice.ptr[k] : splice.ptr[k + 1]].tolist() == rows[node]
        assert found[k].tolist() == facts[node]
