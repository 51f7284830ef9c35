import numpy as np
import pytest
import torch

from igmc.config import ExtractConfig
from igmc.graph.kernel import extract_subgraphs
from igmc.loading.batch import Batch
from tests.graph.graphs import all_pairs, random_graph


@pytest.fixture(scope="module")
def batch() -> Batch:
    graph = random_graph(20, 15, 3, 0.5, seed=4)
    users, items = (side[:8] for side in all_pairs(graph))
    cut = extract_subgraphs(graph, users, items, ExtractConfig(max_nodes_per_hop=4), seed=1)
    rating, side = np.arange(8, dtype=np.float32), np.ones((8, 3), np.float32)
    return Batch.from_subgraphs(cut, rating, side=side, noise=7)


def test_nothing_is_copied(batch):
    subgraphs = batch.subgraphs
    for form in (batch.arrays, [tensor.numpy() for tensor in batch.tensors]):
        assert len(form) == 8
        for array, name in zip(form, batch.arrays._fields, strict=True):
            assert np.shares_memory(array, getattr(subgraphs, name)), name
            assert array.dtype == getattr(subgraphs, name).dtype
    rating, side = np.zeros(8, np.float32), np.zeros((8, 2), np.float32)
    wrapped = Batch.from_subgraphs(subgraphs, rating, side=side)
    rating[3] = side[2, 1] = 5.0
    assert (wrapped.rating[3], wrapped.side[2, 1], len(wrapped), wrapped.noise) == (5.0, 5.0, 8, 0)


def test_all_tensors_move(batch):
    moved = batch.to("meta")
    tensors = [moved.rating, moved.side, *moved.tensors]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert [tensor.shape for tensor in moved.tensors] == [array.shape for array in batch.arrays]
    assert (moved.noise, len(moved)) == (batch.noise, len(batch))
    assert moved.subgraphs is batch.subgraphs
    assert moved.tensors is moved.tensors, "several models read what is copied once"


def test_a_batch_that_is_there_stays_as_it_is(batch):
    assert batch.to("cpu") is batch
    assert batch.to(torch.device("cpu")) is batch


def test_without_side_features_there_are_none(batch):
    bare = Batch.from_subgraphs(batch.subgraphs, batch.rating.numpy())
    assert bare.side is bare.to("meta").side is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_gets_the_same_numbers(batch):
    there = batch.to("cuda")
    assert there.to("cpu").tensors.degree.equal(batch.tensors.degree)
    assert torch.equal(there.rating.cpu(), batch.rating)
    for tensor, array in zip(there.tensors, batch.arrays, strict=True):
        assert tensor.is_cuda
        np.testing.assert_array_equal(tensor.cpu().numpy(), array)
