"""A generative model of users and items with tastes, and ratings drawn from it.

The rating of user u for item i is ``min(5, max(1, round(m_ui + e)))`` stars with ``e ~ N(0, NOISE^2)`` and
``m_ui = MEAN + b_u + c_i + TASTE <p_u, q_i>``. Tastes p and q are vectors in the plane: an item lies near its
genres, a user near the tastes of the same occupation. A model of user and item biases alone (b and c) misses
most of the structure; one that compares neighbours' ratings does not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from igmc.compiled import inner, kernel
from igmc.rng import fold, pair_key, stream

__all__ = ["GENRES", "OCCUPATIONS", "World", "draw_ratings", "make_world"]

# Numba types its functions itself, at compile time.
# mypy: allow-untyped-defs, allow-untyped-calls, allow-untyped-decorators

Floats = NDArray[np.float64]

MEAN, KINDNESS, QUALITY, TASTE, NOISE = 3.3, 0.3, 0.35, 1.15, 0.55  # stars

GENRES = (
    *("Action", "Comedy", "Crime", "Documentary", "Drama", "Fantasy", "Horror", "Romance", "Sci-Fi"),
    "Western",
)
OCCUPATIONS = ("baker", "carpenter", "doctor", "farmer", "nurse", "pilot", "student", "teacher", "writer")


@dataclass(frozen=True, eq=False)
class World:
    """The latent variables of the generator, hidden from models.

    Attributes:
        kindness: b_u, float64 [n_users], stars.
        quality: c_i, float64 [n_items], stars.
        user_taste, item_taste: p_u and q_i, float64 [n_users, 2] and [n_items, 2].
        occupation: int64 [n_users], positions in `OCCUPATIONS`.
        genres: int64 [n_items, 2], positions in `GENRES`; one genre occurs twice.
    """

    kindness: Floats
    quality: Floats
    user_taste: Floats
    item_taste: Floats
    occupation: NDArray[np.int64]
    genres: NDArray[np.int64]

    def mean(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """m_ui of n pairs."""
        taste = np.einsum("nk,nk->n", self.user_taste[user], self.item_taste[item])
        mean: Floats = MEAN + self.kindness[user] + self.quality[item] + TASTE * taste
        return mean

    def expected(self, user: NDArray[np.int32], item: NDArray[np.int32]) -> Floats:
        """The expected stars of n pairs, which are the best possible predictions.

        ``E[stars] = 5 - sum_{k=1..4} P(stars <= k)`` with ``P(stars <= k) = Phi((k + 1/2 - m) / NOISE)``.
        """
        from scipy.special import ndtr  # here, as all that reads ratings imports this module

        borders = np.arange(1.5, 5.0)[:, None]  # [4, 1]
        below = ndtr((borders - self.mean(user, item)) / NOISE)  # [4, n]
        expected: Floats = 5 - below.sum(axis=0)
        return expected


def make_world(seed: int, n_users: int, n_items: int) -> World:
    """The world of a seed; worlds of different sizes share nothing."""
    genre_taste = _directions(_normal(seed, "genres", len(GENRES), 2))
    occupation_taste = _directions(_normal(seed, "occupations", len(OCCUPATIONS), 2))
    genres = _choice(seed, "item genres", (n_items, 2), len(GENRES))
    occupation = _choice(seed, "user occupation", (n_users,), len(OCCUPATIONS))
    item_taste = genre_taste[genres].mean(axis=1) + 0.35 * _normal(seed, "item taste", n_items, 2)
    user_taste = 0.6 * occupation_taste[occupation] + _normal(seed, "user taste", n_users, 2)
    return World(
        kindness=KINDNESS * _normal(seed, "kindness", n_users),
        quality=QUALITY * _normal(seed, "quality", n_items),
        # A power below 1 draws the lengths together: few people are lukewarm about everything.
        user_taste=_directions(user_taste, power=0.7),
        item_taste=_directions(item_taste),
        occupation=occupation,
        genres=genres,
    )


def draw_ratings(
    world: World, seed: int, n_ratings: int, *, user_tail: float, item_tail: float, least: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Draw the rated pairs and their ratings.

    Args:
        world: n_users users and n_items items.
        seed: at least 0.
        n_ratings: at least 1, at most n_users * n_items.
        user_tail, item_tail: standard deviation of the logarithm of a user's activity and of an item's
            popularity; MovieLens 25M has about 1.2 and 2.5.
        least: ratings that every user has, if there are enough for all.

    Returns:
        user, item: int32 [n_ratings], ordered by user, each pair once; level: uint8, stars - 1.
    """
    n_users, n_items = len(world.kindness), len(world.quality)
    activity = _activity(seed, n_users, n_items, n_ratings, user_tail, least)
    popularity = np.exp(item_tail * _normal(seed, "popularity", n_items))
    # No item is expected on more than half of the users' lists: in ML-25M the first is on half of them.
    popularity = np.minimum(popularity, popularity.sum() * n_users / (2 * n_ratings))
    tastes = (world.kindness, world.quality, world.user_taste, world.item_taste)
    drawn: tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]
    drawn = _draw(np.uint64(seed), activity, np.cumsum(popularity), *tastes)
    return drawn


def _activity(
    seed: int, n_users: int, n_items: int, n_ratings: int, tail: float, least: int
) -> NDArray[np.int64]:
    """How many ratings each user gives, int64 [n_users], at most n_items each, n_ratings together."""
    least = min(least, n_ratings // n_users, n_items)
    weight = np.exp(tail * _normal(seed, "activity", n_users))
    more = (n_ratings - least * n_users) * weight / weight.sum()
    activity: NDArray[np.int64] = np.minimum(least + more.astype(np.int64), n_items)
    left = n_ratings - int(activity.sum())
    while left > 0:
        with_room = np.flatnonzero(activity < n_items)[:left]
        activity[with_room] += 1
        left -= len(with_room)
    return activity


@inner
def _uniform(key, counter):
    return (fold(key, counter) >> np.uint64(11)) * 2.0**-53


@kernel
def _draw(seed, activity, cumulative, kindness, quality, user_taste, item_taste):
    """Distinct items for each user, more popular ones more often, and the stars of each pair."""
    n_items = len(cumulative)
    total = activity.sum()
    user, item = np.empty(total, np.int32), np.empty(total, np.int32)
    level = np.empty(total, np.uint8)
    taken_by = np.full(n_items, -1, np.int32)
    row = 0
    for u in range(len(activity)):
        key = pair_key(seed, np.uint64(0), np.uint64(u), np.uint64(0))
        draws = 0
        for _ in range(activity[u]):
            i = n_items
            # Most draws are of popular items; a user who has them all takes any others.
            while draws < 50 * activity[u] and (i == n_items or taken_by[i] == u):
                i = np.searchsorted(
                    cumulative, _uniform(key, np.uint64(draws)) * cumulative[-1], side="right"
                )
                draws += 1
            i %= n_items
            while taken_by[i] == u:
                i = (i + 1) % n_items
            taken_by[i] = u
            mean = MEAN + kindness[u] + quality[i]
            mean += TASTE * (user_taste[u, 0] * item_taste[i, 0] + user_taste[u, 1] * item_taste[i, 1])
            noise = _uniform(pair_key(seed, np.uint64(1), np.uint64(u), np.uint64(i)), np.uint64(0))
            stars = 1
            for border in range(1, 5):  # P(stars <= border) = Phi((border + 1/2 - mean) / NOISE)
                if noise >= 0.5 * (1.0 + math.erf((border + 0.5 - mean) / (NOISE * math.sqrt(2.0)))):
                    stars += 1
            user[row], item[row], level[row] = u, i, stars - 1
            row += 1
    return user, item, level


def _normal(seed: int, name: str, *shape: int) -> Floats:
    from scipy.special import ndtri

    # By the inverse of Phi: NumPy keeps its uniform numbers the same for ever, its normal ones it may change.
    uniform = stream(seed, "synthetic", name).random(shape)
    normal: Floats = ndtri((uniform * (2**53 - 1) + 0.5) / 2**53)  # never 0, where ndtri is infinite
    return normal


def _choice(seed: int, name: str, shape: tuple[int, ...], n: int) -> NDArray[np.int64]:
    chosen: NDArray[np.int64] = (stream(seed, "synthetic", name).random(shape) * n).astype(np.int64)
    return chosen


def _directions(vectors: Floats, power: float = 1.0) -> Floats:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Floats = vectors / np.maximum(length, 1e-9) ** power
    return scaled
