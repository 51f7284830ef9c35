"""The messages of a subgraph, read off the arrays of `build`, are those of its edges as dense matrices."""

import numpy as np
import pytest
import torch

from igmc.models.dropout import edge_masks, threshold
from igmc.models.fused.messages import NORM_RELATION, Dropout, keep_edges
from tests.models.compiling import callable_from_python
from tests.models.fused.subgraphs import HOPS, LEVELS, NORMS, make_sample

keep = callable_from_python(keep_edges)
KEY = 0xFEDC_BA98_7654_3210


@pytest.mark.parametrize("mode", ["direction", "both"])
@pytest.mark.parametrize("p", [0.0, 0.3])
def test_edges_are_kept_by_the_same_draws_as_in_torch(mode, p):
    found = keep(100, 60, Dropout(threshold(p), mode == "both", np.uint64(KEY)))
    expected = edge_masks(160, p, mode, KEY, torch.device("cpu"))
    for mask, right in zip(found, expected, strict=True):
        np.testing.assert_array_equal(mask, right.numpy()[100:])
    assert (found[0].mean() < 1) == (p > 0)


def read_messages(side, others):
    """float64 [R, n, others]: each message's c, read off the arrays."""
    found, start = np.zeros((LEVELS, len(side.end), others)), 0
    for k, end in enumerate(side.end):
        for e in range(start, end):
            s = side.sender[e]
            found[side.level[s], k, side.node[s]] += side.c[e] if side.norm == NORM_RELATION else 1
        start = end
    return found


@pytest.mark.parametrize("seed", range(4))
def test_messages_are_the_kept_edges(seed):
    sample = make_sample("none", seed=seed)
    for side, other, right in zip(sample.sides, sample.sides[::-1], sample.norms, strict=True):
        np.testing.assert_array_equal(read_messages(side, len(other.end)), right)


@pytest.mark.parametrize("seed", range(4))
def test_each_message_of_the_relation_norm_counts_its_share(seed):
    sample = make_sample("relation", seed=seed)
    for side, other, right in zip(sample.sides, sample.sides[::-1], sample.norms, strict=True):
        np.testing.assert_allclose(read_messages(side, len(other.end)), right, rtol=1e-6)


def test_senders_are_the_nodes_with_a_message_by_level_and_node():
    sample = make_sample(seed=1)
    for side, right in zip(sample.sides, sample.norms, strict=True):
        level, node = np.nonzero(right.any(axis=1))
        senders = side.level_end[-1]
        assert (side.level[:senders].tolist(), side.node[:senders].tolist()) == (
            level.tolist(),
            node.tolist(),
        )
        assert side.level_end.tolist() == np.searchsorted(level, range(LEVELS), side="right").tolist()


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kept", [0.0, 0.7, 1.0])
def test_counts_are_the_sums_of_norms_by_level_and_distance(norm, kept):
    sample = make_sample(norm, seed=2, kept=kept)
    for side, other, right in zip(sample.sides, sample.sides[::-1], sample.norms, strict=True):
        at_distance = np.eye(HOPS + 1)[other.label >> 1]  # [others, distances]
        expected = np.einsum("rno,od->nrd", right, at_distance)
        counts = side.counts.reshape(-1, LEVELS, HOPS + 1)
        np.testing.assert_allclose(counts, expected, rtol=1e-6, atol=1e-7)


def test_the_last_layer_needs_the_targets_and_their_senders():
    sample = make_sample(seed=3)
    for side, to_other in zip(sample.sides, sample.norms[::-1], strict=True):
        needed = to_other[:, 0].any(axis=0)
        needed[0] = True
        assert side.needed[: side.needed_count[0]].tolist() == np.flatnonzero(needed).tolist()
        assert 1 < needed.sum() < len(needed)
