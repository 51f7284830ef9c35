"""Ratings with planted factors, whose noise is known."""

import numpy as np

from tests.recommenders.boards import ratings


def planted(seed=0, *, users=80, items=60, noise=0.3):
    """Ratings of rank 2 with biases and noise, a third of them left out."""
    rng = np.random.default_rng(seed)
    taste = rng.normal(size=(users, 2)) @ rng.normal(size=(2, items))
    rating = 3 + taste + rng.normal(0, 0.5, users)[:, None] + rng.normal(0, 0.5, items)
    rating += rng.normal(0, noise, rating.shape)
    user, item = (a.ravel() for a in np.indices((users, items)))
    hidden = rng.random(len(user)) < 1 / 3
    return [ratings(user[m], item[m], rating.ravel()[m]) for m in (~hidden, hidden)]


def rmse(model, asked):
    return float(np.sqrt(np.mean((model.predict(asked.user, asked.item) - asked.rating) ** 2)))
