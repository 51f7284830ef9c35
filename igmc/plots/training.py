"""The figure of a training: its loss, and what was measured on validation, epoch by epoch."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc.errors import MissingExtraError
from igmc.plots.style import BLUE, COLUMN, GREY, PAGE, VERMILION, house_style, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_curves", "training_figure"]

logger = logging.getLogger(__name__)

# name in a record: (label of the axis, whether less is better)
_LOSSES = {"mse": "mean squared error", "loss": "loss"}
_VALIDATED = {"validation_rmse": ("RMSE", True), "validation_ndcg": ("NDCG@20", False)}
_HEIGHT = 2.3  # inches
_MARKED = 40  # up to so many epochs, each has a dot


@house_style()
def training_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """The training loss by epoch and, where there is one, the validation figure with its best epoch marked.

    Args:
        history: a record for each epoch, at least one: ``epoch``, ``mse`` or ``loss``, and perhaps
            ``validation_rmse`` or ``validation_ndcg``; records where that is None or missing are passed over.

    Raises:
        MissingExtraError: without matplotlib.
    """
    loss = next(name for name in _LOSSES if name in history[0])
    measured = next((n for n in _VALIDATED if any(r.get(n) is not None for r in history)), None)
    panels = 1 if measured is None else 2
    figure, axes = new_figure(1, panels, width=PAGE if panels > 1 else COLUMN, height=_HEIGHT)
    _draw(axes[0], history, loss, BLUE)
    axes[0].set_ylabel(_LOSSES[loss])
    axes[0].set_title("(a) training" if panels > 1 else "training")
    if measured is not None:
        label, less = _VALIDATED[measured]
        _draw(axes[1], history, measured, VERMILION)
        axes[1].set_ylabel(label)
        axes[1].set_title("(b) validation")
        _mark_best(axes[1], history, measured, less)
    return figure


def save_curves(history: Sequence[Mapping[str, Any]], stem: Path) -> None:
    """Write `training_figure` as ``<stem>.png`` and ``.svg``; where that cannot be done, it is logged only.

    Args:
        history: as `training_figure` takes it.
        stem: path without a suffix.
    """
    try:
        save_figure(training_figure(history), stem)
    except MissingExtraError as error:
        logger.info("no %s.png: %s", stem.name, error)
    except Exception as error:  # no figure is worth a training
        logger.warning("no %s.png: %s: %s", stem.name, type(error).__name__, error)


def _draw(axes: Axes, history: Sequence[Mapping[str, Any]], name: str, colour: str) -> None:
    from matplotlib.ticker import MaxNLocator

    known = [record for record in history if record.get(name) is not None]
    dot = "o" if len(known) <= _MARKED else None
    axes.plot([r["epoch"] for r in known], [r[name] for r in known], color=colour, marker=dot)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _mark_best(axes: Axes, history: Sequence[Mapping[str, Any]], name: str, less: bool) -> None:
    known = [record for record in history if record.get(name) is not None]
    best = (min if less else max)(known, key=lambda record: record[name])
    epoch, value = int(best["epoch"]), best[name]
    axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
    axes.plot(epoch, value, "o", color=GREY, markersize=6, fillstyle="none")
    axes.set_title(f"best: {value:.4f} in epoch {epoch}", loc="right", color=GREY)
