"""The compiled read-out against plain PyTorch: outputs and gradients."""

import numpy as np
import pytest
import torch

from igmc.loading import NeighbourBatch
from igmc.models.neighbours.network import NeighboursNetwork
from igmc.statistics import InputNorms, NeighbourRows, read_neighbours
from tests.statistics.graphs import known_ratings


def inputs(cap=15, n=130) -> NeighbourRows:  # enough for several threads
    known, rng = known_ratings(), np.random.default_rng(1)
    pairs = rng.integers(0, 60, n).astype(np.int32), rng.integers(0, 40, n).astype(np.int32)
    raw = read_neighbours(known.statistics(), *pairs, cap=cap, norms=InputNorms.identity())
    return read_neighbours(known.statistics(), *pairs, cap=cap, norms=InputNorms.of(raw))


def lonely(found: NeighbourRows) -> NeighbourRows:
    """The same pairs, none of which has a rater, and the first of which has no item either."""
    users = found.users._replace(
        ptr=np.zeros_like(found.users.ptr),
        node=found.users.node[:0],
        residual=found.users.residual[:0],
        rows=found.users.rows[:0],
    )
    first = int(found.items.ptr[1])
    ptr = np.maximum(found.items.ptr - first, 0)
    items = found.items._replace(
        ptr=ptr,
        node=found.items.node[first:],
        residual=found.items.residual[first:],
        rows=found.items.rows[first:],
    )
    return NeighbourRows(found.base, found.pair, users, items)


def networks(threads=2):
    made = [NeighboursNetwork(seed=3, backend=name, threads=threads) for name in ("torch", "auto")]
    generator = torch.Generator().manual_seed(1)
    for parameter in (made[0].head_out.weight, made[0].skip.weight, made[0].users.shrinkage):
        torch.nn.init.normal_(parameter, generator=generator)
    made[1].load_state_dict(made[0].state_dict())
    return made


def answered(network, batch):
    network.zero_grad()
    out = network(batch)
    ((out - batch.target) ** 2).mean().backward()
    return out.detach(), [parameter.grad.clone() for parameter in network.parameters()]


@pytest.mark.parametrize("change", [lambda x: x, lonely], ids=["as they are", "lonely"])
@pytest.mark.parametrize("training", [False, True])
def test_equals_plain_pytorch(change, training):
    found = change(inputs())
    index = np.random.default_rng(2).permutation(len(found))[:41]
    batch = NeighbourBatch(found, index, torch.randn(41, generator=torch.Generator().manual_seed(2)), 7)
    (slow, slow_grads), (fast, fast_grads) = (answered(net.train(training), batch) for net in networks())
    assert slow.std() > 0.5
    torch.testing.assert_close(fast, slow, rtol=1e-5, atol=1e-5)
    for one, other in zip(fast_grads, slow_grads, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-5 * float(other.abs().max() + 1))


def test_any_number_of_threads_gives_the_same_bits():
    batch = NeighbourBatch(inputs(), np.arange(130), torch.zeros(130), 7)
    (one, one_grads), (two, two_grads) = (answered(networks(n)[1], batch) for n in (1, 2))
    assert torch.equal(one, two)
    assert all(torch.equal(a, b) for a, b in zip(one_grads, two_grads, strict=True))


def test_dropout_is_drawn_from_the_key_and_in_training_only():
    network, found = networks()[1], inputs()
    key = [NeighbourBatch(found, np.arange(130), torch.zeros(130), noise) for noise in (1, 2)]
    network.train()
    assert torch.equal(network(key[0]), network(key[0]))
    assert not torch.equal(network(key[0]), network(key[1]))
    network.eval()
    assert torch.equal(network(key[0]), network(key[1]))
