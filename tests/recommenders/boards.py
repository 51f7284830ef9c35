"""Data whose answers are provable: a checkerboard of tastes."""

import numpy as np

from igmc.ratings.scale import KnownScale, RatingScale
from igmc.recommenders.training_data import Ratings, TrainingData

SCALE = RatingScale.fit([1.0, 5.0], known=KnownScale(1, 5))


def ratings(user, item, rating) -> Ratings:
    user, item = np.asarray(user, np.int32), np.asarray(item, np.int32)
    return Ratings(user, item, np.asarray(rating, np.float32), np.arange(len(user), dtype=np.int64) + 10**9)


def data_of(train, validation=None, *, n_users, n_items, **info) -> TrainingData:
    return TrainingData(train, validation or ratings([], [], []), n_users, n_items, SCALE, **info)


def checkerboard(*, users=24, items=16, known=0.7, seed=0, extra=1):
    """Rating 5 where user and item are both even or both odd, else 1.

    Returns:
        the training data, with `extra` users and items of whom nothing is known, and the pairs left out with
        their true ratings. Every mean is 3 but for chance, so only who agrees with whom tells the answer.
    """
    rng = np.random.default_rng(seed)
    user, item = (a.ravel() for a in np.indices((users, items)))
    rating = np.where((user + item) % 2 == 0, 5.0, 1.0)
    order = rng.permutation(len(user))
    shown, hidden = np.split(order, [int(known * len(order))])
    validation, asked = np.split(hidden, [len(hidden) // 3])
    parts = [ratings(user[rows], item[rows], rating[rows]) for rows in (shown, validation, asked)]
    return data_of(*parts[:2], n_users=users + extra, n_items=items + extra), parts[2]


def liked_board(*, users=24, items=16, known=0.6, seed=0, extra=1):
    """Only the fives of the checkerboard, a share of them: for models that learn from what was chosen at all.

    Returns:
        the training data, and for each user the liked items left out.
    """
    data, _ = checkerboard(users=users, items=items, known=1.0, seed=seed, extra=extra)
    rng = np.random.default_rng(seed + 1)
    liked = np.flatnonzero(data.train.rating == 5)
    shown = np.sort(rng.permutation(liked)[: int(known * len(liked))])
    hidden = np.setdiff1d(liked, shown)
    user, item = data.train.user, data.train.item
    kept = ratings(user[shown], item[shown], np.full(len(shown), 5.0))
    left = [item[hidden][user[hidden] == k] for k in range(users)]
    return data_of(kept, n_users=users + extra, n_items=items + extra), left
