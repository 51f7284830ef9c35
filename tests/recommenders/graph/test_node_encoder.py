import torch
from torch import nn

from igmc.recommenders.graph.node_encoder import NodeEncoder

USERS, ITEMS, DIM = 3, 2, 4
FEATURES = {"user": torch.arange(6.0).reshape(3, 2), "item": torch.arange(6.0).reshape(2, 3)}


class Doubling(nn.Module):
    """A network without a graph, and with one weight."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))

    def forward(self, x, graph):
        return self.weight * x


def encoder(inputs):
    torch.manual_seed(0)
    widths = (0, 0) if inputs == "ids" else (2, 3)
    return NodeEncoder(Doubling(), DIM, USERS, ITEMS, inputs, widths)


def by_hand(made, node):
    """The input of a node."""
    x = torch.zeros(DIM) if made.ids is None else made.ids.weight[node]
    if made.user is None:
        return x
    return x + (
        made.user(FEATURES["user"][node]) if node < USERS else made.item(FEATURES["item"][node - USERS])
    )


def test_inputs_are_ids_or_mapped_features_or_their_sum():
    for inputs in ("ids", "features", "both"):
        made = encoder(inputs)
        assert (made.ids is None) == (inputs == "features")
        assert (made.user is None) == (inputs == "ids")
        for nodes in (torch.arange(USERS + ITEMS), torch.tensor([1, 4]), torch.tensor([0, 2])):
            x, z = made(nodes, None, FEATURES)
            expected = torch.stack([by_hand(made, node) for node in nodes.tolist()])
            torch.testing.assert_close(x, expected)
            torch.testing.assert_close(z, 2 * expected)


def test_ids_alone_need_no_features():
    x, _ = encoder("ids")(torch.tensor([4]), None, {})
    assert x.shape == (1, DIM)


def test_all_parameters_but_the_ids_decay():
    for inputs, groups in (("ids", 2), ("features", 1), ("both", 2)):
        made = encoder(inputs)
        found = made.parameter_groups(0.5)
        assert len(found) == groups
        decay = {id(p): group.get("weight_decay", 0.0) for group in found for p in group["params"]}
        assert decay == {id(p): 0.0 if name == "ids.weight" else 0.5 for name, p in made.named_parameters()}
