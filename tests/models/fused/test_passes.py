"""Both passes over chunks of subgraphs: which chunk is whose, and what goes where.

That outputs and gradients are those of the network is for `test_stack.py` to say, and for `test_igmc.py`.
"""

import numpy as np
import pytest

from igmc.models.fused.head import NO_HEAD
from igmc.models.fused.messages import NORM_RELATION, Dropout
from igmc.models.fused.parameters import make_gradients, make_weights, pack, sizes_of
from igmc.models.fused.passes import backward, forward
from igmc.models.fused.scratch import Work, make_scratch
from tests.models.fused.subgraphs import states
from tests.models.fused.test_parameters import LANES, H, make_parameters
from tests.models.networks import make_batch

PAIRS, LEVELS, HOPS = 9, 3, 2
CHUNKS = np.array([0, 2, 7, 9])


@pytest.fixture(params=[0, 1, 2])
def depth(request):
    """Layers after the first."""
    return request.param


@pytest.fixture(scope="module")
def batch():
    return make_batch(hops=HOPS, n_levels=LEVELS, pairs=PAIRS)


def work_of(batch, depth, chunks=CHUNKS):
    parameters = make_parameters(2, depth)
    sizes = sizes_of(parameters)
    weights = make_weights(sizes)
    pack(LANES, parameters, weights)
    dropout = Dropout(2**30, False, np.uint64(batch.noise))
    graphs = batch.arrays
    largest = [int(np.diff(ptr).max()) for ptr in (graphs.user_ptr, graphs.item_ptr, graphs.edge_ptr)]
    scratch = make_scratch(sizes, *largest)
    for array in (scratch.states, scratch.d_states, scratch.m, scratch.d_z, scratch.sums, scratch.d_sums):
        array.fill(77)  # as another batch left it
    return Work(graphs, weights, NORM_RELATION, dropout, chunks), sizes, scratch


def run_forward(batch, depth, first=0):
    work, _, scratch = work_of(batch, depth)
    counter, out = np.array([first]), np.full((PAIRS * 2 * (depth + 1), H), 77, np.float32)
    forward(LANES, counter, work, scratch, out)
    return counter[0], out.reshape(PAIRS, -1)


def run_backward(batch, depth, d_out, chunks=CHUNKS, first=0):
    work, sizes, scratch = work_of(batch, depth, chunks)
    d_weights = make_gradients(sizes, len(chunks) - 1)
    for array in d_weights:
        array.fill(77)
    out = np.empty_like(d_out)
    backward(LANES, np.array([first]), work, NO_HEAD, scratch, out, d_out, d_weights)
    return out, [array.copy() for array in d_weights]


def test_a_thread_takes_all_chunks_that_are_left(batch, depth):
    counter, whole = run_forward(batch, depth)
    assert counter == len(CHUNKS), "one more than there are, which ended it"
    assert (whole != 77).all()
    _, rest = run_forward(batch, depth, first=1)
    assert (rest[: CHUNKS[1]] == 77).all()
    np.testing.assert_array_equal(rest[CHUNKS[1] :], whole[CHUNKS[1] :])


def test_both_passes_compute_the_same_outputs(batch, depth):
    _, out = run_forward(batch, depth)
    again, _ = run_backward(batch, depth, np.zeros((PAIRS * 2 * (depth + 1), H), np.float32))
    np.testing.assert_array_equal(again.reshape(PAIRS, -1), out)


def test_each_chunk_has_the_gradients_of_its_own_subgraphs(batch, depth):
    d_out = states(1, PAIRS * 2 * (depth + 1), H)
    _, found = run_backward(batch, depth, d_out)
    assert all(array.any() for array in found if array.size)
    for c in range(len(CHUNKS) - 1):
        _, alone = run_backward(batch, depth, d_out, chunks=CHUNKS[c : c + 2])
        for array, right in zip(found, alone, strict=True):
            np.testing.assert_array_equal(array[c], right[0])
    _, rest = run_backward(batch, depth, d_out, first=2)
    for array, right in zip(rest, found, strict=True):
        assert (array[:2] == 77).all()
        np.testing.assert_array_equal(array[2], right[2])


def test_gradients_of_a_chunk_are_summed_over_its_subgraphs(batch, depth):
    d_out = states(1, PAIRS * 2 * (depth + 1), H)
    _, whole = run_backward(batch, depth, d_out, chunks=np.array([0, PAIRS]))
    _, single = run_backward(batch, depth, d_out, chunks=np.arange(PAIRS + 1))
    for array, parts in zip(whole, single, strict=True):
        np.testing.assert_allclose(array[0], parts.sum(axis=0), rtol=1e-4, atol=1e-4)
