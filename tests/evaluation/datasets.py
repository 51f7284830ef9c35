"""Random data sets, for tests of what is held out."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from igmc.ratings.dataset import Dataset, ReadReport
from igmc.ratings.ids import IdTable
from igmc.ratings.scale import KnownScale
from igmc.ratings.table import RatingTable


def make_dataset(
    seed=0,
    *,
    users=20,
    items=15,
    share=0.5,
    times="distinct",
    splits=None,
    hint=None,
    years=True,
    ratings=None,
) -> Dataset:
    """Ratings 1..5 of random pairs in random order; user 0 rates all items, and all users rate item 0.

    Args:
        times: "distinct", "tied" (few different seconds), "early" (half before 1970), "unknown" (a third), or
            None.
    """
    rng = np.random.default_rng(seed)
    known = rng.random((users, items)) < share * rng.random((users, 1)) * 2
    known[0] = known[:, 0] = True
    user, item = rng.permutation(np.argwhere(known)).T
    n = len(user)
    distinct = rng.permutation(n) + 1
    stamps = {"distinct": distinct, "tied": rng.integers(1, 4, n), None: None}.get(times)
    if times == "early":
        stamps = 2 * (distinct - n // 2)  # even numbers, as -1 is no time
    if times == "unknown":
        stamps = np.where(np.arange(n) % 3 == 0, -1, 1 + np.arange(n))
    table = RatingTable(
        IdTable(tuple(range(users))),
        IdTable(tuple(f"i{k}" for k in range(items))),
        user,
        item,
        rng.integers(1, 6, n) if ratings is None else ratings[:n],
        stamps,
    )
    year = pd.array(np.where(np.arange(items) % 5 == 4, None, 1990 + np.arange(items) % 10), dtype="Int64")
    return Dataset(
        "random",
        table,
        ReadReport("a test", n),
        item_info=pd.DataFrame({"year": year}) if years else None,
        splits=splits or {},
        scale_hint=hint,
    )


@st.composite
def datasets(draw, **more) -> Dataset:
    """Data sets of all shapes, from nearly empty ones to full ones."""
    return make_dataset(
        draw(st.integers(0, 10**6)),
        users=draw(st.integers(4, 30)),
        items=draw(st.integers(4, 25)),
        share=draw(st.floats(0.2, 1.0)),
        **{"times": draw(st.sampled_from(["distinct", "tied"])), "hint": KnownScale(1, 5), **more},
    )
