"""The house style of all figures: sizes for print, colours that colour-blind readers tell apart, PNG and SVG.

A function that draws is decorated with ``@house_style()``, takes its axes from `new_figure`, and returns the
figure; `save_figure` writes it. Nothing here or above touches pyplot, so that figures can be drawn in any
thread, without a display, and go away when nobody holds them.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc.errors import MissingExtraError
from igmc.files import replacing, writing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    *("BLACK", "BLUE", "COLUMN", "CYCLE", "GREEN", "GREY", "ORANGE", "PAGE", "PURPLE", "SKY", "VERMILION"),
    *("YELLOW", "house_style", "new_figure", "save_figure"),
]

logger = logging.getLogger(__name__)

# The palette of Okabe & Ito, "Color Universal Design" (2008), in the order in which series are coloured.
BLUE, VERMILION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PURPLE, SKY, BLACK, YELLOW = "#CC79A7", "#56B4E9", "#000000", "#F0E442"
CYCLE = (BLUE, VERMILION, GREEN, ORANGE, PURPLE, SKY, BLACK)  # without yellow, which white paper swallows
GREY = "#666666"  # for what is said in passing

COLUMN, PAGE = 3.4, 7.0  # inches: the width of one column, and of a page of two
_RATIO = 0.7  # height of a panel, as a share of its width
_DPI = 300  # of the PNG: what printers ask for

_STYLE: dict[str, Any] = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 7,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "patch.linewidth": 0.0,
    "figure.constrained_layout.w_pad": 0.06,  # inches
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",  # looks the same where the font is missing
    "svg.hashsalt": "igmc",  # the same figure makes the same file
}


@contextmanager
def house_style() -> Iterator[None]:
    """Whatever is drawn within has the house style; also a decorator of functions that draw.

    Raises:
        MissingExtraError: without matplotlib.
    """
    try:
        import matplotlib
    except ImportError as error:
        raise MissingExtraError("a figure needs matplotlib", extra="plot") from error
    from cycler import cycler

    # The user's matplotlibrc out, ours in: a figure looks the same on every machine. The backend stays as it
    # is: savefig does without, and rc_context would not put it back.
    settings: Any = dict(matplotlib.rcParamsDefault) | _STYLE | {"axes.prop_cycle": cycler(color=CYCLE)}
    del settings["backend"]
    with matplotlib.rc_context(settings):
        yield


def new_figure(
    rows: int = 1, columns: int = 1, *, width: float = COLUMN, height: float | None = None
) -> tuple[Figure, list[Axes]]:
    """A figure and its panels, row by row; only within `house_style`.

    Args:
        rows, columns: of panels, at least 1 each.
        width: inches: `COLUMN`, `PAGE`, or another.
        height: inches; by default such that a panel is 0.7 times as high as it is wide.
    """
    from matplotlib.figure import Figure

    size = (width, rows * width / columns * _RATIO if height is None else height)
    figure = Figure(figsize=size, layout="constrained")
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


def save_figure(figure: Figure, stem: str | Path) -> tuple[Path, Path]:
    """Write ``<stem>.png`` (300 dots an inch) and ``<stem>.svg``, each whole or not at all.

    Args:
        figure: as the functions of `igmc.plots` return it.
        stem: path without a suffix; its folder is made.

    Returns:
        The paths of the PNG and of the SVG.

    Raises:
        IgmcError: if they cannot be written.
    """
    stem = Path(stem)
    paths = stem.with_name(f"{stem.name}.png"), stem.with_name(f"{stem.name}.svg")
    with writing(stem.parent):
        stem.parent.mkdir(parents=True, exist_ok=True)
    with house_style():
        # No version and no date: the same figure makes the same bytes.
        for path, metadata in zip(paths, ({"Software": None}, {"Date": None, "Creator": None}), strict=True):
            with replacing(path) as file:
                figure.savefig(file, format=path.suffix[1:], dpi=_DPI, metadata=metadata)
    logger.info("figure written: %s and %s", paths[0], paths[1].name)
    return paths
