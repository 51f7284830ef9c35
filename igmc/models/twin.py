"""The same network on `torch_geometric.nn.RGCNConv`: the tests' oracle, the benchmarks' yardstick."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor, nn
from torch_geometric.nn import RGCNConv

from igmc.loading import Batch
from igmc.models.dropout import dropout, edge_masks
from igmc.models.igmc import IGMC

__all__ = ["PyGTwin"]


def _shares(n_levels: int) -> Tensor:
    return torch.arange(1, n_levels + 1) / n_levels


class PyGTwin(nn.Module):
    """An `IGMC` as one would write it on PyG, with edge lists and message tensors.

    Copies the convolutions' weights and shares the MLP of `model`. Dropout falls on the same edges and units.
    """

    def __init__(self, model: IGMC) -> None:
        super().__init__()
        self.config, self.lin1, self.lin2 = model.config, model.lin1, model.lin2
        self.norms = copy.deepcopy(model.norms) if self.config.batch_norm else None
        self.weight = None if self.config.edge_weight == "none" else _shares(model.n_levels)
        self.convs = nn.ModuleList()
        for conv in model.layers:
            aggr = "mean" if self.config.norm == "relation" else "sum"
            twin = RGCNConv(*conv.root.shape, model.n_levels, num_bases=self.config.bases, aggr=aggr)
            twin.load_state_dict(conv.state_dict())
            if self.weight is not None:  # a message of level r times w_r is one by w_r W_r
                twin = RGCNConv(*conv.root.shape, model.n_levels, aggr=aggr)
                scaled = conv.relation_weights() * self.weight[:, None, None]
                twin.load_state_dict({"weight": scaled, "root": conv.root, "bias": conv.bias})
            self.convs.append(twin)

    def forward(self, batch: Batch) -> Tensor:
        """See `IGMC.forward`."""
        graphs = batch.tensors
        n_users = len(graphs.user_label)
        source, target, level = self._edges(batch)
        labels = torch.cat([graphs.user_label, graphs.item_label]).long()
        convs: list[Any] = list(self.convs)
        x = nn.functional.one_hot(labels, convs[0].in_channels).to(self.lin1.weight.dtype)
        states = []
        for k, conv in enumerate(convs):
            z = conv(x, torch.stack([source, target]), level)
            if self.config.norm == "degree":  # which PyG does not offer
                own = x @ conv.root + conv.bias
                weights = None if self.weight is None else self.weight[level]
                total = torch.bincount(target, weights, minlength=len(x)).to(x.dtype)
                z = own + (z - own) / torch.where(total > 0, total, 1.0).unsqueeze(1)
            x = torch.tanh(z if self.norms is None else self.norms[k](z))
            states.append(x)
        h = torch.cat(states, dim=1)
        h = torch.cat([h[graphs.user_ptr[:-1]], h[n_users + graphs.item_ptr[:-1]]], dim=1)
        h = h if batch.side is None else torch.cat([h, batch.side], dim=1)
        h = torch.relu(self.lin1(h))
        if self.training:
            h = dropout(h, self.config.mlp_dropout, batch.noise)
        out: Tensor = self.lin2(h)
        return out.squeeze(1)

    def _edges(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
        """Source node, target node and level of each kept message; int64."""
        graphs = batch.tensors
        n_users, n_edges = len(graphs.user_label), len(graphs.edge_item)
        pair = torch.repeat_interleave(torch.arange(len(batch)), graphs.edge_ptr.diff())
        user = torch.repeat_interleave(torch.arange(n_users), graphs.degree.long())
        item = n_users + graphs.item_ptr[pair] + graphs.edge_item
        level = graphs.edge_level.long()
        to_user = to_item = torch.ones(n_edges, dtype=torch.bool)
        if self.training and self.config.edge_dropout > 0:
            to_user, to_item = edge_masks(
                n_edges, self.config.edge_dropout, self.config.edge_dropout_mode, batch.noise, user.device
            )
        source = torch.cat([item[to_user], user[to_item]])
        target = torch.cat([user[to_user], item[to_item]])
        return source, target, torch.cat([level[to_user], level[to_item]])
