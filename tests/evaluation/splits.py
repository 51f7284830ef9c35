"""Small splits made by hand, for tests."""

import itertools

import numpy as np

from igmc.ratings.ids import IdTable
from igmc.ratings.scale import RatingScale
from igmc.ratings.split import Split
from igmc.ratings.table import RatingTable


def make_split(train, validation, test, *, users=None, items=None) -> Split:
    """A split of (user, item, rating) rows; the scale is 1..5."""
    rows = [*train, *validation, *test]
    user, item, rating = (np.array(column) for column in zip(*rows, strict=True))
    table = RatingTable(
        IdTable(tuple(range(users or int(user.max()) + 1))),
        IdTable(tuple(f"i{k}" for k in range(items or int(item.max()) + 1))),
        user.astype(np.int32),
        item.astype(np.int32),
        rating.astype(np.float64),
    )
    ends = np.cumsum([0, len(train), len(validation), len(test)])
    parts = [np.arange(low, high) for low, high in itertools.pairwise(ends)]
    return Split(table, RatingScale.fit(np.arange(1.0, 6.0)), *parts, name="handmade", seed=0)


def random_rows(seed, *, users=12, items=9, share=0.6):
    """Distinct (user, item, rating) rows, 1..5, with tastes in them."""
    rng = np.random.default_rng(seed)
    taste = 3 + rng.normal(0, 0.8, users)[:, None] + rng.normal(0, 0.8, items)
    rating = np.clip(np.rint(taste + rng.normal(0, 0.5, taste.shape)), 1, 5)
    known = np.argwhere(rng.random(taste.shape) < share)
    return [(int(u), int(i), float(rating[u, i])) for u, i in rng.permutation(known)]
