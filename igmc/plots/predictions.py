"""Figures of predicted ratings: against the true ones, and where they are off."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from igmc.plots.style import BLUE, GREEN, GREY, PAGE, SKY, VERMILION, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Bucket", "prediction_figure"]

_HEIGHT = 4.6  # inches
_FEW = 12  # up to so many levels, each has its own box


@dataclass(frozen=True)
class Bucket:
    """Some of the pairs, and a measure of theirs.

    Attributes:
        label: what they have in common.
        pairs: how many.
        value: the measure.
    """

    label: str
    pairs: int
    value: float


@house_style()
def prediction_figure(
    predicted: ArrayLike,
    true: ArrayLike,
    levels: Sequence[float],
    calibration: Sequence[tuple[float, float, int]],
    by_user: Sequence[Bucket],
    by_item: Sequence[Bucket],
) -> Figure:
    """Predictions by true rating, calibration, and errors by activity of user and item; as wide as a page.

    (a) A box for the predictions of each true rating: median, quartiles, and 5 to 95 of 100. Where the scale
    has more than 12 levels, they are put together into 10 ranges of equal width. (b) The mean true rating
    where each level was predicted; the larger the dot, the more pairs. (c, d) RMSE by the number of known
    ratings of the user, and of the item, with the number of pairs above.

    Args:
        predicted, true: float [P], P at least 1.
        levels: the ratings of the scale, ascending.
        calibration: of some bins of predictions, the mean predicted and mean true rating, and the pairs.
        by_user, by_item: RMSE by the number of known ratings.

    Raises:
        MissingExtraError: without matplotlib.
    """
    figure, axes = new_figure(2, 2, width=PAGE, height=_HEIGHT)
    _boxes(axes[0], np.asarray(predicted, float), np.asarray(true, float), np.asarray(levels, float))
    _calibration(axes[1], calibration, levels)
    _bars(axes[2], by_user, GREEN, "(c) error by activity of the user", "known ratings of the user")
    _bars(axes[3], by_item, VERMILION, "(d) error by popularity of the item", "known ratings of the item")
    return figure


def _boxes(axes: Axes, predicted: ArrayLike, true: ArrayLike, levels: ArrayLike) -> None:
    values, given, scale = np.asarray(predicted), np.asarray(true), np.asarray(levels)
    if len(scale) > _FEW:
        edges = np.linspace(scale[0], scale[-1], 11)
        place = np.clip(np.searchsorted(edges, given, side="right") - 1, 0, 9)
        centres = (edges[1:] + edges[:-1]) / 2
    else:
        place = np.abs(given[:, None] - scale).argmin(axis=1)
        centres = scale
    kept = np.unique(place)
    width = 0.6 * (np.diff(centres).min() if len(centres) > 1 else 1.0)
    axes.plot(centres[[0, -1]], centres[[0, -1]], color=GREY, linewidth=0.8, linestyle="--", zorder=1)
    axes.boxplot(
        [values[place == k] for k in kept],
        positions=centres[kept],
        widths=width,
        whis=(5, 95),
        showfliers=False,
        patch_artist=True,
        manage_ticks=False,
        boxprops={"facecolor": SKY, "edgecolor": BLUE, "linewidth": 0.8},
        medianprops={"color": BLUE, "linewidth": 1.6},
        whiskerprops={"color": BLUE, "linewidth": 0.8},
        capprops={"color": BLUE, "linewidth": 0.8},
    )
    if len(scale) <= _FEW:
        axes.set_xticks(scale, [f"{level:g}" for level in scale])
    axes.grid(visible=False, axis="x")
    axes.set(title="(a) predictions by true rating", xlabel="true rating", ylabel="predicted rating")


def _calibration(axes: Axes, bins: Sequence[tuple[float, float, int]], levels: Sequence[float]) -> None:
    predicted, true, pairs = (np.array(column, float) for column in zip(*bins, strict=True))
    ends = [levels[0], levels[-1]]
    axes.plot(ends, ends, color=GREY, linewidth=0.8, linestyle="--", zorder=1, label="calibrated")
    axes.plot(predicted, true, color=BLUE, linewidth=1.0, zorder=2)
    axes.scatter(predicted, true, s=8 + 60 * pairs / pairs.max(), color=BLUE, zorder=3)
    axes.legend(loc="upper left")
    if len(levels) <= _FEW:
        axes.set_xticks(levels, [f"{level:g}" for level in levels])
    axes.set(title="(b) calibration", xlabel="mean predicted rating", ylabel="mean true rating")


def _bars(axes: Axes, buckets: Sequence[Bucket], colour: str, title: str, what: str) -> None:
    place = range(len(buckets))
    axes.bar(place, [bucket.value for bucket in buckets], width=0.7, color=colour)
    for at, bucket in zip(place, buckets, strict=True):
        axes.annotate(
            f"{bucket.pairs:,}",
            (at, bucket.value),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            fontsize=6,
            color=GREY,
        )
    axes.set_xticks(place, [bucket.label for bucket in buckets])
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")
    axes.set(title=title, xlabel=what, ylabel="RMSE")
    axes.set_title("pairs above the bars", loc="right", color=GREY, fontsize=6)
