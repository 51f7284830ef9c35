"""Random ratings and their statistics, for tests."""

import numpy as np

from igmc.loading import KnownRatings


def known_ratings(n_users=60, n_items=40, share=0.3, seed=5) -> KnownRatings:
    rng = np.random.default_rng(seed)
    full = np.flatnonzero(rng.random(n_users * n_items) < share)
    user, item = (full // n_items).astype(np.int32), (full % n_items).astype(np.int32)
    rating = rng.integers(1, 6, len(full)).astype(np.float32)
    return KnownRatings(user, item, rating, n_users, n_items, 4.0)
