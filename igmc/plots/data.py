"""Figures of a data set: its ratings, who and what has how many of them, when they came, and its genres."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from igmc.plots.style import BLUE, COLUMN, GREEN, PAGE, VERMILION, house_style, new_figure
from igmc.ratings import UNKNOWN_TIME, Dataset
from igmc.ratings.description import Bin, Genre, describe

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["describe_figures"]

_BARS = 100  # of the histogram over time, at most
_UNITS = {"day": "datetime64[D]", "week": "datetime64[W]", "month": "datetime64[M]", "year": "datetime64[Y]"}


@house_style()
def describe_figures(dataset: Dataset) -> dict[str, Figure]:
    """The figures of a data set, by name.

    - "overview", as wide as a page: the histogram of the ratings; the share of users and of items that have n
      ratings or more, on logarithmic axes; and, where times are known, the ratings by day, week, month or
      year (the finest of them that makes 100 bars or fewer).
    - "genres", as wide as a column: each genre's share of the items beside its share of the ratings. It is
      left out if no genre is known.

    Raises:
        DataError: if there are no ratings.
        MissingExtraError: without matplotlib.
    """
    page = describe(dataset)
    figures = {"overview": _overview(dataset, page.rating.bins)}
    if page.genres:
        figures["genres"] = _genres(page.genres)
    return figures


def _overview(dataset: Dataset, bins: tuple[Bin, ...]) -> Figure:
    table = dataset.table
    known = np.zeros(0, np.int64) if table.timestamp is None else table.timestamp
    known = known[known != UNKNOWN_TIME]
    panels = 3 if known.size else 2
    figure, axes = new_figure(1, panels, width=PAGE * panels / 3, height=2.1)
    _ratings(axes[0], bins)
    _activity(axes[1], {"users": np.bincount(table.user), "items": np.bincount(table.item)})
    if known.size:
        _time(axes[2], known, len(table))
    for letter, panel in zip("abc", axes, strict=False):
        panel.set_title(f"({letter}) {panel.get_title(loc='left')}")
    return figure


def _ratings(axes: Axes, bins: tuple[Bin, ...]) -> None:
    low, high, count = (np.array([getattr(b, name) for b in bins]) for name in ("low", "high", "count"))
    share = 100 * count / count.sum()
    if np.all(low == high):
        step = np.diff(low).min() if len(low) > 1 else 1.0
        # Where means of duplicates lie close together, bars would be too thin to be seen.
        axes.bar(low, share, width=max(0.8 * step, (low[-1] - low[0]) / 60))
    else:
        axes.stairs(share, [*low, high[-1]], fill=True)
    whole = low[low % 1 == 0]
    if np.all(low == high) and 2 <= len(whole) <= 10:
        axes.set_xticks(whole)
    axes.grid(visible=False, axis="x")
    axes.set(title="ratings", xlabel="rating", ylabel="share of ratings (%)")


def _activity(axes: Axes, sides: dict[str, NDArray[np.int64]]) -> None:
    for (name, every), color, line in zip(sides.items(), (GREEN, VERMILION), ("-", "--"), strict=True):
        values, counts = np.unique(every[every > 0], return_counts=True)
        share = counts[::-1].cumsum()[::-1] / counts.sum()
        axes.plot(values, share, color=color, linestyle=line, label=name)
    axes.set(xscale="log", yscale="log", title="activity and popularity")
    axes.set(xlabel="ratings n", ylabel="share with at least n")
    axes.legend(loc="lower left")


def _time(axes: Axes, known: NDArray[np.int64], total: int) -> None:
    from matplotlib import dates

    unit, first, counts = _by_time(known)
    edges = (first + np.arange(len(counts) + 1)).astype("datetime64[s]")
    axes.stairs(counts, dates.date2num(edges), fill=True)
    locator = dates.AutoDateLocator(minticks=3, maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(dates.ConciseDateFormatter(locator))
    axes.yaxis.set_major_formatter("{x:,.0f}")
    axes.grid(visible=False, axis="x")
    part = "" if len(known) == total else f", known of {len(known) / total:.0%}"
    axes.set(title="ratings over time", xlabel=f"time (UTC{part})", ylabel=f"ratings a {unit}")


def _by_time(known: NDArray[np.int64]) -> tuple[str, np.datetime64, NDArray[np.int64]]:
    """The finest unit that makes few enough bars, the first of them, and the ratings in each."""
    times = known.astype("datetime64[s]")
    for unit, dtype in _UNITS.items():
        place = times.astype(dtype)
        first = place.min()
        if (place.max() - first).astype(np.int64) < _BARS or unit == "year":
            break
    return unit, first, np.bincount((place - first).astype(np.int64))


def _genres(genres: tuple[Genre, ...]) -> Figure:
    height = 0.7 + 0.17 * len(genres)
    figure, (axes,) = new_figure(width=COLUMN, height=height)
    place = np.arange(len(genres))
    items, ratings = ([100 * getattr(g, name) for g in genres] for name in ("item_share", "rating_share"))
    axes.barh(place - 0.2, ratings, height=0.38, color=BLUE, label="of ratings")
    axes.barh(place + 0.2, items, height=0.38, color=VERMILION, label="of items")
    axes.set_yticks(place, [g.name for g in genres])
    axes.set_ylim(len(genres) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel("share (%); an item may have several genres")
    axes.legend(loc="lower right")
    return figure
