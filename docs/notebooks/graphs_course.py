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
# # From ratings to graph networks
#
# The path of a course on graph-based recommendation, on the demo data of `igmc` (12,000 ratings, made
# from a seed): look at the data, turn it into a graph, train a GCN and a GAT, compare them with IGMC, and
# see what happens to newcomers. Trainings are cut short so that the notebook runs in seconds; the figures
# of full trainings are in [results](../results.md).

# %%
import networkx as nx
import numpy as np
import pandas as pd

import igmc
from igmc.evaluation.tuning import tune
from igmc.ratings.demo.dataset import make_ratings
from igmc.tracking import Callback

# %% [markdown]
# ## 1. Look at the data

# %%
dataset = igmc.load_dataset("demo")
table = dataset.table
ratings = pd.DataFrame(
    {
        "user": table.users.decode(table.user),
        "item": table.items.decode(table.item),
        "rating": table.rating,
    }
)
ratings.describe()

# %% [markdown]
# `igmc.describe` reports missing values, outliers and duplicates. Most users and items have few ratings,
# as in all rating data: see the Gini coefficients and the columns "min" and "one only".

# %%
print(str(igmc.describe("demo"))[:2600])

# %% [markdown]
# Most of the rating matrix is missing, and not at random: people rate what they chose to watch. Outliers
# among users are those who rate far more than others, or give one value only:

# %%
per_user = ratings.groupby("user").rating.agg(["size", "mean", "std"])
low, high = per_user["size"].quantile([0.25, 0.75])
outliers = per_user[per_user["size"] > high + 1.5 * (high - low)]
print(f"missing: {1 - len(ratings) / (ratings.user.nunique() * ratings.item.nunique()):.1%} of the matrix")
outliers.sort_values("size", ascending=False).head()

# %%
axes = ratings.hist("rating", bins=np.arange(0.5, 6), figsize=(5, 3), grid=False)

# %% [markdown]
# ## 2. The graph: NetworkX, then PyTorch Geometric
#
# Users and items are nodes, a rating is an edge, and the rating is its weight.

# %%
graph = igmc.to_networkx(dataset)
components = nx.number_connected_components(graph)
print(graph, "bipartite:", nx.is_bipartite(graph), "components:", components)
degrees = pd.Series(dict(graph.degree()), name="degree")
degrees.sort_values(ascending=False).head()

# %% [markdown]
# For training, only the edges of the training part may carry messages. A test rating among the edges
# leaks what the model has to predict.

# %%
split = igmc.make_split("demo", seed=1)
data = igmc.to_pyg(dataset, split=split, features=True)
print(data)
print("training edges:", int(data.edge_train_mask.sum()), "of", data.num_edges)

# %% [markdown]
# ## 3. GCN, GAT and IGMC on the same split
#
# One harness fits them all. `edge_weight=centred` weighs a message by how far the rating lies from the
# mean, so that a 1 pushes away; `none` counts every rating alike. All of them stop early on validation
# ratings. A callback collects the validation RMSE of every epoch.


# %%
class Curves(Callback):
    """The validation RMSE of each training by epoch."""

    def __init__(self):
        self.rmse = {}

    def on_epoch_end(self, run, record):
        if record.get("validation_rmse") is not None:
            self.rmse.setdefault(run.rpartition("/")[2], {})[int(record["epoch"])] = record["validation_rmse"]


curves = Curves()
models = [
    "biases",
    "gcn:epochs=5",
    "GCN without edge weights=gcn:epochs=5,edge_weight=none",
    "GCN with batch normalization=gcn:epochs=5,batch_norm=true",
    "gat:epochs=5",
    "igmc:train.epochs=1,extract.max_nodes_per_hop=10",
]
way = "random_80_20:refit=false"
report = igmc.evaluate(models, "demo", protocols=way, rankings=False, callbacks=[curves])
print(report.to_markdown(["rmse", "mae", "mean_error"]))

# %% [markdown]
# With one epoch IGMC has barely started: `igmc-train --dataset demo --network rgcn` takes it to 0.71.
# The curves show which models would have improved with more epochs:

# %%
pd.DataFrame(curves.rmse).sort_index()

# %% [markdown]
# ## 4. Tuning
#
# `tune` searches the settings of a model on validation ratings: the first trial has the default settings,
# Optuna draws the others. The best of many validation figures is too good, so the settings are measured
# once more, on test ratings that no trial has seen.

# %%
found = tune("item_knn", "demo", trials=6, seed=1, out="tuned")
trials = pd.DataFrame([{**trial.settings, "validation RMSE": trial.value} for trial in found.trials])
trials.round(3)

# %%
tuned = igmc.evaluate(["item_knn", "tuned=item_knn@tuned/best.json"], "demo", rankings=False)
print(tuned.to_markdown(["rmse", "mae"]))

# %% [markdown]
# ## 5. Precision, recall and F1
#
# RMSE asks how far a rating is off. A list of ten asks something else: how many of the items that a user
# liked are in it. All items that the user has not seen compete.

# %%
rankers = ["popularity", "item_knn:objective=ranking", "ease"]
lists = igmc.evaluate(rankers, "demo", protocols=way, ks=10)
print(lists.to_markdown(["precision@10", "recall@10", "f1@10", "ndcg@10"]))

# %% [markdown]
# On the demo nothing beats popularity: taste shows in how people rate, and hardly in what they rate. On
# MovieLens it does: EASE has a recall@20 of 0.36 there, popularity one of 0.17.

# %% [markdown]
# ## 6. Cold start
#
# Now the users of the test part are unseen in training, with two known ratings each. The GCN cannot take
# part: its users have embeddings, and a new user has none.

# %%
rivals = ["user_mean", "biases", "item_knn", "mf"]
cold = igmc.evaluate(rivals, "demo", protocols="unseen_users:k=2,refit=false", rankings=False)
print(cold.to_markdown(["rmse", "mae"]))

# %% [markdown]
# The notebook on [cold start](cold_start.py) continues with the networks that embed no id.

# %% [markdown]
# ## 7. Scalability
#
# How does the time to train grow with the data? `make_ratings` generates ratings like those of the demo in
# any number. A pass of a GCN over the whole graph is linear in the number of ratings; here it is two epochs.

# %%
rows = []
for n in (10_000, 20_000, 40_000):
    user, item, level = make_ratings(n // 40, n // 80, n, seed=1)
    larger = pd.DataFrame({"user": user, "item": item, "rating": level + 1})
    timed = igmc.evaluate(["biases", "item_knn", "gcn:epochs=2"], larger, protocols=way, rankings=False)
    rows += [{"ratings": n, "model": one.label, "seconds": one.seconds["fit"]} for one in timed.evaluations]
pd.DataFrame(rows).pivot(index="ratings", columns="model", values="seconds").round(3)

# %% [markdown]
# Full-graph training needs all embeddings and edges in memory. `gcn:neighbors=[10,10]` samples neighbours
# instead, and the networks of `igmc-train` only read the neighbourhoods of a batch, from 25 million ratings
# too; see [scale](../guides/scale.md).
