import torch

from igmc.recommenders.graph.ngcf import NGCFConv
from tests.recommenders.graph.contract import CHANGES, GraphContract
from tests.recommenders.graph.test_adjacency import adjacency


class TestNGCF(GraphContract):
    name = "ngcf"
    changes = {**CHANGES, "dropout": 0.5, "weight_decay": 0.1}


def test_messages_added_up_one_by_one_and_by_the_matrix_are_the_same():
    graph = adjacency("symmetric", "rating")
    torch.manual_seed(0)
    conv, x = NGCFConv(6), torch.randn(len(graph), 6)
    results = []
    for arguments in ((graph.edges, torch.from_numpy(graph.weight)), (graph.matrix,)):
        leaf = x.clone().requires_grad_()
        out = conv(leaf, *arguments)
        out.square().sum().backward()
        results.append((out.detach(), leaf.grad))
    for slow, fast in zip(*results, strict=True):
        torch.testing.assert_close(fast, slow, rtol=1e-4, atol=1e-5)


def test_a_message_by_hand():
    conv, x = NGCFConv(2), torch.tensor([[1.0, 2.0], [3.0, -1.0]])
    one, two = conv.self_and_near.weight, conv.alike.weight
    sent = 0.5 * (one @ x[1] + two @ (x[1] * x[0]))
    expected = torch.nn.functional.leaky_relu(one @ x[0] + sent, 0.2)
    out = conv(x, torch.tensor([[1], [0]]), torch.tensor([0.5]))
    torch.testing.assert_close(out[0], expected)
