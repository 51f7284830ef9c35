"""Jumping knowledge: layers one after the other, all of whose outputs are read."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional

from igmc.recommenders.graph.adjacency import Adjacency

__all__ = ["JumpingKnowledge"]

FINAL_GAIN = 0.3  # of the last layer, so that products of embeddings start small


class JumpingKnowledge(nn.Module):
    """``z = W [x_0, ..., x_K] + b`` with ``x_k = dropout(relu(norm_k(layer_k(x_{k-1}))))``.

    Reading all layers (Xu et al., *Jumping Knowledge Networks*, ICML 2018) keeps what a node is itself from
    being smoothed away.

    Args:
        layers: from dim to dim; called with the states and the sparse matrix of the graph.
        dim: width of inputs, layers and embeddings.
        dropout: after each layer.
        batch_norm: whether norm_k is a batch normalization over all nodes; the identity if not.
    """

    def __init__(
        self, layers: Iterable[nn.Module], dim: int, dropout: float, *, batch_norm: bool = False
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.norms = nn.ModuleList(nn.BatchNorm1d(dim) if batch_norm else nn.Identity() for _ in self.layers)
        self.last = nn.Linear((len(self.layers) + 1) * dim, dim)
        with torch.no_grad():
            self.last.weight *= FINAL_GAIN
        self.dropout = dropout

    def forward(self, x: Tensor, graph: Adjacency) -> Tensor:
        states = [x]
        for layer, norm in zip(self.layers, self.norms, strict=True):
            state = functional.relu(norm(self.propagate(layer, states[-1], graph)))
            states.append(functional.dropout(state, self.dropout, self.training))
        out: Tensor = self.last(torch.cat(states, dim=1))
        return out

    def propagate(self, layer: nn.Module, x: Tensor, graph: Adjacency) -> Tensor:
        out: Tensor = layer(x, graph.matrix)
        return out
