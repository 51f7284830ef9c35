"""Synthetic ratings: the demo, with a known noise floor, and data of any size for benchmarks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.errors import ConfigError
from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.demo.generator import GENRES, OCCUPATIONS, World, draw_ratings, make_world
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable
from igmc.rng import stream

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["demo_noise_floor", "make_demo", "make_ratings"]

Floats = NDArray[np.float64]

DEMO_SEED = 1
DEMO_USERS, DEMO_ITEMS, DEMO_RATINGS = 300, 250, 12_000

_FIRST = (
    *("Amber", "Broken", "Crooked", "Distant", "Electric", "Fallen", "Golden", "Hidden", "Iron", "Jade"),
    *("Last", "Lonely", "Midnight", "Northern", "Paper", "Quiet", "Restless", "Salt", "Velvet", "Winter"),
)
_SECOND = (
    *("Apprentice", "Bridge", "Comet", "Detective", "Empire", "Ferry", "Garden", "Harbour", "Island"),
    *("Journey", "Kitchen", "Lantern", "Mirror", "Orchard", "Promise", "River", "Staircase", "Violin"),
)


def make_demo(seed: int = DEMO_SEED) -> Dataset:
    """The data set `demo`: 12,000 ratings, 1..5 stars, of 300 users for 250 invented films.

    User ids are ints from 1, film ids texts such as ``f017``. `demo_noise_floor` gives the lowest expected
    RMSE of any model.

    Args:
        seed: at least 0; another one gives another demo.
    """
    world, user, item, rating = _demo_ratings(seed)
    floor = _rmse(rating, world.expected(user, item))
    table = RatingTable(
        IdTable(tuple(range(1, DEMO_USERS + 1))),
        IdTable(tuple(f"f{number:03}" for number in range(1, DEMO_ITEMS + 1))),
        user,
        item,
        rating,
        _timestamps(seed, user),
    )
    return Dataset(
        name="demo",
        table=table,
        report=ReadReport(f"a generator (seed {seed}, noise floor: RMSE {floor:.3f})", len(table)),
        user_info=_user_info(seed, world),
        item_info=_item_info(seed, world),
        scale_hint=KnownScale(1, 5),
    )


def demo_noise_floor(rows: NDArray[np.int64] | None = None, *, seed: int = DEMO_SEED) -> float:
    """RMSE, in stars, of the best possible predictions for ratings of the demo.

    Under squared error the best prediction is the mean of the distribution that a rating was drawn from,
    which the generator knows (`World.expected`). The remaining error comes from noise, rounding to whole
    stars, and the ends of the scale. A model can only be better by chance.

    Args:
        rows: row numbers of the table of `make_demo`, such as the test part of a split; all if not given.
        seed: that of the demo.
    """
    world, user, item, rating = _demo_ratings(seed)
    chosen = slice(None) if rows is None else rows
    return _rmse(rating[chosen], world.expected(user[chosen], item[chosen]))


def make_ratings(
    n_users: int, n_items: int, n_ratings: int, seed: int
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
    """Generate ratings like those of the demo, in any number, with the long tails of MovieLens 25M.

    25 million ratings of 162,000 users and 59,000 items take 0.4 GiB and ten seconds.

    Args:
        n_users, n_items: at least 1 each.
        n_ratings: at least 1, at most ``n_users * n_items``; each user has at least 20 if this is large
            enough.
        seed: at least 0.

    Returns:
        user, item: int32 [n_ratings], ordered by user, each pair once; level: uint8, 0..4. Some of the least
        popular items may have no rating.

    Raises:
        ConfigError: on a number out of range.
    """
    for name, value, most in (
        ("n_users", n_users, 2**31 - 1),
        ("n_items", n_items, 2**31 - 1),
        ("n_ratings", n_ratings, n_users * n_items),
    ):
        if not 1 <= value <= most:
            raise ConfigError(f"{name} is out of range", got=value, allowed=f"1..{most}")
    world = make_world(seed, n_users, n_items)
    return draw_ratings(world, seed, n_ratings, user_tail=1.24, item_tail=2.5, least=20)


def _demo_ratings(seed: int) -> tuple[World, NDArray[np.int32], NDArray[np.int32], Floats]:
    world = make_world(seed, DEMO_USERS, DEMO_ITEMS)
    user, item, level = draw_ratings(world, seed, DEMO_RATINGS, user_tail=0.7, item_tail=0.9, least=8)
    return world, user, item, level.astype(np.float64) + 1


def _timestamps(seed: int, user: NDArray[np.int32]) -> NDArray[np.int64]:
    """Each user joins some time from 2015 on and rates in the order of the rows: seconds since 1970."""
    joined = 1_420_070_400 + (stream(seed, "joined").random(DEMO_USERS) * 5 * 365 * 86_400).astype(np.int64)
    pause = -np.log1p(-stream(seed, "pause").random(len(user))) * 2 * 86_400  # two days on average
    elapsed = np.cumsum(pause.astype(np.int64))
    first = np.searchsorted(user, user)
    seconds: NDArray[np.int64] = joined[user] + elapsed - elapsed[first]
    return seconds


def _user_info(seed: int, world: World) -> pd.DataFrame:
    import pandas as pd

    age = 16 + np.floor(stream(seed, "age").random(DEMO_USERS) ** 1.5 * 60)
    occupation = [OCCUPATIONS[number] for number in world.occupation]
    return pd.DataFrame({"age": pd.array(age, dtype="Int64"), "occupation": occupation})


def _item_info(seed: int, world: World) -> pd.DataFrame:
    import pandas as pd

    year = 1960 + np.floor(stream(seed, "year").random(DEMO_ITEMS) ** 0.6 * 55).astype(np.int64)
    names = np.argsort(stream(seed, "title").random(len(_FIRST) * len(_SECOND)), kind="stable")[:DEMO_ITEMS]
    titles = [
        f"The {_FIRST[name // len(_SECOND)]} {_SECOND[name % len(_SECOND)]} ({made})"
        for name, made in zip(names.tolist(), year.tolist(), strict=True)
    ]
    genres = ["|".join(GENRES[number] for number in sorted(set(pair))) for pair in world.genres.tolist()]
    return pd.DataFrame({"title": titles, "genres": genres, "year": pd.array(year, dtype="Int64")})


def _rmse(truth: Floats, prediction: Floats) -> float:
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))
