"""Figures of an evaluation: models side by side, with the intervals of their figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igmc.plots.style import BLUE, PAGE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Estimate", "ModelPanel", "model_figure"]

_LINE, _FRAME = 0.19, 0.75  # inches: a model, and all around the models of a panel


@dataclass(frozen=True)
class Estimate:
    """A model's figure, with the bounds of its interval or, without one, None."""

    label: str
    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class ModelPanel:
    """The models on one data set under one protocol, by one metric.

    Attributes:
        title: the data set and the protocol.
        metric: in words, with the direction that is better.
        estimates: the best model first.
    """

    title: str
    metric: str
    estimates: Sequence[Estimate]


@house_style()
def model_figure(panels: Sequence[ModelPanel]) -> Figure:
    """A point and a line, its interval, for each model; two panels in a row, the best model on top.

    Args:
        panels: at least one.

    Raises:
        MissingExtraError: without matplotlib.
    """
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    tallest = max(len(panel.estimates) for panel in panels)
    figure, axes = new_figure(
        rows, columns, width=PAGE * columns / 2, height=rows * (_FRAME + _LINE * tallest)
    )
    for panel, place in zip(panels, axes, strict=False):
        heights = range(len(panel.estimates), 0, -1)
        for height, estimate in zip(heights, panel.estimates, strict=True):
            if estimate.low is not None and estimate.high is not None:
                place.plot([estimate.low, estimate.high], [height, height], color=BLUE, linewidth=1.0)
            place.plot(estimate.value, height, "o", color=BLUE)
        place.set_yticks(list(heights), [estimate.label for estimate in panel.estimates])
        place.set_ylim(0.4, len(panel.estimates) + 0.6)
        place.grid(visible=False, axis="y")
        place.tick_params(axis="y", length=0)
        place.set_xlabel(panel.metric)
        place.set_title(panel.title)
    for place in axes[len(panels) :]:
        place.set_axis_off()
    return figure
