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
# # GraphSAGE on features: lists, filters, embeddings
#
# GraphSAGE computes a node from its features and its neighbours, so it embeds no id when it reads
# features alone. Here it learns from the ages and occupations of the demo's users and the genres and
# years of its films.

# %%
import matplotlib.pyplot as plt
import networkx as nx
import pandas as pd

import igmc
from igmc.recommenders import TrainingData, make_recommender

dataset = igmc.load_dataset("demo")
dataset.item_info.head(3)

# %% [markdown]
# ## Features, identities, or both
#
# `inputs` says what stands for a node: features, a learned embedding, or their sum.

# %%
models = [
    "biases",
    "features=graphsage:inputs=features,epochs=8",
    "ids=graphsage:inputs=ids,epochs=8",
    "both=graphsage:inputs=both,epochs=8",
]
report = igmc.evaluate(models, "demo", protocols="random_80_20:refit=false", rankings=False)
print(report.to_markdown(["rmse", "mae"]))

# %% [markdown]
# ## Top and bottom of a user's list, with a filter

# %%
split = igmc.make_split("demo", seed=1)
model = make_recommender("graphsage", {"epochs": 8}, seed=1).fit(TrainingData.from_split(split, dataset))
films = dataset.item_info.assign(item=dataset.table.items.ids, score=model.scores([6])[0])
films = films.sort_values("score", ascending=False)
pd.concat([films.head(3), films.tail(3)])

# %%
films[films.year.between(1980, 1999)].head(3)

# %% [markdown]
# ## The embeddings
#
# Two principal components of the items' embeddings, coloured by the mean rating of the item. (UMAP, extra
# `umap`, is an alternative: `igmc-plot RUN --embeddings FILE --projection umap`.)

# %%
from igmc.plots import pca

_, items = model.embeddings()
places, _ = pca(items)
table = dataset.table
mean = pd.Series(table.rating).groupby(table.item).mean()
figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
dots = axes.scatter(*places[mean.index].T[:2], c=mean, s=12, cmap="viridis")
figure.colorbar(dots, label="mean rating")

# %% [markdown]
# ## A user and the films around
#
# The ratings of one user as a graph; green edges are ratings above the user's mean, red ones below.

# %%
graph = igmc.to_networkx(dataset)
star = nx.ego_graph(graph, ("user", 7))
ratings = nx.get_edge_attributes(star, "rating")
centre = sum(ratings.values()) / len(ratings)
colours = ["tab:green" if rating > centre else "tab:red" for rating in ratings.values()]
figure, axes = plt.subplots(figsize=(5, 4), layout="constrained")
nx.draw(star, nx.spring_layout(star, seed=1), axes, node_size=20, edge_color=colours, width=0.6)
