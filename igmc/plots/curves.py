"""Curves with confidence bands: a figure of several models against what they were given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from igmc.plots.style import CYCLE, PAGE, house_style, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Curve", "CurvePanel", "curve_figure"]

_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_HEIGHT, _LEGEND = 2.4, 0.17  # inches: a panel, and a line of the legend


@dataclass(frozen=True)
class Curve:
    """One model's figure at some of the steps.

    Attributes:
        label: of the model.
        steps: which of the panel's steps, ascending.
        values: one a step.
        low, high: bounds of their intervals, one a step, or empty for a curve without a band.
    """

    label: str
    steps: Sequence[int]
    values: Sequence[float]
    low: Sequence[float] = ()
    high: Sequence[float] = ()


@dataclass(frozen=True)
class CurvePanel:
    """Curves over the same steps.

    Attributes:
        title: what all curves have in common.
        given: what the steps are, in words, with the unit.
        metric: what the values are, in words, with the direction that is better.
        steps: a text for each step; they stand at equal distances, whatever numbers they are.
        curves: the same label has the same colour, dashes and marker in every panel.
    """

    title: str
    given: str
    metric: str
    steps: Sequence[str]
    curves: Sequence[Curve]


@house_style()
def curve_figure(panels: Sequence[CurvePanel]) -> Figure:
    """A line with a band, its intervals, for each curve; two panels in a row, one legend below them all.

    Args:
        panels: at least one.

    Raises:
        MissingExtraError: without matplotlib.
    """
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    labels = list(dict.fromkeys(curve.label for panel in panels for curve in panel.curves))
    beside = 2 * columns  # entries in a line of the legend
    height = rows * _HEIGHT + _LEGEND * -(-len(labels) // beside)
    figure, axes = new_figure(rows, columns, width=PAGE * columns / 2, height=height)
    lines = {}
    for panel, place in zip(panels, axes, strict=False):
        for curve in panel.curves:
            at = labels.index(curve.label)
            color = CYCLE[at % len(CYCLE)]
            [lines[curve.label]] = place.plot(
                curve.steps,
                curve.values,
                color=color,
                linestyle=_DASHES[at % len(_DASHES)],
                marker=_MARKERS[at % len(_MARKERS)],
            )
            if len(curve.low):
                place.fill_between(curve.steps, curve.low, curve.high, color=color, alpha=0.12, linewidth=0)
        place.set_xticks(range(len(panel.steps)), list(panel.steps))
        place.grid(visible=False, axis="x")
        place.set(title=panel.title, xlabel=panel.given, ylabel=panel.metric)
    for place in axes[len(panels) :]:
        place.set_axis_off()
    if lines:
        figure.legend([lines[label] for label in labels], labels, loc="outside lower center", ncols=beside)
    return figure
