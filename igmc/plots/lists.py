"""Figures of titles and lists: what is rated most, a list, what comes first, and several lists at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from igmc.plots.style import BLACK, BLUE, COLUMN, GREY, PAGE, SKY, house_style, new_figure
from igmc.rating_colours import ON_WHITE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ListedTitle", "bar_figure", "list_figure", "network_figure", "pivot_figure"]

_LINE, _FRAME = 0.19, 0.75  # inches: a line of a figure, and all around the lines
_MOST = 38  # characters of a title


@dataclass(frozen=True)
class ListedTitle:
    """A title, as one list has it or several.

    Attributes:
        title: to be shown.
        usual: what everybody gives it; for a graph, its mean rating.
        ratings: how many it has.
        scores: what each user of the figure is predicted to give it; None where it is not on the user's list.
    """

    title: str
    usual: float
    ratings: int
    scores: tuple[float | None, ...] = ()


@house_style()
def bar_figure(titles: Sequence[str], values: Sequence[float], what: str) -> Figure:
    """A bar for each title, the first on top, with its value behind it; as wide as a column.

    Args:
        titles: at least one.
        values: one a title.
        what: the values are, in words.

    Raises:
        MissingExtraError: without matplotlib.
    """
    figure, (axes,) = new_figure(width=COLUMN, height=_FRAME + _LINE * len(titles))
    axes.barh(range(len(titles)), values, height=0.72, color=BLUE)
    for at, value in enumerate(values):
        axes.annotate(f"{value:,g}", (value, at), (2, 0), textcoords="offset points", va="center", fontsize=6)
    axes.margins(x=0.12)
    _titles(axes, titles)
    axes.set_xlabel(what, loc="right")  # long words end where the bars do, not beyond the paper
    return figure


@house_style()
def list_figure(listed: Sequence[ListedTitle], levels: Sequence[float], title: str) -> Figure:
    """A user's list: a bar for each prediction, and a mark for what everybody gives; as wide as a column.

    Args:
        listed: the first of the list first, each with one score.
        levels: the ratings of the scale, ascending.
        title: above the figure.

    Raises:
        MissingExtraError: without matplotlib.
    """
    figure, (axes,) = new_figure(width=COLUMN, height=_FRAME + 0.2 + _LINE * len(listed))
    place = range(len(listed))
    axes.barh(place, [one.scores[0] or 0.0 for one in listed], height=0.72, color=SKY, label="predicted")
    usual = [one.usual for one in listed]
    axes.plot(usual, place, "|", color=BLACK, markersize=9, markeredgewidth=1.6, label="what everybody gives")
    axes.set_xlim(levels[0], levels[-1])
    _titles(axes, [one.title for one in listed])
    axes.set(xlabel="rating", title=title)
    figure.legend(loc="outside lower center", ncols=2)
    return figure


@house_style()
def pivot_figure(users: Sequence[str], listed: Sequence[ListedTitle], levels: Sequence[float]) -> Figure:
    """Several users' lists as a table of titles by users, empty where not listed.

    Predictions have the colours of ratings, those of `igmc.rating_colours`.

    Args:
        users: at least one.
        listed: each with a score, or None, for each user.
        levels: the ratings of the scale, ascending.

    Raises:
        MissingExtraError: without matplotlib.
    """
    from matplotlib.colors import LinearSegmentedColormap

    values = np.array([[np.nan if s is None else s for s in one.scores] for one in listed], float)
    height = _FRAME + 0.3 + _LINE * len(listed)
    figure, (axes,) = new_figure(width=min(PAGE, 2.6 + 0.5 * len(users)), height=height)
    colours = LinearSegmentedColormap.from_list("ratings", ON_WHITE)
    shown = np.ma.masked_invalid(values)
    image = axes.imshow(shown, cmap=colours, vmin=levels[0], vmax=levels[-1], aspect="auto")
    for row, column in zip(*np.nonzero(~np.isnan(values)), strict=True):
        look: dict[str, Any] = {"color": "white", "fontsize": 7, "ha": "center", "va": "center"}
        axes.text(column, row, f"{values[row, column]:.1f}", **look)
    axes.set_xticks(range(len(users)), users, rotation=45, ha="right", rotation_mode="anchor")
    _titles(axes, [one.title for one in listed])
    axes.grid(visible=False)
    figure.colorbar(image, ax=axes, label="predicted rating", fraction=0.05, aspect=30)
    return figure


@house_style()
def network_figure(users: Sequence[str], listed: Sequence[ListedTitle]) -> Figure:
    """Users on the left, the titles of their lists on the right; as wide as a page.

    A title's dot is the larger the higher its mean rating, and the darker the more people rated it; a line is
    the wider and darker the higher the prediction. Titles are near the users on whose lists they are.

    Args:
        users: at least one.
        listed: each with a score, or None, for each user.

    Raises:
        MissingExtraError: without matplotlib.
    """
    figure, (axes,) = new_figure(width=PAGE, height=_FRAME + 0.5 + _LINE * len(listed))
    listed = sorted(listed, key=_mean_user)  # few lines cross
    right = np.arange(len(listed), dtype=float)
    left = (np.arange(len(users)) + 0.5) * len(listed) / len(users) - 0.5
    every = [(s, at, who) for at, one in enumerate(listed) for who, s in enumerate(one.scores)]
    scores = [(score, at, who) for score, at, who in every if score is not None]
    share = _within([score for score, _, _ in scores])
    for (_, at, who), part in zip(scores, share, strict=True):
        look: dict[str, Any] = {"linewidth": 0.6 + 1.8 * part, "alpha": 0.4 + 0.5 * part, "zorder": 1}
        axes.plot([0, 1], [left[who], right[at]], color=GREY, **look)
    usual, ratings = [one.usual for one in listed], [one.ratings for one in listed]
    size = 15 + 110 * _within(usual)
    dots = axes.scatter(np.ones(len(listed)), right, s=size, c=ratings, cmap="cividis_r", zorder=2)
    axes.scatter(np.zeros(len(users)), left, s=60, color=BLUE, marker="s", zorder=2)
    for height, who_is in zip(left.tolist(), users, strict=True):
        axes.text(-0.04, height, who_is, ha="right", va="center", fontsize=7)
    for height, one in zip(right.tolist(), listed, strict=True):
        axes.text(1.04, height, _short(one.title), ha="left", va="center", fontsize=7)
    axes.set(xlim=(-0.35, 2.0), ylim=(len(listed) - 0.3, -0.7))
    axes.set_axis_off()
    axes.set_title(f"larger: rated higher ({min(usual):.1f} to {max(usual):.1f}); wider: predicted higher")
    figure.colorbar(dots, ax=axes, label="ratings", fraction=0.03)
    return figure


def _mean_user(one: ListedTitle) -> float:
    """Where the users are, on average, on whose lists a title is."""
    return float(np.mean([at for at, score in enumerate(one.scores) if score is not None]))


def _titles(axes: Axes, titles: Sequence[str]) -> None:
    axes.set_yticks(range(len(titles)), [_short(title) for title in titles])
    axes.set_ylim(len(titles) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=False, axis="y")


def _within(values: Sequence[float]) -> NDArray[np.float64]:
    """Moved to 0..1; all 1 where they are equal."""
    found = np.asarray(values, float)
    span = np.ptp(found) if len(found) else 0.0
    return (found - found.min()) / span if span else np.ones(len(found))


def _short(title: str) -> str:
    return title if len(title) <= _MOST else f"{title[: _MOST - 1].rstrip()}…"
