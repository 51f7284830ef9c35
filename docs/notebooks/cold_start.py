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
# # Cold start with the networks of igmc
#
# A model that embeds no id can answer people whom it never saw. Here one is trained for one epoch on the
# demo, and asked by newcomers of opposite tastes, with one rating, two, five. `estimates="none"` saves
# half a minute, and some accuracy: leave it out, and `epochs` too, for the figures of
# [results](../results.md).

# %%
import pandas as pd

import igmc

report = igmc.train("demo", epochs=1, estimates="none", seed=1, out="runs/cold-start", progress=False)
model = report.predictor()
report

# %% [markdown]
# ## A newcomer arrives
#
# Nothing is trained when the ratings come in: they are laid over the rating graph within the request.

# %%
model.recommend(ratings={"f001": 5, "f002": 1}, k=5)

# %% [markdown]
# The opposite taste should get another list:

# %%
model.recommend(ratings={"f001": 1, "f002": 5}, k=5)

# %% [markdown]
# ## How a prediction settles
#
# The score of one film, as the newcomer reveals more of a taste:

# %%
taste = {"f001": 5, "f002": 1, "f003": 4, "f004": 2, "f005": 5}
items = ["f010", "f020", "f030"]
rows = {}
for k in range(1, len(taste) + 1):
    shown = dict(list(taste.items())[:k])
    rows[k] = model.score_user(shown, items).set_index("item_id").score
pd.DataFrame(rows).T.rename_axis("ratings revealed")

# %% [markdown]
# ## Why?
#
# An explanation leaves the ratings around the pair out, one after the other:

# %%
print(model.explain(7, "f003"))

# %% [markdown]
# ## How much is it worth?
#
# Measured on users that no model saw, who reveal k ratings. With few ratings all models are close, and
# the one to beat is matrix factorization with folding in, not the mean.

# %%
found = igmc.evaluate(
    ["user_mean", "biases", "item_knn", "mf"],
    "demo",
    protocols=[f"unseen_users:k={k},refit=false" for k in (1, 5)],
    rankings=False,
)
print(found.to_markdown(["rmse"]))

# %% [markdown]
# Add `neighbours` to that list for the network (a minute more). The figures on MovieLens, with intervals
# over five draws of who is unseen, are in
# [results](../results.md#unseen-users-and-items-the-neighbours-network).
