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
# `igmc.describe` tells what is missing, odd and duplicated. Users with few ratings and items with few
# ratings are the rule in rating data: look at the Gini coefficients and at the columns "min" and "one
# only".

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
# For training, only the edges of the training part may carry messages. A test rating that is an edge
# tells the model what it will be asked.

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
# ratings.

# %%
models = [
    "biases",
    "gcn:epochs=5",
    "GCN without edge weights=gcn:epochs=5,edge_weight=none",
    "gat:epochs=5",
    "igmc:train.epochs=1,extract.max_nodes_per_hop=10",
]
report = igmc.evaluate(models, "demo", protocols="random_80_20:refit=false", rankings=False)
print(report.to_markdown(["rmse", "mae", "mean_error"]))

# %% [markdown]
# With one epoch IGMC has barely started: `igmc-train --dataset demo --network rgcn` takes it to 0.71.
# Look at the curve of a model to see whether it was done:

# %%
history = pd.DataFrame(igmc.recommenders.GCN(epochs=5).fit("demo").recommender.history)
history.head()

# %% [markdown]
# ## 4. Precision, recall and F1
#
# RMSE asks how far a rating is off. A list of ten asks something else: how many of the items that a user
# liked are in it. All items that the user has not seen compete.

# %%
rankers = ["popularity", "item_knn:objective=ranking", "ease"]
lists = igmc.evaluate(rankers, "demo", protocols="random_80_20:refit=false", ks=10)
print(lists.to_markdown(["precision@10", "recall@10", "f1@10", "ndcg@10"]))

# %% [markdown]
# On the demo nothing beats popularity: taste shows in how people rate, and hardly in what they rate. On
# MovieLens it does: EASE has a recall@20 of 0.36 there, popularity one of 0.17.

# %% [markdown]
# ## 5. Cold start
#
# Now the users of the test part are unseen in training, and reveal two ratings. The GCN cannot take part:
# its users have embeddings, and a new one has none.

# %%
rivals = ["user_mean", "biases", "item_knn", "mf"]
cold = igmc.evaluate(rivals, "demo", protocols="unseen_users:k=2,refit=false", rankings=False)
print(cold.to_markdown(["rmse", "mae"]))

# %% [markdown]
# The notebook on [cold start](cold_start.py) goes on from here with the networks that embed no id.
