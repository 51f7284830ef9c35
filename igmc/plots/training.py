"""The figure of a training: its loss and what was measured on validation, by epoch."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from igmc.errors import MissingExtraError
from igmc.plots.style import BLUE, COLUMN, GREY, ORANGE, PAGE, VERMILION, house_style, new_figure, save_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["save_curves", "training_figure"]

logger = logging.getLogger(__name__)

# Names in records -> of the curve. The best epoch is chosen by the first that was measured.
_VALIDATED = {
    "validation_rmse": "RMSE",
    "validation_ndcg": "NDCG@20",
    "validation_precision": "precision@20",
    "validation_recall": "recall@20",
}
_HEIGHT = 2.3  # inches
_MARKED = 40  # up to so many epochs, each has a dot


@house_style()
def training_figure(history: Sequence[Mapping[str, Any]]) -> Figure:
    """Loss and validation figures by epoch, the best epoch marked.

    Errors of training and validation in the same unit share one axis; otherwise, what was measured on
    validation has a panel of its own.

    Args:
        history: a record for each epoch, at least one: ``epoch``, ``mse`` (in squared ratings) or ``loss``,
            and perhaps ``validation_rmse``, or ``validation_ndcg``, ``validation_precision`` and
            ``validation_recall``; records where one of these is None or missing are passed over.

    Raises:
        MissingExtraError: without matplotlib.
    """
    measured = [name for name in _VALIDATED if any(record.get(name) is not None for record in history)]
    one_axis = next(name for name in ("mse", "loss") if name in history[0]) == "mse"
    panels = 2 if measured and not one_axis else 1
    figure, axes = new_figure(1, panels, width=PAGE if panels > 1 else COLUMN, height=_HEIGHT)
    if one_axis:
        trained = [record | {"training": math.sqrt(record["mse"])} for record in map(dict, history)]
        _draw(axes[0], trained, "training", BLUE, "training steps")
        axes[0].set_ylabel("RMSE")
    else:
        _draw(axes[0], history, "loss", BLUE, "training")
        axes[0].set_ylabel("loss")
    axes[0].set_title("(a) training" if panels > 1 else "training and validation" if measured else "training")
    for name, colour in zip(measured, (VERMILION, BLUE, ORANGE), strict=False):
        _draw(axes[-1], history, name, colour, "validation" if one_axis else _VALIDATED[name])
    if panels > 1:
        label = "mean over users" if len(measured) > 1 else _VALIDATED[measured[0]]
        axes[-1].set(ylabel=label, title="(b) validation")
    if measured:
        _mark_best(axes[-1], history, measured[0], "best" if len(measured) == 1 else None)
    if one_axis and measured:
        axes[-1].legend()
    elif len(measured) > 1:  # below: the curves leave no room among them
        axes[-1].legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=len(measured))
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
        logger.debug("no %s.png: %s", stem.name, error)  # nobody asked for it
    except Exception as error:  # no figure is worth a training
        logger.warning("no %s.png: %s: %s", stem.name, type(error).__name__, error)


def _draw(axes: Axes, history: Sequence[Mapping[str, Any]], name: str, colour: str, label: str) -> None:
    from matplotlib.ticker import MaxNLocator

    known = [record for record in history if record.get(name) is not None]
    dot = "o" if len(known) <= _MARKED else None
    axes.plot([r["epoch"] for r in known], [r[name] for r in known], color=colour, marker=dot, label=label)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _mark_best(axes: Axes, history: Sequence[Mapping[str, Any]], name: str, words: str | None) -> None:
    known = [record for record in history if record.get(name) is not None]
    best = (min if name == "validation_rmse" else max)(known, key=lambda record: record[name])
    epoch, value = int(best["epoch"]), best[name]
    axes.axvline(epoch, color=GREY, linewidth=0.8, linestyle="--", zorder=1)
    axes.plot(epoch, value, "o", color=GREY, markersize=6, fillstyle="none")
    words = words or f"best {_VALIDATED[name]}"
    axes.set_title(f"{words}: {value:.4f} in epoch {epoch}", loc="right", color=GREY)
