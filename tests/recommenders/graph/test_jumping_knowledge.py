import torch
from torch import nn

from igmc.recommenders.graph.jumping_knowledge import JumpingKnowledge
from tests.recommenders.graph.test_adjacency import adjacency

GRAPH = adjacency("mean", "none")


class Neighbours(nn.Module):
    """The mean of the neighbours, less a constant, so that some of it is below 0."""

    def forward(self, x, matrix):
        return matrix @ x - 0.1


def stacked(dropout=0.0, layers=2):
    torch.manual_seed(0)
    return JumpingKnowledge([Neighbours() for _ in range(layers)], 3, dropout), torch.randn(len(GRAPH), 3)


def test_all_layers_and_the_input_are_read():
    network, x = stacked()
    first = torch.relu(GRAPH.matrix @ x - 0.1)
    second = torch.relu(GRAPH.matrix @ first - 0.1)
    expected = network.last(torch.cat([x, first, second], dim=1))
    torch.testing.assert_close(network(x, GRAPH), expected)
    assert network.last.in_features == 9


def test_dropout_is_on_in_training_only():
    network, x = stacked(dropout=0.5)
    assert not torch.equal(network(x, GRAPH), network(x, GRAPH))
    network.eval()
    torch.testing.assert_close(network(x, GRAPH), stacked()[0](x, GRAPH))


def test_embeddings_start_small():
    torch.manual_seed(0)
    network = JumpingKnowledge([Neighbours()], 100, 0.0)
    usual = 200**-0.5  # the bound of nn.Linear
    assert 0.25 * usual < network.last.weight.abs().max() <= 0.3 * usual


def test_batch_normalization_comes_before_the_activation_and_uses_what_it_gathered():
    torch.manual_seed(0)
    network = JumpingKnowledge([Neighbours()], 3, 0.0, batch_norm=True)
    x = torch.randn(len(GRAPH), 3)
    z = GRAPH.matrix @ x - 0.1
    normed = (z - z.mean(0)) / (z.var(0, unbiased=False) + 1e-5).sqrt()
    expected = network.last(torch.cat([x, torch.relu(normed)], dim=1))
    torch.testing.assert_close(network(x, GRAPH), expected)
    network.eval()
    gathered = (z - 0.1 * z.mean(0)) / (0.9 + 0.1 * z.var(0) + 1e-5).sqrt()
    expected = network.last(torch.cat([x, torch.relu(gathered)], dim=1))
    torch.testing.assert_close(network(x, GRAPH), expected)
