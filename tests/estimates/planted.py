"""Ratings with planted factors, and estimates of them."""

import numpy as np

from igmc.estimates import FactorEstimates
from igmc.ratings import RowFeatures, SideInformation

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


def described_ratings(seed=0):
    """Ratings that the kind of an item and the age of a user tell of, and what is known of both sides.

    Nobody rates the items 50..59, and users 80..89 rate nothing; what they would, is returned too.
    """
    rng = np.random.default_rng(seed)
    kind, age = rng.integers(0, 4, 60), rng.integers(0, 3, 90)
    taste, quality = rng.normal(size=(3, 4)), rng.normal(size=4)
    full = (
        3 + quality[kind] + taste[np.ix_(age, kind)] + rng.normal(0, 0.3, 60) + rng.normal(0, 0.4, (90, 60))
    )
    users, items = (
        RowFeatures(np.eye(n)[of].astype(np.float32) - 1 / n, np.zeros(n, int))
        for of, n in ((age, 3), (kind, 4))
    )
    known = (rng.random((90, 60)) < 0.6) & (np.arange(60) < 50) & (np.arange(90) < 80)[:, None]
    user, item = (a.astype(np.int32) for a in np.nonzero(known))
    return (user, item, full[user, item].astype(np.float32)), SideInformation(users, items), full
