"""The figure of an explained prediction: the pair apart, its neighbours in two columns, ratings as lines.

It reads from left to right: what the user gave to some items, what others gave these, and what those others
gave the item that is asked.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from igmc.plots.style import BLACK, GREY, PAGE, house_style
from igmc.plots.subgraph_panel import SubgraphPanel
from igmc.rating_colours import rating_colour

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from igmc.inference.why import ExplainedEdge

__all__ = ["subgraph_figure"]

# Inches, for all is drawn in one frame as large as the page is wide.
_USER, _ITEMS, _USERS, _ITEM = (0.08, 0.92), (1.47, 3.85), (4.46, 5.36), (5.95, PAGE - 0.08)
_ROW, _BOX = 0.205, 0.16  # from row to row, and the height of a box
_HEAD, _FOOT, _LEGEND = 0.5, 0.38, 0.28  # above and below the rows of a panel; below all panels
_ENTRY = 0.22  # a row of the legend: one for each measure
_HALF = 0.3  # half the height of the boxes of the pair: their lines spread over it
_THIN, _WIDE = 0.35, 4.0  # points: ratings of no importance, and of the greatest
_MANY = 11  # up to so many levels, each has its own line in the legend
_DASHES = (0, (2.2, 1.2))
_TEXT, _SMALL = 7, 6  # points


@house_style()
def subgraph_figure(panels: Sequence[SubgraphPanel]) -> Figure:
    """Enclosing subgraphs, one below the other, as wide as a page.

    Ratings have the colours of `igmc.rating_colours`, as on the page. A line is as wide as its rating is
    important, in proportion, on one scale for all panels of a measure; it is dashed where the rating lowers
    the prediction.

    Args:
        panels: at least one; all on one scale of ratings.

    Raises:
        MissingExtraError: without matplotlib.
    """
    from matplotlib.figure import Figure

    heights = [_height(panel) for panel in panels]
    total = sum(heights) + _LEGEND + _ENTRY * len({panel.measure for panel in panels})
    figure = Figure(figsize=(PAGE, total))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(0, PAGE), ylim=(0, total))
    axes.set_axis_off()
    most: dict[str, float] = {}  # the greatest of each measure
    for panel in panels:
        weights = (abs(edge.importance) for edge in panel.edges)
        most[panel.measure] = max(most.get(panel.measure, 0.0), *weights, 0.0)
    top = total
    for panel, height in zip(panels, heights, strict=True):
        _draw(axes, panel, top, height, most[panel.measure] or 1.0)
        top -= height
    _legend(axes, panels, most)
    return figure


def _height(panel: SubgraphPanel) -> float:
    rows = max(len(panel.users), len(panel.items), 5) - 1
    return _HEAD + rows * _ROW + _FOOT


def _draw(axes: Axes, panel: SubgraphPanel, top: float, height: float, most: float) -> None:
    rows = (height - _HEAD - _FOOT) / _ROW
    middle = top - _HEAD - rows * _ROW / 2
    places: list[list[float]] = []  # by side, the heights of the nodes
    for labels in (panel.users, panel.items):
        first = middle + (len(labels) - 2) * _ROW / 2
        places.append([middle, *(first - at * _ROW for at in range(len(labels) - 1))])
    axes.text(_USER[0], top - 0.14, panel.title, fontsize=8, va="center", parse_math=False)
    heads = ((_ITEMS, panel.items, "items that the user rated"), (_USERS, panel.users, "users who rated it"))
    for (left, right), labels, head in heads:
        if len(labels) > 1:
            x, y = (left + right) / 2, max(places[0] + places[1]) + 0.15
            axes.text(x, y, head, fontsize=_SMALL, color=GREY, ha="center", va="center")
    # The least important first, so that the others lie above them.
    for edge in sorted(panel.edges, key=lambda edge: abs(edge.importance)):
        _line(axes, panel, edge, places, most)
    weight = {("user", e.user): e.importance for e in panel.edges if e.item == 0}
    weight |= {("item", e.item): e.importance for e in panel.edges if e.user == 0}
    for side, span, labels, ys in (
        ("user", _USERS, panel.users, places[0]),
        ("item", _ITEMS, panel.items, places[1]),
    ):
        for at in range(1, len(labels)):
            number = _number(weight[side, at], most, panel.measure) if (side, at) in weight else ""
            _neighbour(axes, span, ys[at], labels[at], number)
    _asked(axes, panel, middle, top - height + 0.17)


def _line(
    axes: Axes, panel: SubgraphPanel, edge: ExplainedEdge, places: list[list[float]], most: float
) -> None:
    user, item = places[0][edge.user], places[1][edge.item]
    if edge.user == 0:
        x, y = (_USER[1], _ITEMS[0]), (user + _spread(edge.item, panel.items), item)
    elif edge.item == 0:
        x, y = (_USERS[1], _ITEM[0]), (user, item + _spread(edge.user, panel.users))
    else:
        x, y = (_ITEMS[1], _USERS[0]), (item, user)
    (line,) = axes.plot(
        x, y, color=_colour(edge.rating, panel.levels), linewidth=_width(edge.importance, most), zorder=1
    )
    line.set_solid_capstyle("butt")
    if edge.importance < 0:
        line.set_linestyle(_DASHES)


def _number(weight: float, most: float, measure: str) -> str:
    digits = 2 if most >= 0.1 else 3
    sign = "+" if measure == "importance" else ""
    value = round(weight, digits) + 0.0  # no minus before nothing
    return f"{value:{sign}.{digits}f}".replace("-", "\N{MINUS SIGN}")


def _spread(at: int, labels: Sequence[str]) -> float:
    """Where the line of a neighbour meets the box of the pair, from its middle."""
    last = len(labels) - 1
    return 0.0 if last == 1 else 0.85 * _HALF * (1 - 2 * (at - 1) / (last - 1))


def _neighbour(axes: Axes, span: tuple[float, float], y: float, label: str, number: str) -> None:
    from matplotlib.patches import FancyBboxPatch

    left, right = span
    axes.add_patch(
        FancyBboxPatch(
            (left, y - _BOX / 2), right - left, _BOX, "round,pad=0,rounding_size=0.04",
            facecolor="white", edgecolor="#BBBBBB", linewidth=0.5, zorder=2,
        )
    )  # fmt: skip
    room = right - left - 0.1 - (_long(number, _SMALL) + 0.06 if number else 0.0)
    text: dict[str, Any] = {"va": "center_baseline", "zorder": 3, "parse_math": False}
    if _long(label, _TEXT) > room:
        label = re.sub(r" \(\d{4}\)$", "", label)  # a title says more than its year
    axes.text(left + 0.05, y, _fitting(label, room, _TEXT), fontsize=_TEXT, **text)
    axes.text(right - 0.05, y, number, fontsize=_SMALL, color=GREY, ha="right", **text)


def _asked(axes: Axes, panel: SubgraphPanel, middle: float, bottom: float) -> None:
    """The pair itself, and what is asked: the line below all others."""
    from matplotlib.patches import FancyBboxPatch

    ends = []
    for (left, right), label in ((_USER, panel.users[0]), (_ITEM, panel.items[0])):
        lines = textwrap.wrap(label, 15, max_lines=5, placeholder=" …") or [label]
        half = max(_HALF, 0.07 + 0.06 * len(lines))
        axes.add_patch(
            FancyBboxPatch(
                (left, middle - half), right - left, 2 * half, "round,pad=0,rounding_size=0.06",
                facecolor="#F2F2F2", edgecolor=BLACK, linewidth=0.9, zorder=2,
            )
        )  # fmt: skip
        shown = "\n".join(_fitting(line, right - left - 0.06, _TEXT) for line in lines)
        axes.text(
            (left + right) / 2, middle, shown, fontsize=_TEXT, weight="bold", ha="center", va="center",
            zorder=3, parse_math=False, linespacing=1.1,
        )  # fmt: skip
        ends.append(((left + right) / 2, middle - half))
    (left, start), (right, end) = ends
    axes.plot(
        [left, left, right, right],
        [start, bottom, bottom, end],
        color=BLACK,
        linewidth=0.9,
        linestyle=":",
        zorder=1,
    )
    if panel.score is not None:
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        place = ((left + right) / 2, bottom)
        axes.text(
            *place,
            f"predicted: {panel.score:.2f}",
            fontsize=8,
            weight="bold",
            ha="center",
            va="center",
            bbox=box,
        )


def _legend(axes: Axes, panels: Sequence[SubgraphPanel], most: dict[str, float]) -> None:
    levels, y = panels[0].levels, 0.2 + _ENTRY * (len(most) - 1)
    text: dict[str, Any] = {"fontsize": _TEXT, "va": "center_baseline"}
    axes.axhline(y + 0.22, xmin=_USER[0] / PAGE, xmax=_ITEM[1] / PAGE, color="#DDDDDD", linewidth=0.5)
    axes.text(_USER[0], y, "rating", color=GREY, **text)
    bar: dict[str, Any] = {"linewidth": 3, "solid_capstyle": "butt"}
    x, room = 0.5, 1.7
    if len(levels) <= _MANY:
        step = room / len(levels)
        for at, level in enumerate(levels):
            here = x + at * step
            axes.plot([here, here + step * 0.9], [y - 0.05] * 2, color=_colour(level, levels), **bar)
            axes.text(
                here + step * 0.45, y + 0.07, f"{level:g}", ha="center", **(text | {"fontsize": _SMALL})
            )
    else:
        pieces, low, high = 64, levels[0], levels[-1]
        for at in range(pieces):
            here = x + room * at / pieces
            bar["color"] = _colour(low + (high - low) * at / (pieces - 1), levels)
            axes.plot([here, here + room / pieces], [y - 0.05] * 2, **bar)
        for end, level in ((x, low), (x + room, high)):
            axes.text(end, y + 0.07, f"{level:g}", ha="center", **(text | {"fontsize": _SMALL}))
    for row, (measure, greatest) in enumerate(most.items()):
        x = _widths(axes, 2.5, y - row * _ENTRY, measure, greatest, text) if greatest else 2.5
        lowers = any(e.importance < 0 for p in panels if p.measure == measure for e in p.edges)
        for style, label in (("-", "raises"), (_DASHES, "lowers")) if lowers else ():
            axes.plot([x, x + 0.28], [y - row * _ENTRY] * 2, color=GREY, linewidth=1.6, linestyle=style)
            axes.text(x + 0.34, y - row * _ENTRY, label, **text)
            x += 0.44 + _long(label, _TEXT)


def _widths(axes: Axes, x: float, y: float, measure: str, greatest: float, text: dict[str, Any]) -> float:
    """Three lines with what their widths stand for; returns where the next thing may stand."""
    axes.text(x, y, measure, color=GREY, **text)
    x += _long(measure, _TEXT) + 0.1
    for share in (0.1, 0.5, 1.0):
        value = float(f"{share * greatest:.1g}")
        label = f"{value:g}"
        axes.plot([x, x + 0.2], [y, y], color=GREY, linewidth=_width(value, greatest), solid_capstyle="butt")
        axes.text(x + 0.25, y, label, **text)
        x += 0.33 + _long(label, _TEXT)
    return x + 0.1


def _width(importance: float, most: float) -> float:
    return _THIN + (_WIDE - _THIN) * abs(importance) / most


def _colour(rating: float, levels: Sequence[float]) -> str:
    return rating_colour(rating, levels[0], levels[-1])


def _long(text: str, size: float) -> float:
    """The length of a text in inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    width, _, _ = text_to_path.get_text_width_height_descent(text, FontProperties(size=size), ismath=False)
    return float(width) / 72


def _fitting(text: str, room: float, size: float) -> str:
    """The text, its end left out where it is longer than there is room, in inches."""
    if _long(text, size) <= room:
        return text
    end = len(text) - 1
    while end > 1 and _long(text[:end].rstrip() + "…", size) > room:
        end -= 1
    return text[:end].rstrip() + "…"
