"""From ids and features of users and items to their embeddings: the part of a graph model that is trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from igmc.recommenders.graph.adjacency import Adjacency

__all__ = ["GraphInput", "NodeEncoder"]

IDS_SPREAD = 0.1


@dataclass(frozen=True, eq=False)
class GraphInput:
    """What embeddings are computed from; it follows from some known ratings.

    Attributes:
        graph: of all users and items.
        features: ``user`` float32 [n_users, F], ``item`` [n_items, G]; empty if only ids are used.
    """

    graph: Adjacency
    features: dict[str, Tensor]


class NodeEncoder(nn.Module):
    """Inputs of nodes, and a network over them.

    Args:
        network: from inputs, float32 [n, dim], and an `Adjacency` of the same nodes, to embeddings [n, D].
        dim: width of the inputs.
        n_users, n_items: sizes of both sides.
        inputs: "ids", "features" or "both".
        widths: of the features of users and of items.
    """

    def __init__(
        self, network: nn.Module, dim: int, n_users: int, n_items: int, inputs: str, widths: tuple[int, int]
    ) -> None:
        super().__init__()
        self.n_users = n_users
        self.ids = None if inputs == "features" else nn.Embedding(n_users + n_items, dim)
        if self.ids is not None:
            nn.init.normal_(self.ids.weight, std=IDS_SPREAD)
        self.user, self.item = (None if inputs == "ids" else nn.Linear(width, dim) for width in widths)
        self.network = network

    def forward(self, nodes: Tensor, graph: Adjacency, features: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Inputs, float32 [n, dim], and embeddings [n, D].

        Args:
            nodes: int64 [n], ascending.
            graph: on these nodes.
            features: of all users and items, as in `GraphInput`.
        """
        x = torch.zeros(()) if self.ids is None else self.ids(nodes)
        if self.user is not None and self.item is not None:
            users, items = nodes[nodes < self.n_users], nodes[nodes >= self.n_users] - self.n_users
            parts = [self.user(features["user"][users]), self.item(features["item"][items])]
            x = x + torch.cat(parts)
        return x, self.network(x, graph)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """The parameters for the optimizer; the ids do not decay, since most of them are not in a batch."""
        ids = [] if self.ids is None else [self.ids.weight]
        others = [p for name, p in self.named_parameters() if not name.startswith("ids.")]
        groups: list[dict[str, Any]] = [{"params": ids}, {"params": others, "weight_decay": weight_decay}]
        return [group for group in groups if group["params"]]
