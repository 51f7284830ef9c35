# ---
# jupyter:
#   jupytext:
#     formats: py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Bring your own PyG model
#
# A model written with PyTorch Geometric becomes a recommender of `igmc` in some forty lines. From then on
# it is evaluated on the same splits, with the same intervals, and tuned by the same command as all
# others.

# %%
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch_geometric.nn import GraphConv

import igmc
from igmc.config import Config, knob
from igmc.recommenders import RECOMMENDERS, OneOf, Range, Recommender

# %% [markdown]
# ## The network: plain PyG
#
# Two graph convolutions on learned inputs; the weight of an edge is how far its rating lies from the
# mean, so that a 1 pushes away. A rating is the mean, two biases, and a product of the states of both
# nodes.


# %%
class Net(nn.Module):
    """Rates pairs of nodes by the product of their states."""

    def __init__(self, n_nodes: int, dim: int) -> None:
        super().__init__()
        self.inputs, self.bias = nn.Embedding(n_nodes, dim), nn.Embedding(n_nodes, 1)
        self.first, self.second = (GraphConv(dim, dim, aggr="mean") for _ in range(2))
        nn.init.normal_(self.inputs.weight, std=0.3)
        nn.init.zeros_(self.bias.weight)

    def forward(self, edges, weight, user, item):
        states = torch.relu(self.first(self.inputs.weight, edges, weight))
        states = self.inputs.weight + self.second(states, edges, weight)
        both = (states[user] * states[item]).sum(1)
        return both + self.bias(user)[:, 0] + self.bias(item)[:, 0]


# %% [markdown]
# ## The recommender: settings, fit, predict
#
# `data.train` holds `user`, `item` and `rating` of the training part as dense indices; there is no test
# rating in it. `fitted` names what is learned, and saving, loading and checks are then done for you. In
# each epoch half of the ratings carries messages and the other half is asked: a rating that is in the
# graph would tell the network its own answer.


# %%
@dataclass(frozen=True)
class OwnConfig(Config):
    """Settings of the model; each becomes an option of `igmc-evaluate --model own_gnn:...`."""

    dim: int = knob(16, "width of the states", low=1)
    epochs: int = knob(60, "full passes over the training ratings", low=1)
    learning_rate: float = knob(0.02, "Adam's step size", low=1e-6, high=1.0)


class OwnGNN(Recommender):
    """Two weighted graph convolutions on learned inputs."""

    name: ClassVar = "own_gnn"
    config_class: ClassVar = OwnConfig
    fitted: ClassVar = ("mean", "weights", "edges", "weight")

    def search_space(self):
        return {"dim": OneOf((8, 16, 32)), "learning_rate": Range(1e-3, 0.1, log=True)}

    def _fit(self, data, monitor):
        torch.manual_seed(self.seed)
        user = torch.from_numpy(data.train.user).long()
        item = torch.from_numpy(data.train.item).long() + self.n_users
        self.mean = float(data.train.rating.mean())
        above = torch.from_numpy(data.train.rating) - self.mean
        net = Net(self.n_users + self.n_items, self.config.dim)
        optimizer = torch.optim.AdamW(net.parameters(), self.config.learning_rate, weight_decay=0.1)
        for epoch in range(1, self.config.epochs + 1):
            shown = torch.rand(len(user)) < 0.5  # half carries messages, the other half is asked
            edges, weight = both_ways(user[shown], item[shown], above[shown])
            optimizer.zero_grad()
            loss = (net(edges, weight, user[~shown], item[~shown]) - above[~shown]).square().mean()
            loss.backward()
            optimizer.step()
            monitor({"epoch": epoch, "loss": loss.item()})
        self.edges, self.weight = both_ways(user, item, above)
        self.weights = dict(net.state_dict())

    def _predict(self, user, item):
        net = Net(self.n_users + self.n_items, self.config.dim)
        net.load_state_dict(self.weights)
        nodes = torch.from_numpy(user).long(), torch.from_numpy(item).long() + self.n_users
        with torch.no_grad():
            return (net(self.edges, self.weight, *nodes) + self.mean).numpy()


def both_ways(user, item, weight):
    """Edges from users to items and back."""
    return torch.stack([torch.cat([user, item]), torch.cat([item, user])]), weight.repeat(2)


# %% [markdown]
# ## One line to register it, and it stands beside the others
#
# In a package of yours the entry is `"my_package.my_module:OwnGNN"`.

# %%
RECOMMENDERS["own_gnn"] = "__main__:OwnGNN"
models = ["biases", "mf", "own_gnn", "wider=own_gnn:dim=32"]
report = igmc.evaluate(models, "demo", protocols="random_80_20:refit=false", rankings=False)
print(report.to_markdown(["rmse", "mae", "mean_error"]))

# %% [markdown]
# Rankings cost nothing more: the scores of all items come from the same `_predict`.

# %%
lists = igmc.evaluate(["popularity", "own_gnn"], "demo", protocols="random_80_20:refit=false", ks=10)
print(lists.to_markdown(["recall@10", "ndcg@10"]))

# %% [markdown]
# On raw ids, saved and loaded:

# %%
from pathlib import Path
from tempfile import TemporaryDirectory

from igmc.recommenders import TrainingData, load_recommender

model = OwnGNN(OwnConfig(epochs=20)).fit(TrainingData.from_split(igmc.make_split("demo", seed=1)))
with TemporaryDirectory() as folder:
    model.save(Path(folder) / "own.pt")
    again = load_recommender(Path(folder) / "own.pt")
np.testing.assert_array_equal(model.predict([0, 1], [2, 3]), again.predict([0, 1], [2, 3]))
model

# %% [markdown]
# This model embeds ids, so it cannot answer a newcomer: `inductive` stays False, and `unseen_users`
# refuses it with a message that says so. A model that reads the present graph sets `inductive = True` and
# implements `_fold_in`.
