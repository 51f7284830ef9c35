"""Ratings with planted factors, and estimates of them."""

import numpy as np

from igmc.estimates import FactorEstimates

SIZES = {"n_users": 90, "n_items": 60}
SETTINGS = {"factors": 3, "burn_in": 15, "draws": 10, "thin": 1}


def planted_ratings(seed=0):
    """User, item and rating: of rank 2 with biases, a third left out; nobody rates the last item."""
    rng = np.random.default_rng(seed)
    rating = 3 + rng.normal(size=(90, 2)) @ rng.normal(size=(2, 60)) + rng.normal(0, 0.5, (90, 1))
    rating += rng.normal(0, 0.5, 60) + rng.normal(0, 0.3, rating.shape)
    user, item = np.nonzero(rng.random(rating.shape) < np.where(np.arange(60) < 59, 2 / 3, 0))
    return user.astype(np.int32), item.astype(np.int32), rating[user, item].astype(np.float32)


def fitted(mask=None, **settings):
    columns = planted_ratings()
    kept = columns if mask is None else [column[mask] for column in columns]
    return FactorEstimates.fit(*kept, **SIZES, **{**SETTINGS, **settings})
