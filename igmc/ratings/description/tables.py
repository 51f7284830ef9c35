"""A row for each user, or each item, of a data set: how many ratings, and which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from igmc.ratings.load import DataLike, load_dataset
from igmc.ratings.table import UNKNOWN_TIME

if TYPE_CHECKING:
    import pandas as pd

    from igmc.ratings.dataset import Dataset

__all__ = ["per_item", "per_user"]


def per_user(dataset: DataLike) -> pd.DataFrame:
    """A row for each user, those with the most ratings first; equal ones in the order of the data.

    `dataset` is anything that `igmc.ratings.load.load_dataset` accepts: a name, a path, a DataFrame, ...

    Returns:
        user_id; ratings, their number; mean, and std, the sample standard deviation (NaN of one rating);
        lowest and highest rating; first and last, the times of the earliest and the latest rating in UTC, if
        the data set has times (NaT of a user without any); and the other columns that it has of users, such
        as age.

    Raises:
        ConfigError: on something that is not a data set.

    >>> from igmc.ratings.demo.dataset import make_demo
    >>> per_user(make_demo()).head(2)[["user_id", "ratings", "lowest", "highest"]]
       user_id  ratings  lowest  highest
    0      231      142     1.0      5.0
    1       26      117     1.0      5.0
    """
    return _table(load_dataset(dataset), "user")


def per_item(dataset: DataLike) -> pd.DataFrame:
    """The same for each item, with item_id and, where known, title, genres and year; see `per_user`."""
    return _table(load_dataset(dataset), "item")


def _table(dataset: Dataset, side: str) -> pd.DataFrame:
    import pandas as pd

    table = dataset.table
    node, ids = getattr(table, side), getattr(table, f"{side}s")
    grouped: Any = pd.Series(table.rating, dtype=np.float64).groupby(node)
    measured = grouped.agg(ratings="size", mean="mean", std="std", lowest="min", highest="max")
    rows: pd.DataFrame = measured.reindex(np.arange(len(ids)))
    rows["ratings"] = rows["ratings"].fillna(0).astype(np.int64)
    rows.insert(0, f"{side}_id", ids.decode(np.arange(len(ids))))
    if table.timestamp is not None:
        known: Any = np.where(table.timestamp == UNKNOWN_TIME, np.nan, table.timestamp)
        times = pd.Series(pd.to_datetime(known, unit="s"))
        rows = rows.join(times.groupby(node).agg(first="min", last="max"))
    info = getattr(dataset, f"{side}_info")
    if info is not None:
        rows = rows.join(info.reset_index(drop=True))
    return rows.sort_values("ratings", ascending=False, kind="stable", ignore_index=True)
