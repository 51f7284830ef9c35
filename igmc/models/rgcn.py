"""Relational graph convolutions over a batch of enclosing subgraphs, in plain PyTorch for any device.

This is the readable form and the one for CUDA; `igmc.models.fused` computes the same on a CPU, faster.
Messages are never written out: neighbours are summed per (node, relation) by one sparse product a layer.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest

import torch
from torch import Tensor, nn

from igmc.loading import Batch
from igmc.models.dropout import edge_masks

__all__ = ["RGCNLayer", "Topology", "make_topology", "stack_states"]

_LEAST = 1e-30  # what weights are divided by where they are all 0


class RGCNLayer(nn.Module):
    r"""Parameters of one relational graph convolution with shared bases.

    .. math:: x_i' = \tanh(W_0 x_i + b + \sum_r norm_r(i) \sum_{j \in N_r(i)} W_r x_j), \quad
              W_r = \sum_b a_{rb} V_b

    Schlichtkrull et al., *Modeling Relational Data with Graph Convolutional Networks*, ESWC 2018. The names
    and shapes are those of `torch_geometric.nn.RGCNConv`, so state dicts fit both.

    Attributes:
        weight: float [B, in, out], the bases V_b, or the W_r themselves where `comp` is None.
        comp: float [R, B], the coefficients a_rb, or None.
        root: float [in, out], W_0.
        bias: float [out].
    """

    comp: nn.Parameter | None

    def __init__(self, width_in: int, width_out: int, n_levels: int, bases: int | None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(n_levels if bases is None else bases, width_in, width_out))
        self.comp = None if bases is None else nn.Parameter(torch.empty(n_levels, bases))
        self.root = nn.Parameter(torch.empty(width_in, width_out))
        self.bias = nn.Parameter(torch.zeros(width_out))

    def reset_parameters(self, generator: torch.Generator, init: str = "glorot") -> None:
        """Draw the parameters anew.

        "glorot" is what PyG does to `RGCNConv` now: Glorot-uniform weights, zero bias. "uniform" is what it
        did when the paper was written: everything within ``1 / sqrt(B * in)`` of 0. That makes the first W_r
        some 30 times smaller, and leaves the sum over hundreds of neighbours where tanh still has a slope.
        """
        if init == "uniform":
            bound = (self.weight.size(0) * self.weight.size(1)) ** -0.5
            for parameter in (self.weight, self.comp, self.root, self.bias):
                if parameter is not None:
                    nn.init.uniform_(parameter, -bound, bound, generator=generator)
            return
        for parameter in (self.weight, self.comp, self.root):
            if parameter is not None:
                bound = (6.0 / (parameter.size(-2) + parameter.size(-1))) ** 0.5
                nn.init.uniform_(parameter, -bound, bound, generator=generator)
        nn.init.zeros_(self.bias)

    def relation_weights(self) -> Tensor:
        """W_r of every relation, float [R, in, out]."""
        if self.comp is None:
            return self.weight
        return torch.einsum("rb,bio->rio", self.comp, self.weight)

    def arr_penalty(self) -> Tensor:
        """The sum of ||W_{r+1} - W_r||^2 over r, scalar; through the bases, no W_r is made."""
        if self.comp is None:
            return self.weight.diff(dim=0).square().sum()
        steps, bases = self.comp.diff(dim=0), self.weight.flatten(1)  # [R - 1, B], [B, in * out]
        return ((steps @ (bases @ bases.T)) * steps).sum()


@dataclass(frozen=True)
class Topology:
    """A batch as tensors of nodes: users first, then items.

    Attributes:
        n_levels: R.
        label: int64 [N].
        target: int64 [P, 2], the nodes of the target user and of the target item.
        sums: from states, float [N, F], to float [N * R, F]: row i * R + r averages or sums the states of the
            neighbours of node i by relation r.
    """

    n_levels: int
    label: Tensor
    target: Tensor
    sums: Callable[[Tensor], Tensor]


def make_topology(
    batch: Batch,
    n_levels: int,
    norm: str,
    *,
    edge_dropout: float = 0.0,
    edge_dropout_mode: str = "direction",
    edge_weight: Tensor | None = None,
) -> Topology:
    """The nodes of a batch, and how states are summed over neighbours, dropped edges left out.

    Args:
        batch: the subgraphs; `batch.noise` is the key of the edge dropout.
        n_levels: R.
        norm: "none", "relation" or "degree"; see `igmc.config.ModelConfig`.
        edge_dropout: share of edges dropped; 0 when scoring.
        edge_dropout_mode: "direction" or "both".
        edge_weight: float [E], how much each rating counts, in both directions and in the norm; each is 1 if
            None. It may ask for gradients.
    """
    graphs, device = batch.tensors, batch.rating.device
    n_users, n_items, n_edges = (len(a) for a in (graphs.user_label, graphs.item_label, graphs.edge_item))
    degree = graphs.degree.long()
    user = torch.repeat_interleave(torch.arange(n_users, device=device), degree, output_size=n_edges)
    first_item = torch.repeat_interleave(graphs.item_ptr[:-1], graphs.edge_ptr.diff(), output_size=n_edges)
    item = n_users + first_item + graphs.edge_item
    level = graphs.edge_level.long()
    target, source, relation = torch.cat([user, item]), torch.cat([item, user]), torch.cat([level, level])
    weight = None if edge_weight is None else torch.cat([edge_weight, edge_weight])
    if edge_dropout > 0.0:
        before = batch.edges_before
        keep = torch.cat(edge_masks(n_edges, edge_dropout, edge_dropout_mode, batch.noise, device, before))
        target, source, relation = target[keep], source[keep], relation[keep]
        weight = None if weight is None else weight[keep]
    n_nodes = n_users + n_items
    row = target * n_levels + relation
    size = n_nodes * n_levels
    values = torch.ones(len(row), device=device) if weight is None else weight
    if norm != "none":
        group, groups = (row, size) if norm == "relation" else (target, n_nodes)
        total = values.new_zeros(groups).index_add(0, group, values)
        values = values / total[group].clamp(min=_LEAST)
    if weight is None or not weight.requires_grad:
        operator, transposed = (
            _csr(row, source, values, size, n_nodes),
            _csr(source, row, values, n_nodes, size),
        )
        sums = partial(_sparse_sums, operator, transposed)
    else:
        sums = partial(_weighted_sums, row, source, values, size)
    return Topology(
        n_levels=n_levels,
        label=torch.cat([graphs.user_label, graphs.item_label]).long(),
        target=torch.stack([graphs.user_ptr[:-1], n_users + graphs.item_ptr[:-1]], dim=1),
        sums=sums,
    )


def stack_states(layers: Sequence[RGCNLayer], topology: Topology, norms: Iterable[nn.Module] = ()) -> Tensor:
    """All layers' outputs at the two targets of each pair, float [P, 2, sum of widths].

    Args:
        layers: first to last.
        topology: of the batch.
        norms: one for each layer, applied to all nodes before the tanh; none if empty.
    """
    n_labels = layers[0].root.size(0)
    x = nn.functional.one_hot(topology.label, n_labels).to(layers[0].root.dtype)  # [N, labels]
    states = []
    for layer, norm in zip_longest(layers, norms):
        sums = topology.sums(x)  # [N * R, in]
        if layer.comp is None:
            mixed = sums.view(len(x), topology.n_levels * x.size(1))  # [N, R * in]
        else:
            rows = sums.view(len(x), topology.n_levels, x.size(1))
            mixed = torch.einsum("rb,nri->nbi", layer.comp, rows).flatten(1)
        x = mixed @ layer.weight.flatten(0, 1) + x @ layer.root + layer.bias  # [N, out]
        x = torch.tanh(x if norm is None else norm(x))
        states.append(x[topology.target])  # [P, 2, out]
    return torch.cat(states, dim=-1)


def _sparse_sums(operator: Tensor, transposed: Tensor, x: Tensor) -> Tensor:
    out: Tensor = _SparseProduct.apply(operator, transposed, x)  # type: ignore[no-untyped-call]
    return out


def _weighted_sums(row: Tensor, source: Tensor, values: Tensor, size: int, x: Tensor) -> Tensor:
    """The same by message tensors, which is slower, and differentiable in the values too."""
    return x.new_zeros(size, x.size(1)).index_add(0, row, values[:, None] * x[source])


class _SparseProduct(torch.autograd.Function):
    """operator @ x, differentiable in x, with the transposed operator at hand for the way back."""

    @staticmethod
    def forward(ctx, operator: Tensor, transposed: Tensor, x: Tensor) -> Tensor:  # type: ignore[no-untyped-def]
        ctx.save_for_backward(transposed)
        return operator.to(x.dtype) @ x

    @staticmethod
    def backward(ctx, grad: Tensor) -> tuple[None, None, Tensor]:  # type: ignore[no-untyped-def]
        (transposed,) = ctx.saved_tensors
        return None, None, transposed.to(grad.dtype) @ grad


def _csr(row: Tensor, column: Tensor, values: Tensor, n_rows: int, n_columns: int) -> Tensor:
    order = torch.argsort(row, stable=True)
    ends = torch.cumsum(torch.bincount(row, minlength=n_rows), 0)
    ptr = torch.cat([ends.new_zeros(1), ends])
    with warnings.catch_warnings():  # "Sparse CSR tensor support is in beta state"
        warnings.simplefilter("ignore", UserWarning)
        return torch.sparse_csr_tensor(ptr, column[order], values[order], (n_rows, n_columns))
