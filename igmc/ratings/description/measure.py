"""Measures of a data set: sizes, missing values, outliers and distributions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igmc.errors import DataError
from igmc.ratings.dataset import Dataset
from igmc.ratings.description.report import (
    FENCE,
    JUDGED,
    TOP,
    Bin,
    Description,
    Extreme,
    Fence,
    Gap,
    Genre,
    RatingSummary,
    SideSummary,
    Summary,
    TimeSpan,
)
from igmc.ratings.ids import IdTable
from igmc.ratings.load import DataLike, load_dataset
from igmc.ratings.scale import distinct
from igmc.ratings.table import UNKNOWN_TIME

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["describe", "genre_flags", "rating_bins"]

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

_BINS = 20  # bars of a histogram, at most
_EXTREMES = 3  # outliers that are named


def describe(dataset: DataLike) -> Description:
    """Counts, missing values, duplicates, outliers and distributions of a data set.

    `dataset` is anything that `igmc.ratings.load.load_dataset` accepts: a name, a path, a DataFrame, ...

    Outliers are found by Tukey's fences (Exploratory Data Analysis, 1977): a value is an outlier if it lies
    more than 1.5 interquartile ranges below the lower quartile or above the upper one. Numbers of ratings are
    compared on a logarithmic scale, since they are skewed; mean ratings only for users and items with at
    least 5 ratings.

    Raises:
        ConfigError: on something that is not a data set.
        DataError: if there are no ratings.

    >>> from igmc.ratings.demo.dataset import make_demo
    >>> page = describe(make_demo())
    >>> page.ratings, page.users.total, page.items.total, page.duplicates
    (12000, 300, 250, 0)
    """
    dataset = load_dataset(dataset)
    table, report = dataset.table, dataset.report
    if not len(table):
        raise DataError(f"{dataset.name} has no ratings to describe", remedy="add ratings")
    users, items = _side(table.users, table.user, table.rating), _side(table.items, table.item, table.rating)
    return Description(
        name=dataset.name,
        report=str(report),
        rows=report.rows,
        blank_lines=report.blank_lines,
        duplicates=report.duplicates,
        splits=tuple(dataset.splits),
        implicit=dataset.implicit,
        ratings=len(table),
        density=len(table) / (users.total * items.total),
        rating=_rating(dataset),
        users=users,
        items=items,
        missing=_missing(dataset),
        time=_time(table.timestamp),
        genres=_genres(dataset),
    )


def rating_bins(rating: Floats) -> tuple[Bin, ...]:
    """The histogram of n ratings: a bin for each level, see `igmc.ratings.scale.distinct`, if at most 20.

    Else bins of one width, 1, 2 or 5 times a power of ten, between multiples of it: the least width that cuts
    the range in 20 or fewer, and one bin more where the range does not begin at such a multiple.
    """
    values = distinct(rating)
    if len(values) <= _BINS:
        edges = np.concatenate([[-np.inf], (values[1:] + values[:-1]) / 2, [np.inf]])
        counts, _ = np.histogram(rating, edges)
        return tuple(Bin(v, v, c) for v, c in zip(values.tolist(), counts.tolist(), strict=True))
    width = (values[-1] - values[0]) / _BINS
    digits = math.floor(math.log10(width))
    width = next(factor * 10.0**digits for factor in (1, 2, 5, 10) if factor * 10.0**digits >= width)
    first, last = math.floor(values[0] / width), math.ceil(values[-1] / width)
    # Of 3 * 0.1 the float next to 0.3 is wanted, which a rating of 0.3 equals.
    edges = np.round(width * np.arange(first, last + 1), max(0, -digits))
    counts, _ = np.histogram(rating, edges)
    ends = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return tuple(Bin(*end) for end in ends)


def genre_flags(info: pd.DataFrame | None) -> dict[str, NDArray[np.bool_]]:
    """For each genre, in ascending order, which items have it: bool [n_items]. Empty if none is known."""
    if info is None or "genres" not in info:
        return {}
    cells = [set(cell.split("|")) - {""} for cell in info["genres"].fillna("").tolist()]
    flags = {genre: np.zeros(len(cells), dtype=bool) for genre in sorted(set().union(*cells))}
    for row, genres in enumerate(cells):
        for genre in genres:
            flags[genre][row] = True
    return flags


def _summary(values: NDArray[Any]) -> Summary:
    quantiles = np.quantile(values, [0, 0.25, 0.5, 0.75, 0.95, 1])
    return Summary(*map(float, [*quantiles, values.mean()]))


def _rating(dataset: Dataset) -> RatingSummary:
    rating, known = dataset.table.rating, dataset.scale_hint
    return RatingSummary(
        scale=None if known is None else str(known),
        distinct=len(distinct(rating)),
        deviation=float(rating.std()),
        summary=_summary(rating),
        bins=rating_bins(rating),
    )


def _side(ids: IdTable, index: NDArray[np.int32], rating: Floats) -> SideSummary:
    every = np.bincount(index, minlength=len(ids))
    rated = np.flatnonzero(every)
    counts = every[rated]
    judged = np.flatnonzero(every >= JUDGED)
    means = np.bincount(index, rating, len(ids))[judged] / every[judged]
    # Any one rating of each will do: whoever gives one value only differs from it nowhere.
    one = np.empty(len(ids))
    one[index] = rating
    differs = np.bincount(index, rating != one[index], len(ids))
    descending = np.sort(counts)[::-1]
    return SideSummary(
        total=len(ids),
        rated=len(rated),
        once=int((counts == 1).sum()),
        activity=_summary(counts),
        gini=_gini(counts),
        top_share=float(descending[: math.ceil(TOP * len(counts))].sum() / len(index)),
        activity_fence=_fence(ids, rated, counts, logarithmic=True),
        judged=len(judged),
        mean_fence=_fence(ids, judged, means) if len(judged) else None,
        constant=int((differs[judged] == 0).sum()),
    )


def _gini(counts: Counts) -> float:
    """Gini coefficient of n counts x_1 <= ... <= x_n: ``sum_i (2i - n - 1) x_i / (n sum_i x_i)``."""
    n = len(counts)
    weights = 2 * np.arange(1, n + 1) - n - 1
    return float((weights * np.sort(counts)).sum() / (n * counts.sum()))


def _fence(ids: IdTable, index: Counts, values: NDArray[Any], *, logarithmic: bool = False) -> Fence:
    """Tukey's fences of n values, which belong to the dense indices `index`, int64 [n]."""
    compared = np.log(values) if logarithmic else values
    lower, upper = np.quantile(compared, [0.25, 0.75]).tolist()
    low, high = lower - FENCE * (upper - lower), upper + FENCE * (upper - lower)
    beyond = np.maximum(low - compared, compared - high)
    outside = np.flatnonzero(beyond > 0)
    farthest = outside[np.argsort(-beyond[outside], kind="stable")][:_EXTREMES]
    return Fence(
        low=math.exp(low) if logarithmic else low,
        high=math.exp(high) if logarithmic else high,
        below=int((compared < low).sum()),
        above=int((compared > high).sum()),
        extremes=tuple(Extreme(ids.ids[index[k]], float(values[k])) for k in farthest.tolist()),
    )


def _missing(dataset: Dataset) -> tuple[Gap, ...]:
    gaps = []
    for side, info in (("user", dataset.user_info), ("item", dataset.item_info)):
        for name, column in () if info is None else info.items():
            empty = column.isna() | (column.astype(str).str.strip() == "")
            gaps.append(Gap(f"{side} {name}", int(empty.sum()), len(column)))
    n, time = len(dataset.table), dataset.table.timestamp
    return (*gaps, Gap("timestamp", n if time is None else int((time == UNKNOWN_TIME).sum()), n))


def _time(timestamp: NDArray[np.int64] | None) -> TimeSpan | None:
    known = np.zeros(0, dtype=np.int64) if timestamp is None else timestamp[timestamp != UNKNOWN_TIME]
    if timestamp is None or not known.size:
        return None
    seconds = known.astype("datetime64[s]")
    years, counts = np.unique(seconds.astype("datetime64[Y]").astype(np.int64) + 1970, return_counts=True)
    return TimeSpan(
        first=str(seconds.min()),
        last=str(seconds.max()),
        known=len(known) / len(timestamp),
        years=dict(zip(years.tolist(), counts.tolist(), strict=True)),
    )


def _genres(dataset: Dataset) -> tuple[Genre, ...]:
    table = dataset.table
    popularity = np.bincount(table.item, minlength=len(table.items))
    genres = []
    for name, flags in genre_flags(dataset.item_info).items():
        items, ratings = int(flags.sum()), int(popularity[flags].sum())
        genres.append(Genre(name, items, ratings, items / len(flags), ratings / len(table)))
    return tuple(sorted(genres, key=lambda genre: -genre.ratings))
