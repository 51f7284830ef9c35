"""Clicks without ratings: people of three tastes, and a quick run of the ranker on them."""

import numpy as np
import pandas as pd

import igmc

QUICK = {"folds": 1, "members": 1, "epochs": 2, "test_ratio": 0.2}


def click_table(users=60, items=30, seed=3):
    """Who clicked on what: mostly things of the own kind, item number modulo 3."""
    rng = np.random.default_rng(seed)
    taste, kind = rng.integers(0, 3, users), np.arange(items) % 3
    user, item = np.nonzero(rng.random((users, items)) < np.where(taste[:, None] == kind, 0.6, 0.05))
    order = rng.permutation(len(user))
    return pd.DataFrame({"user": [f"u{k}" for k in user[order]], "item": [f"i{k}" for k in item[order]]})


def click_dataset():
    things = pd.DataFrame({"item": [f"i{k}" for k in range(30)], "title": [f"Thing {k}" for k in range(30)]})
    return igmc.Dataset.from_frame(click_table(), items=things, implicit=True, name="clicks")


def click_run(folder):
    """The report of a finished run."""
    return igmc.train(click_dataset(), out=folder, device="cpu", progress=False, **QUICK)


def kinds(items):
    return [int(item[1:]) % 3 for item in items]
